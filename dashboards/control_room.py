"""Control room: what must somebody do now? One screen of 1920 by 1080 for a wall, without scrolling.

In kiosk mode Grafana gives a 1080 pixel screen 27 rows of 30 pixels and their gaps; what is here takes 26.
"""

from grafana_foundation_sdk.builders import bargauge, geomap, stat
from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards import appearance, columns, datasource, frame, links, variables
from dashboards.maps import Layer, world
from dashboards.panels import Column, Panel, figure, figures, gauges, lines, rows, trend

_FILE = "control_room"


def build() -> Dashboard:
    """Build it: figures above, the map beside what is open, the course of a day below."""
    head = frame.Frame(
        uid=links.CONTROL_ROOM,
        title="Control room",
        question="What must somebody do now?",
        level="overview",
    )
    return (
        head.build()
        .with_variable(variables.organisation())
        .annotation(frame.alerts())
        .with_panel(
            figures(_INCIDENTS, "none", name="severity", value="incidents", colours=appearance.SEVERITY_COLOURS)
        )
        .with_panel(figure(_UNANSWERED, "none", [(1, "#c4162a")]))
        .with_panel(figure(_CUSTOMERS, "none", [(1, "#ff9830"), (100, "#c4162a")]))
        .with_panel(_reporting())
        .with_panel(_map())
        .with_panel(rows(_OPEN, _OPEN_COLUMNS))
        .with_panel(trend(_WATER, "suffix: m³/h").decimals(0))
        .with_panel(trend(_POWER, "kwatt").decimals(0))
        .with_panel(_reservoirs())
        .with_panel(lines(_HELD, "none", label="severity", colours=appearance.SEVERITY_COLOURS).decimals(0))
    )


_INCIDENTS = Panel(
    dashboard=_FILE,
    query="incidents",
    title="Open incidents",
    description="What the alerts that hold come down to, by severity: alerts of one cause are one incident.",
    width=10,
    height=5,
)
_UNANSWERED = Panel(
    dashboard=_FILE,
    query="unanswered",
    title="Nobody has taken up",
    description="Critical and major alerts that hold, that nothing else explains, and that nobody has acknowledged.",
    width=5,
    height=5,
)
_CUSTOMERS = Panel(
    dashboard=_FILE,
    query="customers",
    title="Customers concerned",
    description="Customers whom the open incidents concern, as far as the register knows; one may be counted for two.",
    width=5,
    height=5,
)
_OPEN = Panel(
    dashboard=_FILE,
    query="open",
    title="What is open",
    description="Open incidents, the worst first, with what caused them, and who has taken them up.",
    width=13,
    height=15,
)
_OPEN_COLUMNS = (
    columns.SEVERITY,
    Column(name="opened_at", title="Since", unit="dateTimeFromNow", width=105),
    Column(name="cause", title="What is the matter"),
    Column(name="place", title="Where", link=links.to_device()),
    Column(name="customers", title="Customers", unit="none", width=80),
    Column(name="alerts", title="Alerts", unit="none", width=55),
    Column(name="acknowledged_by", title="Taken up by", width=90),
    columns.HIDDEN_DEVICE,
    columns.HIDDEN_SITE,
    columns.HIDDEN_ORGANISATION,
)
# The newest sum is what flows now, for two hours: half an hour that has just begun is not whole yet.
_NOW = """WHERE w.bucket <= (SELECT max(bucket) FROM whole WHERE known)
UNION ALL
SELECT $__timeTo()::timestamptz, NULL
WHERE (SELECT max(bucket) FROM whole WHERE known)
    < $__timeTo()::timestamptz - greatest(interval '2 hours', 2 * $__interval_ms * interval '1 millisecond')"""
_WATER = Panel(
    dashboard=datasource.SHARED,
    query="together",
    # Flows are in L/h in all panels but this one, which is read from across a room.
    terms={
        "where": "s.supplies_site AND s.quantity = 'flow' AND s.device_kind = 'meter' AND {{in_organisations s}}",
        "scale": "0.001",
        "least": "1800000",
        "shown": "k.average AS flow",
        "ending": _NOW,
    },
    title="Into the zones",
    description="What flows through all inlets together, now and over the chosen time. Times are left out in which"
    " those were silent that usually have more than a twentieth; after two hours of that there is no figure. What was"
    " not heard in all that time is not in it.",
    width=5,
    height=6,
)
_POWER = Panel(
    dashboard=datasource.SHARED,
    query="together",
    terms={
        "where": "s.supplies_site AND s.quantity = 'power' AND s.metric = 'power' AND {{in_organisations s}}",
        "scale": "1",
        "least": "1800000",
        "shown": "k.average AS power",
        "ending": _NOW,
    },
    title="Load",
    description="What flows through all feeders together, now and over the chosen time. Times are left out in which"
    " those were silent that usually have more than a twentieth; after two hours of that there is no figure. What was"
    " not heard in all that time is not in it.",
    width=5,
    height=6,
)
_HELD = Panel(
    dashboard=datasource.SHARED,
    query="held",
    terms={"severities": "'critical', 'major', 'minor', 'info'", "least": "900000"},
    title="How many alerts held at once",
    description="Alerts that held at each time, by severity. A level that only rises is a backlog.",
    width=9,
    height=6,
)


def _reporting() -> stat.Panel:
    panel = Panel(
        dashboard=datasource.SHARED,
        query="reporting",
        title="Devices reporting",
        description="Share of devices heard from within three of their expected intervals (a day where none is"
        " expected).",
        width=4,
        height=5,
    )
    return figure(panel, "percent", [(90, "#ff9830"), (98, "#3274d9")], below="#c4162a").decimals(1).min(0).max(100)


def _map() -> geomap.Panel:
    panel = Panel(
        dashboard=_FILE,
        query="map",
        title="Map",
        description="Large dots: open incidents by severity. Small dots: devices that stay where they are, by state."
        " Dotted: zones, fences and rivers, as the register draws them.",
        width=11,
        height=15,
    )
    layers = (
        Layer(query="outlines", name="Places", ref_id="C", colour_field=None, size=1, colour="#8a8f98"),
        Layer(query="devices", name="Devices", ref_id="B", colour_field="state", size=3),
        Layer(query="map", name="Incidents", ref_id="A", colour_field="severity", size=11),
    )
    return world(panel, layers, {**appearance.SEVERITY_COLOURS, **appearance.DEVICE_STATE_COLOURS})


def _reservoirs() -> bargauge.Panel:
    panel = Panel(
        dashboard=datasource.SHARED,
        query="fill",
        terms={"chosen": "{{in_organisations s}}", "most": "5"},
        title="Reservoirs",
        description="Newest level of the five emptiest reservoirs in percent of the highest that their profile allows,"
        " of those that reported within a day.",
        width=5,
        height=6,
    )
    limits = ((16, "#ff9830"), (40, "#3274d9"), (96, "#ff9830"))
    return gauges(panel, "percent", name="device", value="fill", full=100, limits=limits, below="#c4162a")
