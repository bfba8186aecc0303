"""Which kinds of system there are, and which models each of them plays."""

from collections.abc import Mapping

from simulators.systems.electricity.network import ElectricityNetwork
from simulators.systems.stations.stations import Stations
from simulators.systems.system import System
from simulators.systems.water.network import WaterNetwork
from simulators.systems.wildlife.reserve import Reserve

SYSTEMS: tuple[type[System], ...] = (ElectricityNetwork, WaterNetwork, Stations, Reserve)
"""In the order in which the systems of one site are advanced."""


def system_of(model: str) -> type[System] | None:
    """Return the kind of system that plays a model; None: nobody knows the model."""
    return _OF_MODEL.get(model)


_OF_MODEL: Mapping[str, type[System]] = {model: kind for kind in SYSTEMS for model in kind.models}
MODELS: tuple[str, ...] = tuple(sorted(_OF_MODEL))
"""Every model that a scenario may name."""
