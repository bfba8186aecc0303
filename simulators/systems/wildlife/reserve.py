"""The collared animals below one root site."""

from collections.abc import Mapping, Sequence

import numpy as np
from shapely.geometry import Point, Polygon

from simulators.chance import Floats
from simulators.moment import Moment
from simulators.plane import Plane
from simulators.report import Name, Place
from simulators.scenario import Area, DevicePlan
from simulators.systems.system import Bank, PhysicalFault, State, System, SystemPlan, World
from simulators.systems.wildlife.befallen import Befallen
from simulators.systems.wildlife.collars import Collars
from simulators.systems.wildlife.faults import Animal, FenceCrossing, Immobility, Mortality, Streaking
from simulators.systems.wildlife.fence import Fence
from simulators.systems.wildlife.receiver import Receivers
from simulators.systems.wildlife.settings import CollarSettings, settings_of
from simulators.systems.wildlife.species import SPECIES, Species
from simulators.systems.wildlife.walk import Band, Walk
from veldwatch.errors import ConfigurationInvalid


class Reserve(System):
    """Animals with collars; each stays inside the area of its collar's site, or of the nearest one above that has one.

    Raises:
        ConfigurationInvalid: a collar's settings are wrong, or it has no place.
    """

    models = frozenset({"collar"})

    def __init__(self, plan: SystemPlan, world: World) -> None:
        super().__init__(plan, world)
        devices = plan.devices
        settings = [settings_of(device) for device in devices]
        homes = [_home(device) for device in devices]
        # The middle of all homes, so that the plane is flat where they are.
        longitude, latitude = (float(middle) for middle in np.mean(homes, axis=0))
        self._plane = Plane(longitude=longitude, latitude=latitude)
        self._species = [SPECIES[setting.species] for setting in settings]
        self._fences = self._fences_of(devices)
        names = [f"{device.organisation}/{device.id}" for device in devices]
        self._walk = Walk(self._bands(settings, homes), names, world.seed)
        self._befallen = Befallen(self._walk)
        # Restless animals stay in the open: a demonstration has no time for gaps.
        canopy = np.array([0.0 if s.restless else kind.canopy for s, kind in zip(settings, self._species, strict=True)])
        self._receivers = Receivers(names, canopy, (longitude, latitude), world.seed)
        tells_temperature = np.array([setting.temperature for setting in settings])
        self._collars = Collars(devices, tells_temperature, self._receivers, self._befallen, world.seed)

    @property
    def banks(self) -> Sequence[Bank]:
        """Return the collars."""
        return (self._collars,)

    @property
    def whereabouts(self) -> Floats:
        """Return where the animals really are, 2 x n: longitude and latitude in degrees."""
        places = [self._plane.degrees(float(east), float(north)) for east, north in self._befallen.place.T]
        return np.array(places).T

    def advance(self, moment: Moment) -> None:
        """Let the animals go on."""
        self._walk.advance(moment)
        self._befallen.advance(moment)
        self._receivers.advance(moment)
        self._collars.advance(moment)

    def state(self) -> State:
        """Give the arrays that a restart must know."""
        return {
            **self._walk.state(),
            **self._befallen.state(),
            **self._receivers.state(),
            **self._collars.state(),
        }

    def restore(self, state: State) -> None:
        """Take up what `state` gave."""
        for part in (self._walk, self._befallen, self._receivers, self._collars):
            part.restore(state)

    def fault(self, kind: str, place: Place, parameters: Mapping[str, float]) -> PhysicalFault:
        """Let something befall one animal.

        Raises:
            ConfigurationInvalid: it is no kind of fault that befalls animals, or it needs a fence that stops this one.
        """
        row = self._collars.rows.get(Name(place.organisation, place.device or ""))
        if row is None:
            return super().fault(kind, place, parameters)
        animal = Animal(row=row, species=self._species[row], fence=self._fences[row], befallen=self._befallen)
        match kind:
            case "immobility":
                return Immobility(animal)
            case "mortality":
                return Mortality(animal)
            case "streaking":
                return Streaking(animal, parameters["metres_per_second"])
            case "fence_crossing" if animal.fence is not None:
                return FenceCrossing(animal, animal.fence, parameters["metres_per_second"], parameters["beyond_metres"])
            case _:
                return super().fault(kind, place, parameters)

    def _fences_of(self, devices: Sequence[DevicePlan]) -> list[Fence | None]:
        sites = {site.slug: site for site in self.plan.sites}
        made: dict[str, Fence] = {}
        found: list[Fence | None] = []
        for device, species in zip(devices, self._species, strict=True):
            slug: str | None = device.site
            while slug is not None and not isinstance(sites[slug].geometry, Area):
                slug = sites[slug].parent
            if slug is None or not species.is_fenced:
                found.append(None)
                continue
            geometry = sites[slug].geometry
            if slug not in made and isinstance(geometry, Area):
                outline, *holes = [[self._plane.metres(*corner) for corner in ring] for ring in geometry.coordinates]
                made[slug] = Fence(Polygon(outline, holes))
            if not made[slug].area.intersects(Point(self._plane.metres(*_home(device)))):
                raise ConfigurationInvalid(
                    f"bad place of {device.organisation}/{device.id}: {device.place} (expected it inside of {slug})"
                )
            found.append(made[slug])
        return found

    def _bands(self, settings: Sequence[CollarSettings], homes: Sequence[tuple[float, float]]) -> list[Band]:
        members: dict[str, list[int]] = {}
        for row, (device, setting) in enumerate(zip(self.plan.devices, settings, strict=True)):
            alone, together = f"{device.organisation}/{device.id}", f"{device.organisation}/herd:{setting.herd}"
            members.setdefault(together if setting.herd else alone, []).append(row)
        return [self._band(name, rows, settings[rows[0]], homes) for name, rows in members.items()]

    def _band(
        self, name: str, rows: Sequence[int], leader: CollarSettings, homes: Sequence[tuple[float, float]]
    ) -> Band:
        """Make a herd like its first animal."""
        species: Species = self._species[rows[0]]
        longitude, latitude = (float(middle) for middle in np.mean([homes[row] for row in rows], axis=0))
        return Band(
            name=name,
            members=tuple(rows),
            species=species,
            home=self._plane.metres(longitude, latitude),
            home_radius_metres=leader.home_radius_metres or species.home_radius_metres,
            daily_kilometres=leader.daily_kilometres or species.daily_kilometres,
            restless=leader.restless,
            fence=self._fences[rows[0]],
        )


def _home(device: DevicePlan) -> tuple[float, float]:
    if device.place is None:
        raise ConfigurationInvalid(f"bad place of {device.organisation}/{device.id}: None (expected its home's middle)")
    return device.place
