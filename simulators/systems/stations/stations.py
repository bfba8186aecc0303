"""The stations below a root site, under one weather."""

from collections.abc import Mapping, Sequence

from simulators.moment import Moment
from simulators.report import Name, Place
from simulators.systems.stations.air_quality import AirQualitySensors
from simulators.systems.stations.camera_trap import CameraTraps
from simulators.systems.stations.fence_energiser import FenceEnergisers
from simulators.systems.stations.gate import Gates
from simulators.systems.stations.gateways import Gateways
from simulators.systems.stations.ranger_radio import RangerRadios
from simulators.systems.stations.station_bank import StationBank
from simulators.systems.stations.water_quality import WaterQualitySondes
from simulators.systems.stations.weather import Weather
from simulators.systems.stations.weather_station import WeatherStations
from simulators.systems.system import Bank, PhysicalFault, State, System, SystemPlan, World
from veldwatch.errors import ConfigurationInvalid

_KINDS: tuple[type[StationBank], ...] = (
    WeatherStations,
    Gateways,
    WaterQualitySondes,
    AirQualitySensors,
    FenceEnergisers,
    Gates,
    CameraTraps,
    RangerRadios,
)


class Stations(System):
    """Stations of every model."""

    models = frozenset(kind.model for kind in _KINDS)

    def __init__(self, plan: SystemPlan, world: World) -> None:
        super().__init__(plan, world)
        self._weather = Weather(world.chance([f"{plan.name}:weather"]))
        self._stations = tuple(kind(plan, world, self._weather) for kind in _KINDS if plan.of_model(kind.model))

    @property
    def banks(self) -> Sequence[Bank]:
        """Return the stations by model."""
        return self._stations

    def advance(self, moment: Moment) -> None:
        """Let the sky change, then whatever stands under it."""
        self._weather.advance(moment)
        for bank in self._stations:
            bank.advance(moment)

    def state(self) -> State:
        """Give the arrays of every bank."""
        return {f"{bank.model}/{key}": array for bank in self._stations for key, array in bank.state().items()}

    def restore(self, state: State) -> None:
        """Take up what `state` gave."""
        for bank in self._stations:
            prefix = f"{bank.model}/"
            bank.restore({key.removeprefix(prefix): a for key, a in state.items() if key.startswith(prefix)})

    def resume(self, name: Name, values: Mapping[str, float]) -> None:
        """Let a station's registers go on."""
        for bank in self._stations:
            if name in bank.rows:
                bank.resume(bank.rows[name], values)

    def fault(self, kind: str, place: Place, parameters: Mapping[str, float]) -> PhysicalFault:
        """Begin a fault at a station."""
        name = Name(place.organisation, place.device or "")
        for bank in self._stations:
            if name in bank.rows:
                return bank.fault(kind, bank.rows[name], parameters)
        raise ConfigurationInvalid(f"bad fault: {kind!r} does not suit {place}")
