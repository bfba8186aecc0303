"""Every dashboard and the folder that it lies in: the list that rendering and provisioning go by."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards import (
    alerts,
    control_room,
    device,
    device_health,
    electricity,
    environment,
    fleet_overview,
    pipeline,
    site,
    storage,
    water,
    wildlife,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A folder in Grafana; `provisioning/dashboards/veldwatch.yaml` names the same."""

    name: str
    title: str
    uid: str


FLEET = Folder(name="fleet", title="Fleet", uid="iot-fleet")
OPERATIONS = Folder(name="operations", title="Operations", uid="iot-operations")
FOLDERS = (FLEET, OPERATIONS)


class Audience(Enum):
    """Who looks at a dashboard."""

    OPERATOR = auto()
    """Who runs the platform, and sees every organisation."""
    TENANT = auto()
    """One organisation, in an organisation of Grafana of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One dashboard: its folder, its file's name without `.json`, and who builds it.

    Attributes:
        who: for whom it is, as the reference says it.
        for_tenants: False: it tells of the platform, of which a tenant's role sees nothing.
    """

    folder: Folder
    name: str
    build: Callable[[], Dashboard]
    who: str
    for_tenants: bool = True

    def is_for(self, audience: Audience) -> bool:
        """Tell whether an audience gets it; the operator gets everything."""
        return audience is Audience.OPERATOR or self.for_tenants


CATALOGUE = (
    Entry(
        folder=FLEET,
        name="control-room",
        build=control_room.build,
        who="whoever is on duty, on a wall: one screen of 1920 by 1080 in kiosk mode, without scrolling",
    ),
    Entry(folder=FLEET, name="overview", build=fleet_overview.build, who="whoever is on duty, at a desk"),
    Entry(folder=FLEET, name="site", build=site.build, who="field crews and their planners"),
    Entry(folder=FLEET, name="device", build=device.build, who="whoever looks into one device"),
    Entry(folder=FLEET, name="water", build=water.build, who="water supply: network, leakage, production"),
    Entry(
        folder=FLEET,
        name="electricity",
        build=electricity.build,
        who="electricity supply: network, revenue protection, prepaid",
    ),
    Entry(
        folder=FLEET,
        name="environment",
        build=environment.build,
        who="water quality, flood and fire watch, air quality",
    ),
    Entry(
        folder=FLEET, name="wildlife", build=wildlife.build, who="rangers, ecologists and the reserve's control room"
    ),
    Entry(folder=OPERATIONS, name="alerts", build=alerts.build, who="shift leaders, and who looks after the rules"),
    Entry(
        folder=OPERATIONS,
        name="device-health",
        build=device_health.build,
        who="who maintains meters, sensors, trackers and gateways",
    ),
    Entry(folder=OPERATIONS, name="pipeline", build=pipeline.build, for_tenants=False, who="who runs Veldwatch"),
    Entry(folder=OPERATIONS, name="storage", build=storage.build, for_tenants=False, who="who runs Veldwatch"),
)
