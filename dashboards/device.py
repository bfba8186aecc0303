"""Device: what did this device say, when, and what was made of it?"""

from grafana_foundation_sdk.builders import timeseries
from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards import appearance, columns, frame, links, variables
from dashboards.panels import Column, Panel, band, columns_of, log, rows

_FILE = "device"


def build() -> Dashboard:
    """Build it: what it is, its newest values, one graph for each metric, then delay, alerts and events."""
    head = frame.Frame(
        uid=links.DEVICE,
        title="Device",
        question="What did this device say, when, and what was made of it?",
        level="device",
    )
    return (
        head.build()
        .with_variable(variables.organisation())
        .with_variable(variables.site())
        .with_variable(variables.device())
        .with_variable(variables.metric())
        .annotation(frame.alerts("alerts_of_device"))
        .with_panel(rows(_IDENTITY, _IDENTITY_COLUMNS))
        .with_panel(rows(_LATEST, _LATEST_COLUMNS))
        .with_panel(_metrics())
        .with_panel(columns_of(_DELAY, "s"))
        .with_panel(rows(_ALERTS, _ALERT_COLUMNS))
        .with_panel(log(_EVENTS))
    )


def _metrics() -> timeseries.Panel:
    panel = Panel(
        dashboard=_FILE,
        query="band",
        title="$metric",
        description="Average in a band from smallest to largest value, in the unit of the table above. Long ranges are"
        " drawn from hourly and daily rollups.",
        width=24,
    )
    return band(panel, "none").repeat("metric").repeat_direction("h").max_per_row(2)


_IDENTITY = Panel(
    dashboard=_FILE,
    query="identity",
    title="This device",
    description="What the register says of it, and when it was last heard.",
    width=24,
    height=4,
)
_IDENTITY_COLUMNS = (
    Column(name="name", title="Device"),
    Column(name="external_id", title="Identifier"),
    Column(name="organisation", title="Organisation"),
    Column(name="site_name", title="Site"),
    Column(name="profile", title="Profile"),
    Column(name="status", title="Register"),
    columns.DEVICE_STATE,
    columns.LAST_CONTACT,
)
_LATEST = Panel(
    dashboard=_FILE,
    query="latest",
    title="Newest values",
    description="The newest value of each metric, when it was observed and when it arrived.",
    width=24,
    height=6,
)
_LATEST_COLUMNS = (
    Column(name="metric", title="Metric"),
    Column(name="value", title="Value", unit="none"),
    columns.UNIT,
    Column(name="observed_at", title="Observed", unit="dateTimeAsIso"),
    Column(name="received_at", title="Arrived", unit="dateTimeAsIso"),
)
_DELAY = Panel(
    dashboard=_FILE,
    query="delay",
    title="Delay",
    description="Seconds from the newest observation of a contact to its arrival: how old news from here is.",
    height=9,
)
_ALERTS = Panel(
    dashboard=_FILE,
    query="alerts",
    title="Alerts",
    description="Its alerts that overlap the chosen time, newest first, also those taken back.",
    height=9,
)
_ALERT_COLUMNS = (
    columns.SEVERITY,
    Column(name="state", title="State", words=appearance.ALERT_STATE_COLOURS, width=90),
    columns.OPENED,
    columns.RESOLVED,
    columns.RULE,
    columns.SUMMARY,
)
_EVENTS = Panel(
    dashboard=_FILE,
    query="events",
    title="Events",
    description="Discrete things that the device reported, newest first.",
    width=24,
)
