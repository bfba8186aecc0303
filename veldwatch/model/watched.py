"""What rules look at: the devices, series and sites that are registered, as one consistent picture."""

from dataclasses import dataclass, replace

from veldwatch.model.identifiers import DeviceId, OrganisationId, SeriesId, SiteId
from veldwatch.model.track import NO_LIMITS, SpeedLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedDevice:
    """A device that is not retired.

    Attributes:
        organisation: slug.
        site: slug; None: it stands nowhere.
        site_path: slugs of its site and of all above it.
        speed_limits: of what it is on, in the course of time.
    """

    id: DeviceId
    organisation_id: OrganisationId
    organisation: str
    external_id: str
    name: str
    profile: str | None = None
    site_id: SiteId | None = None
    site: str | None = None
    site_path: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    speed_limits: SpeedLimits = NO_LIMITS


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedSeries:
    """A series of such a device."""

    id: SeriesId
    device_id: DeviceId
    metric: str
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedSite:
    """A site.

    Attributes:
        organisation: slug.
        kind: district_metered_area, feeder, reserve ...: an open list.
        path: slugs of all sites above it and its own, the topmost first.
    """

    id: SiteId
    organisation_id: OrganisationId
    organisation: str
    slug: str
    name: str
    kind: str
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """The whole picture.

    Attributes:
        shapes: GeoJSON of the sites that have a geometry, by organisation and slug.
    """

    devices: tuple[WatchedDevice, ...] = ()
    series: tuple[WatchedSeries, ...] = ()
    sites: tuple[WatchedSite, ...] = ()
    shapes: dict[tuple[OrganisationId, str], str]


def within(watched: Watched, organisation: OrganisationId | None) -> Watched:
    """Leave what is an organisation's; None: everything."""
    if organisation is None:
        return watched
    devices = tuple(device for device in watched.devices if device.organisation_id == organisation)
    known = {device.id for device in devices}
    return replace(
        watched,
        devices=devices,
        series=tuple(series for series in watched.series if series.device_id in known),
        sites=tuple(site for site in watched.sites if site.organisation_id == organisation),
        shapes={key: shape for key, shape in watched.shapes.items() if key[0] == organisation},
    )
