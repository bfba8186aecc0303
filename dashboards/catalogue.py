"""Every dashboard and the folder that it lies in: the list that rendering and provisioning go by."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards import alerts, device, electricity, fleet_overview, pipeline, site, storage, water, wildlife


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
        for_tenants: False: it tells of the platform, of which a tenant's role sees nothing.
    """

    folder: Folder
    name: str
    build: Callable[[], Dashboard]
    for_tenants: bool = True

    def is_for(self, audience: Audience) -> bool:
        """Tell whether an audience gets it; the operator gets everything."""
        return audience is Audience.OPERATOR or self.for_tenants


CATALOGUE = (
    Entry(folder=FLEET, name="overview", build=fleet_overview.build),
    Entry(folder=FLEET, name="site", build=site.build),
    Entry(folder=FLEET, name="device", build=device.build),
    Entry(folder=FLEET, name="water", build=water.build),
    Entry(folder=FLEET, name="electricity", build=electricity.build),
    Entry(folder=FLEET, name="wildlife", build=wildlife.build),
    Entry(folder=OPERATIONS, name="alerts", build=alerts.build),
    Entry(folder=OPERATIONS, name="pipeline", build=pipeline.build, for_tenants=False),
    Entry(folder=OPERATIONS, name="storage", build=storage.build, for_tenants=False),
)
