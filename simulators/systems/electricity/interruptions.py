"""Outages and planned interruptions of a feeder or transformer: everything below the site has no voltage."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from simulators.moment import Moment

if TYPE_CHECKING:
    from simulators.systems.electricity.network import ElectricityNetwork


class SupplyInterrupted:
    """A site without power, for as long as it lasts."""

    def __init__(self, network: "ElectricityNetwork", site: str) -> None:
        self._network, self._site = network, site

    def step(self, moment: Moment) -> None:
        """Switch the site off for the coming step."""
        del moment
        self._network.interrupt(self._site)

    def end(self) -> None:
        """Do nothing: power is back in the first step in which nobody switches it off."""

    def state(self) -> dict[str, float]:
        """Give nothing: each step is told."""
        return {}

    def restore(self, state: Mapping[str, float]) -> None:
        """Take up nothing."""
        del state
