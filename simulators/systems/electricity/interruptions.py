"""Outages and planned interruptions of a feeder or transformer: everything below the site has no voltage."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulators.moment import Moment
from simulators.systems.system import Flags

if TYPE_CHECKING:
    from simulators.systems.electricity.network import ElectricityNetwork


@dataclass(frozen=True, slots=True)
class Change:
    """Whose power went in a step, and whose came back."""

    lost: Flags
    regained: Flags


def change(before: Flags | None, now: Flags | None) -> Change | None:
    """Compare who is without power with who was; None for nobody, and where nothing changed."""
    if before is None:
        return None if now is None else Change(now, np.zeros_like(now))
    if now is None:
        return Change(np.zeros_like(before), before)
    return Change(now & ~before, before & ~now)


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
