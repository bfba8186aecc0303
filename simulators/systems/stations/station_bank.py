"""What each kind of station is: a bank that advances itself."""

from collections.abc import Mapping

from simulators.moment import Moment
from simulators.systems.stations.weather import Weather
from simulators.systems.system import Bank, PhysicalFault, State, SystemPlan, World
from veldwatch.errors import ConfigurationInvalid


class StationBank(Bank):
    """Devices of one model, with all that is behind their values.

    Args:
        plan: of the site tree; the bank's devices are those of its model.
        weather: of the site tree; advanced before any station.
    """

    model: str

    def __init__(self, plan: SystemPlan, world: World, weather: Weather) -> None:
        super().__init__(plan.of_model(self.model))
        self.weather = weather
        self.chance = world.chance([f"{device.organisation}/{device.id}" for device in self.devices])

    def advance(self, moment: Moment) -> None:
        """Let a step pass."""
        del moment

    def state(self) -> State:
        """Give the arrays that a restart must know."""
        return {}

    def restore(self, state: State) -> None:
        """Take up what `state` gave."""
        del state

    def resume(self, row: int, values: Mapping[str, float]) -> None:
        """Let one row's registers go on from what is known of them."""
        del row, values

    def fault(self, kind: str, row: int, parameters: Mapping[str, float]) -> PhysicalFault:
        """Begin a fault at one row.

        Raises:
            ConfigurationInvalid: these devices have no such fault.
        """
        del row, parameters
        raise ConfigurationInvalid(f"bad fault: {kind!r} does not suit a {self.model}")
