"""Where the animals really are: on their clean walk, where something carries them, or on their way back to it."""

import numpy as np

from simulators.chance import Floats
from simulators.moment import Moment
from simulators.systems.system import Flags, State
from simulators.systems.wildlife.walk import Walk

# Assumed: who was carried off comes back at a trot, as a dead animal's collar is brought to another, without a leap.
_RETURN_METRES_PER_SECOND = 4.0


class Befallen:
    """Places and velocities of n animals.

    Attributes:
        place: 2 x n, metres.
        velocity: 2 x n, m/s.
        dead: who died; nothing moves them any more.
    """

    def __init__(self, walk: Walk) -> None:
        self._walk = walk
        self.place: Floats = walk.place
        self.velocity: Floats = walk.velocity
        self.dead: Flags = np.zeros(walk.place.shape[1], dtype=np.bool_)
        self._apart: Floats = np.zeros_like(walk.place)
        self._carried: dict[int, tuple[tuple[float, float], tuple[float, float]]] = {}
        self._undisturbed = True

    def carry(self, row: int, place: tuple[float, float], velocity: tuple[float, float]) -> None:
        """Say where an animal will be after the coming step, whatever its walk."""
        self._carried[row] = place, velocity
        self._undisturbed = False

    def kill(self, row: int) -> None:
        """Let an animal die where it is."""
        self.dead[row] = True
        self._undisturbed = False

    def replace(self, row: int) -> None:
        """Let a living animal have the collar of a dead one."""
        self.dead[row] = False

    def settle(self, row: int) -> None:
        """Let an animal's walk go on from where it is."""
        if not self.dead[row]:
            self._walk.shift(row, float(self._apart[0, row]), float(self._apart[1, row]))
            self._apart[:, row] = 0.0

    def advance(self, moment: Moment) -> None:
        """Follow the walk, which has taken its step already."""
        if self._undisturbed:
            self.place, self.velocity = self._walk.place, self._walk.velocity
            return
        before = self.place
        self.place, self.velocity = self._walk.place.copy(), self._walk.velocity.copy()
        self._return(_RETURN_METRES_PER_SECOND * moment.seconds)
        for row, (place, velocity) in self._carried.items():
            self.place[:, row], self.velocity[:, row] = place, velocity
        self._carried.clear()
        self.place[:, self.dead], self.velocity[:, self.dead] = before[:, self.dead], 0.0
        self._apart = self.place - self._walk.place
        self._undisturbed = not self._apart.any() and not self.dead.any()

    def state(self) -> State:
        """Give what a restart must know."""
        return {"apart": self._apart, "dead": self.dead.copy(), "place": self.place, "velocity": self.velocity}

    def restore(self, state: State) -> None:
        """Take up what `state` gave."""
        self._apart, self.dead = state["apart"].copy(), state["dead"].copy()
        self.place, self.velocity = state["place"], state["velocity"]
        self._undisturbed = not self._apart.any() and not self.dead.any()

    def _return(self, metres: float) -> None:
        length = np.hypot(self._apart[0], self._apart[1])
        away = length > 0.0
        left = np.where(away, np.maximum(1.0 - metres / np.where(away, length, 1.0), 0.0), 0.0)
        apart = self._apart * left
        self.place = self.place + apart
        on_the_way = left > 0.0
        unit = self._apart[:, on_the_way] / length[on_the_way]
        self.velocity[:, on_the_way] = -_RETURN_METRES_PER_SECOND * unit
