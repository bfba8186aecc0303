"""Device health: which devices need a visit, and why: silence, gaps, batteries, signal, clocks, messages refused?"""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards import appearance, columns, datasource, frame, links
from dashboards.panels import Column, Panel, columns_of, figure, figures, lines, rows, section
from dashboards.thresholds import limits

_FILE = "device_health"
_BATTERY = {"battery": 1.0}


def build() -> Dashboard:
    """Build it: counts, every device with what is wrong with it, gateways, then arrival, delay, charge, quarantine."""
    head = frame.Frame(
        uid=links.DEVICE_HEALTH,
        title="Device health",
        question="Which devices need a visit, and why: silence, gaps, batteries, signal, clocks, messages refused?",
        level="overview",
        since="now-7d",
    )
    return (
        head.of_sites()
        .with_panel(figures(_STATES, "none", name="state", value="devices", colours=appearance.DEVICE_STATE_COLOURS))
        .with_panel(figure(_LOW, "none", [(1, "#ff9830"), (10, "#c4162a")]))
        .with_panel(figure(_CLOCKS, "none", [(1, "#ff9830"), (10, "#c4162a")]))
        .with_panel(figure(_REFUSED, "none", [(1, "#ff9830")]))
        .with_panel(rows(_DEVICES, _DEVICE_COLUMNS))
        .with_row(section("What they have in common"))
        .with_panel(rows(_GATEWAYS, _GATEWAY_COLUMNS))
        .with_panel(columns_of(_HEARD, "none").min(0))
        .with_panel(lines(_CHARGE, "percent", label="device", limits=limits(_BATTERY)).decimals(0))
        .with_panel(columns_of(_DELAY, "s"))
        .with_panel(rows(_QUARANTINE, _QUARANTINE_COLUMNS))
    )


_STATES = Panel(
    dashboard=datasource.SHARED,
    query="states",
    terms={"chosen": "{{in_sites d}}"},
    title="Devices",
    description="Devices by state. Silent: three of their expected intervals without a word (a day where none is"
    " expected). Offline: the broker published their last will.",
    width=12,
    height=4,
)
_LOW = Panel(
    dashboard=_FILE,
    query="low_batteries",
    title="Low batteries",
    description="Devices whose newest charge is below 20 %, or whose lithium cell is below 3.2 V.",
    width=4,
    height=4,
)
_CLOCKS = Panel(
    dashboard=_FILE,
    query="wrong_clocks",
    title="Wrong clocks",
    description="Devices whose newest observation on arrival is mostly more than a minute in the future or more than"
    " a day old, in the last day of the chosen time. Those that store and forward for days look the same.",
    width=4,
    height=4,
)
_REFUSED = Panel(
    dashboard=_FILE,
    query="refused",
    title="Messages refused",
    description="Messages of these devices that could not be stored and lie in quarantine, in the chosen time.",
    width=4,
    height=4,
)
_DEVICES = Panel(
    dashboard=_FILE,
    query="devices",
    title="Devices that need somebody",
    description="Every device, the worst first: its state, which share of the expected messages arrived in the"
    " chosen time, its longest gap, how old its newest observation mostly is on arrival (below zero: its clock is"
    " ahead), charge, signal, and messages refused. Of more than 2,000 devices those that report, without alert and"
    " refusal, are looked at no further.",
    width=24,
    height=14,
)
_DEVICE_COLUMNS = (
    columns.NAME,
    columns.SITE,
    Column(name="state", title="State", words=appearance.DEVICE_STATE_COLOURS, width=90),
    Column(name="last_contact_at", title="Last heard", unit="dateTimeFromNow", width=115),
    Column(name="arrived", title="Arrived", unit="percent", decimals=0, full=100, width=150),
    Column(name="longest_gap", title="Longest gap", unit="dtdurations", width=110),
    Column(name="delay", title="Age on arrival", unit="dtdurations", width=110),
    Column(name="battery", title="Charge", unit="percent", decimals=0, width=75),
    Column(name="battery_volts", title="Cell", unit="volt", decimals=2, width=75),
    Column(name="signal", title="Signal", unit="dBm", decimals=0, width=80),
    Column(name="refused", title="Refused", unit="none", width=80, limits=((1, "#c4162a"),)),
    columns.FIRING,
    Column(name="gateway", title="Gateway", hidden=True),
    Column(name="profile", title="Profile", hidden=True),
    columns.HIDDEN_DEVICE,
    columns.HIDDEN_SITE,
    columns.HIDDEN_ORGANISATION,
)
_GATEWAYS = Panel(
    dashboard=_FILE,
    query="gateways",
    title="Gateways",
    description="Each gateway, and how many of the devices that are heard through it are silent: many at once are the"
    " gateway's fault.",
)
_GATEWAY_COLUMNS = (
    columns.NAME,
    columns.DEVICE_STATE,
    columns.LAST_CONTACT,
    Column(name="behind", title="Devices", unit="none", width=85),
    Column(name="silent_behind", title="Silent", unit="none", width=80, limits=((1, "#c4162a"),)),
    Column(name="site_name", title="Site", hidden=True),
    columns.HIDDEN_DEVICE,
    columns.HIDDEN_SITE,
    columns.HIDDEN_ORGANISATION,
)
_HEARD = Panel(
    dashboard=_FILE,
    query="reporting",
    title="Devices heard",
    description="How many of the chosen devices were heard in each stretch of three hours or more, of large fleets"
    " told by every n-th of them, of busy ones in some stretches of time. The first and the last stretch are parts.",
)
_CHARGE = Panel(
    dashboard=_FILE,
    query="battery",
    title="Charge",
    description="Charge of the ten devices that have least now. Dashed: limits that rules alarm on.",
)
_DELAY = Panel(
    dashboard=_FILE,
    query="delay",
    title="Age on arrival",
    description="From the newest observation of a contact to its arrival: of half of them, and of 95 in 100.",
)
_QUARANTINE = Panel(
    dashboard=_FILE,
    query="quarantine",
    title="Quarantine by device",
    description="Devices whose messages could not be stored, and why; the console shows the bytes and can replay them.",
    width=24,
    height=7,
)
_QUARANTINE_COLUMNS = (
    columns.NAME,
    columns.SITE,
    Column(name="reason", title="Reason"),
    Column(name="messages", title="Messages", unit="none", width=110),
    Column(name="open", title="Still open", unit="none", width=110),
    Column(name="last_at", title="Last", unit="dateTimeFromNow", width=140),
    columns.HIDDEN_DEVICE,
    columns.HIDDEN_SITE,
    columns.HIDDEN_ORGANISATION,
)
