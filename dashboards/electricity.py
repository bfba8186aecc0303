"""Electricity: who is without supply, how loaded are feeders, is the voltage right, where is energy or credit lost?"""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards import appearance, columns, datasource, frame, links, variables
from dashboards.panels import Column, Panel, band, bars, figure, figures, lines, ranking, rows, section
from dashboards.thresholds import limits

_FILE = "electricity"
# Metrics that rules may set limits on, with the factor from the rule's unit to the panel's.
_VOLTAGE = {"voltage": 1.0}
_LOADED = "s.supplies_site AND s.quantity IN ('power', 'apparent power') AND s.metric IN ('power', 'apparent_power')"
_BOUGHT = "s.quantity = 'energy' AND s.metric NOT LIKE '%export%'"


def build() -> Dashboard:
    """Build it: figures, outages, loads, voltage quality, energy that is lost, prepaid meters and tampering."""
    head = frame.Frame(
        uid=links.ELECTRICITY,
        title="Electricity",
        question="Who is without supply, how loaded are feeders, is the voltage right, where is energy or credit lost?",
        level="site",
        since="now-7d",
    )
    return (
        head.of_sites(variables.nominal())
        .with_panel(figure(_WITHOUT, "none", [(1, "#c4162a")]))
        .with_panel(figure(_LOAD_NOW, "kwatt", []).decimals(1))
        .with_panel(figure(_SHARE, "percent", [(95, appearance.QUIET)], below="#c4162a").decimals(1))
        .with_panel(figures(_RELIABILITY, "none", name="name", value="value", colours={}).decimals(1))
        .with_panel(figure(_NO_CREDIT, "none", [(1, "#ff9830")]))
        .with_row(section("Outages"))
        .with_panel(rows(_OUTAGES, _OUTAGE_COLUMNS))
        .with_panel(rows(_PLANNED, _PLANNED_COLUMNS))
        .with_row(section("Load"))
        .with_panel(lines(_LOAD, "kwatt", label="device").decimals(1))
        .with_panel(rows(_CAPACITY, _CAPACITY_COLUMNS))
        .with_row(section("Voltage"))
        .with_panel(band(_VOLTAGES, "volt", limits=limits(_VOLTAGE)).decimals(0))
        .with_panel(rows(_QUALITY, _QUALITY_COLUMNS))
        .with_row(section("Energy"))
        .with_panel(bars(_ENERGY, "kwatth", label="site"))
        .with_panel(ranking(_LARGEST, "kwatth", name="device"))
        .with_panel(band(_TOTAL, "kwatt").decimals(1))
        .with_panel(rows(_BALANCE, _BALANCE_COLUMNS))
        .with_row(section("Prepaid meters and tampering"))
        .with_panel(rows(_PREPAID, _PREPAID_COLUMNS))
        .with_panel(bars(_TAMPER, "none", label="kind"))
    )


_WITHOUT = Panel(
    dashboard=_FILE,
    query="without_supply",
    title="Customers without supply",
    description="Customers of the incidents that are open now and concern electricity, as far as the register knows who"
    " depends on what.",
    width=5,
    height=4,
)
_LOAD_NOW = Panel(
    dashboard=_FILE,
    query="load_now",
    title="Load now",
    description="The newest powers of the chosen feeders together, of those that reported within a day.",
    width=4,
    height=4,
)
_SHARE = Panel(
    dashboard=_FILE,
    query="voltage_share",
    title="Hours with good voltage",
    description="Share of the hours and meters of the chosen time whose voltage was within 10 % of the nominal one; EN"
    " 50160 wants 95 % of a week. Hours without supply do not count.",
    width=5,
    height=4,
)
_RELIABILITY = Panel(
    dashboard=_FILE,
    query="reliability",
    title="Reliability of supply",
    description="Minutes without supply and interruptions for each customer with an electricity meter, in the chosen"
    " time, of outages above 5 minutes, planned ones too (IEEE 1366: SAIDI, SAIFI). Only outages whose customers are"
    " known are in it: where the register says little, it is too low.",
    width=6,
    height=4,
)
_NO_CREDIT = Panel(
    dashboard=_FILE,
    query="out_of_credit",
    title="Nearly out of credit",
    description="Prepaid meters whose newest credit is below 5 kWh, about half a day of a household.",
    width=4,
    height=4,
)
_OUTAGES = Panel(
    dashboard=_FILE,
    query="outages",
    title="Outages",
    description="Incidents with customers without supply that overlap the chosen time: open ones first, what caused"
    " them, how long that lasted, and how many customers depend on what failed.",
    width=15,
    height=9,
)
_OUTAGE_COLUMNS = (
    columns.SEVERITY,
    columns.INCIDENT_STATE,
    columns.OPENED,
    Column(name="lasted", title="Lasted", unit="dtdurations", width=120),
    Column(name="cause", title="Cause"),
    columns.SITE,
    Column(name="devices", title="Devices", unit="none", width=80),
    Column(name="customers", title="Customers", unit="none", width=90),
    columns.HIDDEN_SITE,
    columns.HIDDEN_ORGANISATION,
)
_PLANNED = Panel(
    dashboard=_FILE,
    query="planned",
    title="Planned",
    description="Planned work and load shedding of the chosen time and of the week after it, the latest first. Silence"
    " that it explains is told to nobody.",
    width=9,
    height=9,
)
_PLANNED_COLUMNS = (
    Column(name="begins_at", title="From", unit="dateTimeAsIso", width=170),
    Column(name="ends_at", title="To", unit="dateTimeAsIso", width=170),
    Column(name="title", title="What", hidden=True),
    Column(name="kind", title="Kind", width=110),
    Column(name="places", title="Where"),
)
_LOAD = Panel(
    dashboard=datasource.SHARED,
    query="by_device",
    terms={"where": _LOADED, "value": "average", "name": "load", "least": "1800000"},
    title="Load",
    description="Load of feeders and transformers, the first 20 by name: active power, or apparent power (kVA) where"
    " only that is measured.",
    height=9,
)
_CAPACITY = Panel(
    dashboard=_FILE,
    query="capacity",
    title="Load and capacity",
    description="Load now and the peak of the chosen time, each as a share of what the feeder or transformer can carry"
    " (its tag capacity=..., in kW or kVA). Above 80 % the next hot evening is at risk.",
    height=9,
)
_FULL = ((80.0, "#ff9830"), (100.0, "#c4162a"))
_CAPACITY_COLUMNS = (
    columns.DEVICE,
    Column(name="now", title="Now", unit="kwatt", decimals=1, width=95),
    Column(name="peak", title="Peak", unit="kwatt", decimals=1, width=95),
    Column(name="capacity", title="Capacity", unit="kwatt", decimals=0, width=95),
    Column(name="share_now", title="Share now", unit="percent", decimals=0, limits=_FULL, width=95),
    Column(name="share_peak", title="Share at peak", unit="percent", decimals=0, full=120, width=150),
    Column(name="site_name", title="Site", hidden=True),
    columns.HIDDEN_DEVICE,
    columns.HIDDEN_SITE,
    columns.HIDDEN_ORGANISATION,
)
_VOLTAGES = Panel(
    dashboard=_FILE,
    query="voltage",
    title="Voltage",
    description="Average of the chosen meters in a band from the lowest to the highest. Dashed: limits that rules"
    " alarm on. Below 5 % of the nominal voltage there is no supply, which is no voltage.",
    height=9,
)
_QUALITY = Panel(
    dashboard=_FILE,
    query="voltage_quality",
    title="Voltage quality",
    description="Share of hours within the bands of EN 50160 (95 % within 10 % of nominal, all within +10 % and -15"
    " %), by site. The standard means 10-minute averages of a week; meters that report by the hour tell less.",
    height=9,
)
_QUALITY_COLUMNS = (
    columns.SITE,
    Column(name="meters", title="Meters", unit="none", width=65),
    Column(name="lowest", title="Lowest", unit="volt", decimals=0, width=72),
    Column(name="highest", title="Highest", unit="volt", decimals=0, width=72),
    Column(name="within", title="Within 10 %", unit="percent", decimals=1, width=95),
    Column(name="below", title="Below", unit="percent", decimals=1, width=68),
    Column(name="above", title="Above", unit="percent", decimals=1, width=68),
    Column(name="judged", title="EN 50160", words=appearance.QUALITY_COLOURS, width=100),
    columns.HIDDEN_SITE,
    columns.HIDDEN_ORGANISATION,
)
_ENERGY = Panel(
    dashboard=datasource.SHARED,
    query="counted_by_site",
    terms={"where": _BOUGHT},
    title="Energy",
    description="What customers' registers counted, by site. Roll-overs, resets and stray figures are undone, so it is"
    " never negative; what no meter can count is left out.",
    height=9,
)
_LARGEST = Panel(
    dashboard=datasource.SHARED,
    query="counted_most",
    terms={"where": _BOUGHT},
    title="Largest consumers",
    description="Meters by the energy that they counted in the chosen time.",
    height=9,
)
_TOTAL = Panel(
    dashboard=datasource.SHARED,
    query="together",
    terms={
        "where": "s.quantity = 'power' AND NOT s.supplies_site AND {{in_sites s}}",
        "scale": "1",
        "least": "7200000",
        "shown": "k.average, k.minimum, k.maximum",
        "ending": "",
    },
    title="Power of all customers",
    description="Sum over the chosen customers' meters: average in a band of the sums of their smallest and largest"
    " values. A gap: meters that usually take more than a twentieth were silent.",
    height=8,
)
_BALANCE = Panel(
    dashboard=_FILE,
    query="balance",
    title="Energy balance",
    description="What flowed into a feeder minus what the meters behind it counted: losses, theft, and customers"
    " without a meter; what it is worth takes the tariff. Below a transformer 2 to 6 % is usual. Not known: the"
    " feeder, or more than one in 20 of the meters, was heard from later on or until earlier than the others.",
    height=8,
)
_BALANCE_COLUMNS = (
    columns.SITE,
    Column(name="meters", title="Meters", unit="none", width=80),
    Column(name="supplied", title="Flowed in", unit="kwatth", decimals=0, width=105),
    Column(name="metered", title="Metered", unit="kwatth", decimals=0, width=105),
    Column(name="rest", title="Not metered", unit="kwatth", decimals=0, width=105),
    Column(name="share", title="Share", unit="percent", decimals=0, full=100, width=120),
    Column(name="judged", title="Difference", words=appearance.KNOWN_COLOURS, width=95),
    Column(name="worth", title="Worth", width=110),
    columns.HIDDEN_SITE,
    columns.HIDDEN_ORGANISATION,
)
_PREPAID = Panel(
    dashboard=_FILE,
    query="prepaid",
    title="Prepaid credit",
    description="Prepaid meters: credit left, what a day takes (average of the chosen time), and how long it lasts, the"
    " shortest first. A meter that takes nothing may be bypassed, or the house empty.",
    height=9,
)
_PREPAID_COLUMNS = (
    columns.DEVICE,
    columns.SITE,
    Column(name="credit", title="Credit", unit="kwatth", decimals=1, width=100),
    Column(name="daily", title="A day takes", unit="kwatth", decimals=1, width=110),
    Column(name="days_left", title="Lasts (days)", unit="none", decimals=1, full=14, width=140),
    Column(name="observed_at", title="Observed", unit="dateTimeFromNow", width=140),
    columns.HIDDEN_DEVICE,
    columns.HIDDEN_SITE,
    columns.HIDDEN_ORGANISATION,
)
_TAMPER = Panel(
    dashboard=_FILE,
    query="tamper",
    title="What meters told",
    description="Covers opened or tampered with, power failures and purchases of tokens, by kind.",
    height=9,
)
