"""Wildlife: where are the animals, do they move and rest, does the fence hold, how old is what we know?"""

from grafana_foundation_sdk.builders import geomap
from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards import appearance, columns, frame, links, variables
from dashboards.maps import Layer, world
from dashboards.panels import Column, Panel, bars, columns_of, lines, rows, section, timeline
from dashboards.thresholds import limits

_FILE = "wildlife"
_FENCE = {"fence_voltage": 1.0}
_BATTERY = {"battery": 1.0}


def build() -> Dashboard:
    """Build it: the map with tracks and fences, alerts, animals, movement, fences and cameras, batteries, delay."""
    head = frame.Frame(
        uid=links.WILDLIFE,
        title="Wildlife",
        question="Where are the animals, do they move and rest as they should, does the fence hold, how old is what we"
        " know?",
        level="site",
        since="now-7d",
    )
    return (
        head.build()
        .with_variable(variables.organisation())
        .with_variable(variables.tracker())
        .annotation(frame.alerts())
        .with_panel(_map())
        .with_panel(rows(_ALERTS, _ALERT_COLUMNS))
        .with_row(section("Animals"))
        .with_panel(rows(_ANIMALS, _ANIMAL_COLUMNS))
        .with_panel(timeline(_MOVEMENT, label="animal", states=appearance.MOVEMENT_COLOURS))
        .with_panel(bars(_DISTANCE, "lengthkm", label="animal"))
        .with_panel(bars(_SEEN, "none", label="species"))
        .with_row(section("Fences and trackers"))
        .with_panel(lines(_FENCES, "suffix: kV", label="energiser", limits=limits(_FENCE)).decimals(1))
        .with_panel(lines(_BATTERIES, "percent", label="animal", limits=limits(_BATTERY)).decimals(0))
        .with_panel(columns_of(_DELAY, "s"))
    )


def _map() -> geomap.Panel:
    panel = Panel(
        dashboard=_FILE,
        query="last",
        title="Map",
        description="Lines: the ways of the first eight animals chosen. Dots: where each was last, coloured by the"
        " state of its tracker. Large dots: where an alert holds, coloured by severity. Dotted: fences, borders and"
        " rivers, as the register draws them.",
        width=14,
        height=18,
    )
    ways = tuple(
        Layer(query="track", name=f"Way {place + 1}", ref_id=chr(ord("D") + place), colour_field=None, size=2,
              colour=colour, route=True, nth=place)
        for place, colour in enumerate(appearance.SERIES_COLOURS)
    )  # fmt: skip  # one argument a line is long to read past
    layers = (
        Layer(query="outlines", name="Fences and borders", ref_id="C", colour_field=None, size=2, colour="#8a8f98"),
        *ways,
        Layer(query="alerted", name="Alerts", ref_id="B", colour_field="severity", size=12),
        Layer(query="last", name="Last fix", ref_id="A", colour_field="state", size=6),
    )
    return world(panel, layers, {**appearance.DEVICE_STATE_COLOURS, **appearance.SEVERITY_COLOURS})


_ALERTS = Panel(
    dashboard=_FILE,
    query="alerts",
    title="Alerts",
    description="Alerts of the chosen animals' organisation that overlap the chosen time: those that hold first.",
    width=10,
    height=18,
)
_ALERT_COLUMNS = (
    columns.SEVERITY,
    columns.ALERT_STATE,
    Column(name="opened_at", title="Began", unit="dateTimeFromNow", width=105),
    columns.DEVICE,
    Column(name="rule_title", title="Rule"),
    Column(name="summary", title="What is the matter", hidden=True),
    Column(name="resolved_at", title="Ended", hidden=True),
    columns.HIDDEN_DEVICE,
    columns.HIDDEN_ORGANISATION,
)
_ANIMALS = Panel(
    dashboard=_FILE,
    query="animals",
    title="Animals",
    description="Each animal: its last fix, and of the last day of the chosen time its fixes, the way between them,"
    " and the share of time at less than 100 m an hour. Those with alerts first, then the longest without a fix.",
    width=24,
    height=12,
)
_ANIMAL_COLUMNS = (
    columns.NAME,
    Column(name="species", title="Species"),
    columns.DEVICE_STATE,
    Column(name="last_fix", title="Last fix", unit="dateTimeFromNow", width=140),
    Column(name="fixes", title="Fixes", unit="none", width=70),
    Column(name="walked", title="Way of a day", unit="lengthkm", decimals=1, width=120),
    Column(name="rested", title="Rested", unit="percent", decimals=0, full=100, width=150),
    Column(name="battery", title="Battery", unit="percent", decimals=0, full=100, width=150),
    columns.FIRING,
    columns.HIDDEN_DEVICE,
    columns.HIDDEN_SITE,
    columns.HIDDEN_ORGANISATION,
)
_MOVEMENT = Panel(
    dashboard=_FILE,
    query="movement",
    title="Rest and movement",
    description="What each animal did, in stretches of two hours or more, the first 24 by name. Resting: the middle"
    " one of its speeds is below 100 m an hour. Running: faster than 1.5 m/s at some time. Grey: no fix.",
    width=24,
    height=14,
)
_DISTANCE = Panel(
    dashboard=_FILE,
    query="distance",
    title="Way of each day",
    description="Kilometres between the fixes of each day (UTC), the first 12 animals by name: what it walked at"
    " least. The first and the last day are parts.",
    height=10,
)
_SEEN = Panel(
    dashboard=_FILE,
    query="seen",
    title="Seen by camera traps",
    description="Animals that camera traps told of, by species and day: the same animal twice counts twice.",
    height=10,
)
_FENCES = Panel(
    dashboard=_FILE,
    query="fence",
    title="Fence voltage",
    description="The lowest voltage of each bucket by energiser: a broken or overgrown wire leads it to earth."
    " Dashed: limits that rules alarm on.",
    width=10,
    height=10,
)
_BATTERIES = Panel(
    dashboard=_FILE,
    query="battery",
    title="Charge of trackers",
    description="Charge of the eight trackers that have least now. Dashed: limits that rules alarm on.",
    width=8,
    height=10,
)
_DELAY = Panel(
    dashboard=_FILE,
    query="delay",
    title="Age of fixes on arrival",
    description="From fix to arrival, median and longest: a fix that was hours old on arrival is history, not news.",
    width=6,
    height=10,
)
