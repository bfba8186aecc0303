"""Fleet overview: is everything reporting, and what needs somebody now?"""

from grafana_foundation_sdk.builders import geomap, stat
from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards import appearance, columns, datasource, frame, links, variables
from dashboards.maps import Layer, world
from dashboards.panels import Column, Panel, figure, figures, lines, rows

_FILE = "fleet_overview"


def build() -> Dashboard:
    """Build it: figures first, then the map beside what is firing, then sites, silence and traffic."""
    head = frame.Frame(
        uid=links.OVERVIEW,
        title="Fleet overview",
        question="Is everything reporting, and what needs somebody now?",
        level="overview",
    )
    return (
        head.build()
        .with_variable(variables.organisation())
        .annotation(frame.alerts())
        .with_panel(_reporting())
        .with_panel(_states())
        .with_panel(_firing())
        .with_panel(_map())
        .with_panel(rows(_ALERTS, _ALERT_COLUMNS))
        .with_panel(rows(_SITES, _SITE_COLUMNS))
        .with_panel(rows(_SILENT, _SILENT_COLUMNS))
        .with_panel(lines(_MESSAGES, "none", label="organisation").decimals(1).min(0))
    )


def _reporting() -> stat.Panel:
    panel = Panel(
        dashboard=datasource.SHARED,
        query="reporting",
        title="Reporting",
        description="Share of devices heard from within three of their expected intervals (a day where none is"
        " expected).",
        width=6,
        height=5,
    )
    return figure(panel, "percent", [(90, "#ff9830"), (98, "#3274d9")], below="#c4162a").decimals(1).min(0).max(100)


def _states() -> stat.Panel:
    panel = Panel(
        dashboard=datasource.SHARED,
        query="states",
        terms={"chosen": "{{in_organisations d}}"},
        title="Devices",
        description="Devices by state. Offline: the broker published their last will.",
        width=9,
        height=5,
    )
    return figures(panel, "none", name="state", value="devices", colours=appearance.DEVICE_STATE_COLOURS)


def _firing() -> stat.Panel:
    panel = Panel(
        dashboard=datasource.SHARED,
        query="firing",
        terms={"severities": "'critical', 'major', 'minor', 'info'"},
        title="Firing alerts",
        description="Alerts whose condition holds now, by severity, acknowledged or not.",
        width=9,
        height=5,
    )
    return figures(panel, "none", name="severity", value="alerts", colours=appearance.SEVERITY_COLOURS)


def _map() -> geomap.Panel:
    panel = Panel(
        dashboard=_FILE,
        query="map",
        title="Map",
        description="Where each device is installed, or where a tracker was last; coloured by its state.",
        height=12,
    )
    layer = Layer(query="map", name="Devices", ref_id="A", colour_field="state", size=6)
    return world(panel, (layer,), appearance.DEVICE_STATE_COLOURS)


_ALERTS = Panel(
    dashboard=_FILE,
    query="alerts",
    title="Needs somebody now",
    description="Firing alerts, worst first. The device opens its own dashboard.",
    height=12,
)
_ALERT_COLUMNS = (
    columns.SEVERITY,
    Column(name="fired_at", title="Since", unit="dateTimeFromNow", width=105),
    columns.RULE,
    columns.DEVICE,
    Column(name="site_name", title="Site", hidden=True),
    Column(name="summary", title="What is the matter", hidden=True),
    Column(name="acknowledged_by", title="Taken up by", width=95),
    columns.HIDDEN_DEVICE,
    columns.HIDDEN_SITE,
    columns.HIDDEN_ORGANISATION,
)
_SITES = Panel(
    dashboard=_FILE,
    query="sites",
    title="Sites",
    description="Each site with its devices and firing alerts, worst first. The site opens its own dashboard.",
    height=9,
)
_SITE_COLUMNS = (
    columns.SITE,
    Column(name="organisation", title="Organisation"),
    Column(name="devices", title="Devices", unit="none", width=90),
    Column(name="reporting", title="Reporting", unit="percent", width=110),
    columns.FIRING,
    columns.HIDDEN_SITE,
)
_SILENT = Panel(
    dashboard=_FILE,
    query="silent",
    title="Not heard from",
    description="Devices that should have been heard, longest silence first.",
    height=9,
)
_SILENT_COLUMNS = (
    columns.NAME,
    columns.SITE,
    columns.DEVICE_STATE,
    columns.LAST_CONTACT,
    columns.HIDDEN_DEVICE,
    columns.HIDDEN_SITE,
    columns.HIDDEN_ORGANISATION,
)
_MESSAGES = Panel(
    dashboard=_FILE,
    query="messages",
    title="Messages a minute",
    description="Messages that arrived from devices, by organisation. A hole is silence of all of them: look at the"
    " pipeline. Of large fleets every n-th device is counted, of busy ones in some stretches of time, so it is about.",
    width=24,
    height=7,
)
