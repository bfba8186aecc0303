"""Water: does each zone use what flows in, does it run at night, is there pressure and enough in the reservoirs?"""

from grafana_foundation_sdk.builders import timeseries
from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards import appearance, columns, datasource, frame, links, variables
from dashboards.panels import Column, Panel, band_of, bars, figure, gauges, lines, ranking, rows, section
from dashboards.thresholds import limits

_FILE = "water"
# Metrics that rules may set limits on, with the factor from the rule's unit to the panel's.
_FLOW = {"flow_rate": 1.0}
_LEVEL = {"level": 1.0}
_PRESSURE = {"pressure": 1.0}


def build() -> Dashboard:
    """Build it: figures, zone balance and night flow, pressure, reservoirs, customers, alerts."""
    head = frame.Frame(
        uid=links.WATER,
        title="Water",
        question="Does each zone use what flows into it, does it run at night, is there pressure and enough in the"
        " reservoirs?",
        level="site",
        since="now-7d",
    )
    return (
        head.of_sites(variables.night_zone())
        .with_panel(figure(_SUPPLIED, "m3", []).decimals(0).no_value("not known"))
        .with_panel(figure(_LOSS, "percent", [(10, "#ff9830"), (25, "#c4162a")]).decimals(1).no_value("not known"))
        .with_panel(figure(_FILL, "percent", [(35, appearance.QUIET)], below="#c4162a").decimals(0))
        .with_panel(figure(_LOWEST, "pressurebar", [(1.5, appearance.QUIET)], below="#c4162a").decimals(2))
        .with_row(section("Zones"))
        .with_panel(rows(_BALANCE, _BALANCE_COLUMNS))
        .with_panel(lines(_NIGHT_FLOW, "suffix: m³/h", label="zone").decimals(1))
        .with_panel(lines(_INFLOW, "suffix: m³/h", label="zone").decimals(1))
        .with_row(section("Pressure"))
        .with_panel(_pressure())
        .with_panel(rows(_POINTS, _POINT_COLUMNS))
        .with_row(section("Reservoirs"))
        .with_panel(
            gauges(
                _LEVELS_NOW,
                "percent",
                name="device",
                value="fill",
                full=100,
                limits=((16, "#ff9830"), (40, "#3274d9"), (96, "#ff9830")),
                below="#c4162a",
            )
        )
        .with_panel(lines(_LEVELS, "lengthm", label="device", limits=limits(_LEVEL)).decimals(2))
        .with_panel(lines(_WORKS, "suffix: m³/h", label="device").decimals(0))
        .with_row(section("Customers"))
        .with_panel(bars(_CONSUMPTION, "m3", label="site"))
        .with_panel(ranking(_LARGEST, "m3", name="device"))
        .with_panel(rows(_FLOW_NOW, _FLOW_COLUMNS))
        .with_panel(rows(_ALERTS, (*columns.ALERTS, columns.HIDDEN_ORGANISATION)))
    )


_SUPPLIED = Panel(
    dashboard=_FILE,
    query="supplied",
    title="Into the zones",
    description="What flowed through the inlets of the chosen zones in the chosen time. Not known: more than one in 20"
    " of them was silent at its end. What was silent in between is counted when it is heard again.",
    width=6,
    height=4,
)
_LOSS = Panel(
    dashboard=_FILE,
    query="loss",
    title="Lost in fully metered zones",
    description="What flowed in and no customer's meter counted, as a share: only of zones whose customers all have"
    " a meter, because elsewhere it is use that nobody measures, and whose inlets and meters were heard. Leaks, theft"
    " and meters that count too little.",
    width=6,
    height=4,
)
_FILL = Panel(
    dashboard=datasource.SHARED,
    query="fill",
    terms={"chosen": "{{in_sites s}}", "most": "1"},
    title="Emptiest reservoir",
    description="Level of the emptiest reservoir in percent of the highest level that its profile allows, of those that"
    " reported within a day.",
    width=6,
    height=4,
)
_LOWEST = Panel(
    dashboard=_FILE,
    query="lowest_pressure",
    title="Lowest pressure now",
    description="The lowest of the newest pressures of all points that reported within a day; rules alarm below 1.5"
    " bar.",
    width=6,
    height=4,
)
_BALANCE = Panel(
    dashboard=_FILE,
    query="balance",
    title="Zone balance",
    description="Inlets minus the meters of customers. It is called a loss only where every customer has a meter"
    " (customers of the site, and of its meters, as the register says); what it is worth takes the tariff. More"
    " than a tenth is marked. Not known: an inlet, or more than one in 20 of the meters, was heard from later on or"
    " until earlier than the others. What is gone for good is retired in the register.",
    width=24,
    height=8,
)
_BALANCE_COLUMNS = (
    columns.SITE,
    Column(name="supplied", title="Flowed in", unit="m3", decimals=0, width=110),
    Column(name="metered", title="Metered", unit="m3", decimals=0, width=110),
    Column(name="rest", title="Not metered", unit="m3", decimals=0, width=110),
    Column(name="share", title="Share", unit="percent", decimals=0, full=100, width=160),
    Column(name="customers", title="Customers metered", width=150),
    Column(name="judged", title="What it is", words=appearance.SUPPLY_COLOURS, width=130),
    Column(name="worth", title="Worth", width=120),
    columns.HIDDEN_SITE,
    columns.HIDDEN_ORGANISATION,
)
_NIGHT = "z.bucket AT TIME ZONE ${night_zone:sqlstring}"
_NIGHT_FLOW = Panel(
    dashboard=_FILE,
    query="zone_flow",
    terms={
        "width": "3600000",
        "time": f"greatest(date_trunc('day', {_NIGHT}) AT TIME ZONE ${{night_zone:sqlstring}}, $__timeFrom())",
        "when": f"extract(hour FROM {_NIGHT}) BETWEEN 1 AND 4",
    },
    title="Minimum night flow, five weeks",
    description="The smallest hourly inflow between 01:00 and 05:00 of each night, by zone: what runs then mostly"
    " leaks. A rise that stays is a new leak; choose the time zone of the night above. Hours count in which every inlet"
    " was heard; one that was not heard in all the five weeks is not waited for.",
    height=9,
    since="35d",
)
_INFLOW = Panel(
    dashboard=_FILE,
    query="zone_flow",
    terms={
        # As its inlets report, but an hour at most, else one that reports each day would hide the others' course.
        "width": "greatest($__interval_ms, 900000, least(3600000,"
        " (SELECT 1000 * max(extract(epoch FROM w.expected_interval)) FROM wanted w))::bigint)",
        "time": "z.bucket",
        "when": "true",
    },
    title="Inflow",
    description="What flows into each zone, the first 20 by name. A step up that stays through the night is a burst. A"
    " gap: an inlet was silent. One that was not heard in all the chosen time is not waited for: its flow is missing.",
    height=9,
)
_PRESSURE_PANEL = Panel(
    dashboard=_FILE,
    query="pressure",
    title="Pressure",
    description="Over all points of the chosen zones: the middle one in a band from the lowest twentieth to the highest"
    " one. Dashed: limits that rules alarm on.",
    height=9,
)
_POINTS = Panel(
    dashboard=_FILE,
    query="pressure_points",
    title="Pressure by point",
    description="Each point over the chosen time, the weakest first: lowest value, the value that one in twenty is"
    " below, the middle, the highest.",
    height=9,
)
_POINT_COLUMNS = (
    columns.DEVICE,
    columns.SITE,
    Column(name="lowest", title="Lowest", unit="pressurebar", decimals=2, width=100),
    Column(name="p05", title="5 %", unit="pressurebar", decimals=2, width=100),
    Column(name="median", title="Median", unit="pressurebar", decimals=2, width=100),
    Column(name="highest", title="Highest", unit="pressurebar", decimals=2, width=100),
    columns.HIDDEN_DEVICE,
    columns.HIDDEN_SITE,
    columns.HIDDEN_ORGANISATION,
)
_LEVELS_NOW = Panel(
    dashboard=datasource.SHARED,
    query="fill",
    terms={"chosen": "{{in_sites s}}", "most": "20"},
    title="How full",
    description="Newest level of each reservoir that reported within a day, in percent of the highest level that its"
    " profile allows, the emptiest first.",
    width=6,
    height=9,
)
_LEVELS = Panel(
    dashboard=datasource.SHARED,
    query="by_device",
    terms={
        "where": "s.quantity = 'length' AND s.metric LIKE '%level%'",
        "value": "average",
        "name": "level",
        "least": "1",
    },
    title="Levels",
    description="Levels of reservoirs and wells. Dashed: limits that rules alarm on.",
    width=9,
    height=9,
)
_WORKS = Panel(
    dashboard=datasource.SHARED,
    query="by_device",
    terms={
        "where": "s.quantity = 'flow' AND s.device_kind = 'sensor'",
        "value": "average / 1000",
        "name": "flow",
        "least": "1800000",
    },
    title="Into and out of reservoirs",
    description="What flows into and out of reservoirs and pumps. More out than in over a day empties them.",
    width=9,
    height=9,
)
_CONSUMPTION = Panel(
    dashboard=datasource.SHARED,
    query="counted_by_site",
    terms={"where": "s.quantity = 'volume'"},
    title="Use",
    description="What customers' registers counted, by site: hours, or days in long ranges. Roll-overs, resets and"
    " stray figures are undone, so it is never negative; what no meter can count is left out.",
    height=9,
)
_LARGEST = Panel(
    dashboard=datasource.SHARED,
    query="counted_most",
    terms={"where": "s.quantity = 'volume'"},
    title="Largest users",
    description="Meters by what they counted in the chosen time.",
    height=9,
)
_FLOW_NOW = Panel(
    dashboard=_FILE,
    query="flow_now",
    title="Flow now",
    description="The newest flow of each customer's meter that reported within a day, largest first. Coloured above the"
    " limits that rules alarm on.",
    height=9,
)
# Backwards, below the lowest limit, is as bad as the rule says; beyond the others, so is too much.
_FLOW_LIMITS = tuple(
    (limit.value, "text" if limit.value < 0 else appearance.SEVERITY_COLOURS[limit.severity]) for limit in limits(_FLOW)
)
_FLOW_COLUMNS = (
    columns.DEVICE,
    columns.SITE,
    Column(
        name="flow",
        title="Flow",
        unit="litreh",
        decimals=0,
        limits=_FLOW_LIMITS,
        below=appearance.SEVERITY_COLOURS["major"],
        width=120,
    ),
    Column(name="observed_at", title="Observed", unit="dateTimeFromNow", width=150),
    columns.HIDDEN_DEVICE,
    columns.HIDDEN_SITE,
    columns.HIDDEN_ORGANISATION,
)
_ALERTS = Panel(
    dashboard=_FILE,
    query="alerts",
    title="Alerts",
    description="Alerts of what measures water that overlap the chosen time: those that hold first, worst first.",
    height=9,
)


def _pressure() -> timeseries.Panel:
    drawn = band_of(
        _PRESSURE_PANEL, "pressurebar", low="lowest_5_percent", high="highest_5_percent", limits=limits(_PRESSURE)
    )
    return drawn.decimals(2)
