"""Site: how are the devices of this site doing?"""

from grafana_foundation_sdk.builders import geomap
from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards import appearance, columns, frame, links
from dashboards.maps import Layer, world
from dashboards.panels import Column, Panel, rows, timeline

_FILE = "site"


def build() -> Dashboard:
    """Build it: devices beside the map, when they were heard, and the alerts of the window."""
    head = frame.Frame(uid=links.SITE, title="Site", question="How are the devices of this site doing?", level="site")
    return (
        head.of_sites()
        .with_panel(rows(_DEVICES, _DEVICE_COLUMNS))
        .with_panel(_map())
        .with_panel(timeline(_CONTACTS, label="device", states=appearance.HEARD_COLOURS))
        .with_panel(rows(_ALERTS, columns.ALERTS))
    )


def _map() -> geomap.Panel:
    panel = Panel(
        dashboard=_FILE,
        query="map",
        title="Map",
        description="Where the devices of the site are, coloured by state.",
        height=12,
    )
    layer = Layer(query="map", name="Devices", ref_id="A", colour_field="state", size=8)
    return world(panel, (layer,), appearance.DEVICE_STATE_COLOURS)


_DEVICES = Panel(
    dashboard=_FILE,
    query="devices",
    title="Devices",
    description="Every device of the chosen sites: those with alerts first, then the longest silent.",
    height=12,
)
_DEVICE_COLUMNS = (
    columns.NAME,
    Column(name="external_id", title="Identifier"),
    Column(name="profile", title="Profile"),
    columns.DEVICE_STATE,
    columns.LAST_CONTACT,
    columns.FIRING,
    columns.HIDDEN_DEVICE,
)
_CONTACTS = Panel(
    dashboard=_FILE,
    query="contacts",
    title="Heard",
    description="In which stretches of two hours or more each device was heard, the first 24 by name. Many gaps at"
    " one time are a gateway's; a device that reports less often has gaps by itself.",
    width=24,
    height=13,
)
_ALERTS = Panel(
    dashboard=_FILE,
    query="alerts",
    title="Alerts",
    description="Alerts of the site that overlap the chosen time, newest first.",
    width=24,
    height=9,
)
