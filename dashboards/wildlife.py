"""Wildlife: where are the animals, do they move, and how old is what we know?"""

from grafana_foundation_sdk.builders import geomap
from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards import appearance, columns, frame, links, variables
from dashboards.maps import Layer, world
from dashboards.panels import Column, Panel, columns_of, rows

_FILE = "wildlife"


def build() -> Dashboard:
    """Build it: the map with tracks, the animals, how far they walked, the age of fixes, alerts."""
    head = frame.Frame(
        uid=links.WILDLIFE,
        title="Wildlife",
        question="Where are the animals, do they move, and how old is what we know?",
        level="site",
        since="now-7d",
    )
    return (
        head.build()
        .with_variable(variables.organisation())
        .with_variable(variables.tracker())
        .annotation(frame.alerts())
        .with_panel(_map())
        .with_panel(rows(_ANIMALS, _ANIMAL_COLUMNS))
        .with_panel(rows(_DISTANCE, _DISTANCE_COLUMNS))
        .with_panel(columns_of(_DELAY, "s"))
        .with_panel(rows(_ALERTS, columns.ALERTS))
    )


def _map() -> geomap.Panel:
    panel = Panel(
        dashboard=_FILE,
        query="last",
        title="Map",
        description="Small dots: fixes of the chosen time, thinned. Large dots: where each animal was last, coloured by"
        " the state of its tracker.",
        width=14,
        height=16,
    )
    layers = (
        Layer(query="track", name="Fixes", ref_id="B", colour_field=None, size=3),
        Layer(query="last", name="Last fix", ref_id="A", colour_field="state", size=9),
    )
    return world(panel, layers, appearance.DEVICE_STATE_COLOURS)


_ANIMALS = Panel(
    dashboard=_FILE,
    query="animals",
    title="Animals",
    description="Each tracker, when it was heard, its fixes in the chosen time, and its battery where it tells.",
    width=10,
    height=16,
)
_ANIMAL_COLUMNS = (
    columns.NAME,
    Column(name="external_id", title="Tracker"),
    columns.DEVICE_STATE,
    columns.LAST_CONTACT,
    Column(name="fixes", title="Fixes", unit="none", width=80),
    Column(name="last_fix", title="Last fix", unit="dateTimeFromNow", width=130),
    Column(name="battery", title="Battery", unit="percent", width=90),
    columns.HIDDEN_DEVICE,
)
_DISTANCE = Panel(
    dashboard=_FILE,
    query="distance",
    title="Distance by day",
    description="Kilometres between the fixes of each day (UTC): what the animal walked at least.",
    height=9,
)
_DISTANCE_COLUMNS = (
    Column(name="day", title="Day", unit="dateTimeAsIso"),
    Column(name="animal", title="Animal"),
    Column(name="kilometres", title="Distance", unit="lengthkm"),
)
_DELAY = Panel(
    dashboard=_FILE,
    query="delay",
    title="Age of fixes on arrival",
    description="From fix to arrival, median and longest: a fix that was hours old on arrival is history, not news.",
    height=9,
)
_ALERTS = Panel(
    dashboard=_FILE,
    query="alerts",
    title="Alerts",
    description="Alerts of the animals that overlap the chosen time, newest first.",
    width=24,
    height=9,
)
