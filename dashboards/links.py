"""Ways between the dashboards: overview -> site -> device, with the time and the choices kept.

The uids stand here because links and the dashboards that they lead to must agree.
"""

from grafana_foundation_sdk.builders.dashboard import DashboardLink
from grafana_foundation_sdk.models.dashboard import DashboardLinkType

CONTROL_ROOM = "iot-control-room"
OVERVIEW = "iot-fleet-overview"
SITE = "iot-site"
DEVICE = "iot-device"
WATER = "iot-water"
ELECTRICITY = "iot-electricity"
ENVIRONMENT = "iot-environment"
WILDLIFE = "iot-wildlife"
DEVICE_HEALTH = "iot-device-health"
ALERTS = "iot-alerts"
PIPELINE = "iot-pipeline"
STORAGE = "iot-storage"

_KEPT = "${__url_time_range}&${organisation:queryparam}"


def menu() -> DashboardLink:
    """Offer the other dashboards, by their tag, in the top line."""
    return (
        DashboardLink("Veldwatch")
        .type(DashboardLinkType.DASHBOARDS)
        .tags(["iot"])
        .as_dropdown(True)
        .keep_time(True)
        .include_vars(True)
    )


def to_device(column: str = "device") -> dict[str, object]:
    """Link a table's cell to the device that the row's column names by its id."""
    return _link("Open device", f"/d/{DEVICE}?var-device=${{__data.fields.{column}}}&{_KEPT}")


def to_site() -> dict[str, object]:
    """Link a table's cell to the site that the row names."""
    return _link("Open site", f"/d/{SITE}?var-site=${{__data.fields.site}}&{_KEPT}")


def _link(title: str, url: str) -> dict[str, object]:
    return {"title": title, "url": url, "targetBlank": False}
