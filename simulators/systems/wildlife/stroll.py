"""How restless animals go, which a demonstration needs: always at their usual gait, around home, on wide bends.

A correlated random walk that is drawn back where it strays, in sub-steps that are short against its bends.
Source: Turchin 1998, "Quantitative Analysis of Movement"; the pull home as in Dunn and Gipson 1977, Biometrics 33.
"""

from collections.abc import Sequence

import numpy as np

from simulators.chance import Floats
from simulators.moment import Moment
from simulators.systems.wildlife.normals import Normals

# A heading lasts for ten minutes; nothing bends more closely than 30 m, so that it stays in no small circle.
_TURN_PER_ROOT_SECOND = 0.055
_CLOSEST_BEND_METRES = 30.0
_PULL_PER_SECOND = 1.0 / 15.0
_LONGEST_SECONDS = 15.0
_MOST_SUB_STEPS = 24


class Stroll:
    """Strolls of some animals around (0, 0).

    Args:
        radius: of each one's home, in metres.
        gait: of each, in m/s.
        names: tell their draws apart.
    """

    def __init__(self, radius: Floats, gait: Floats, names: Sequence[str], seed: int) -> None:
        self._radius = radius
        self._gait = gait
        self._normals = Normals(seed, [f"{name}:{part}" for part in range(_MOST_SUB_STEPS // 2) for name in names])

    def begin(self, velocity: Floats) -> Floats:
        """Give velocities of any length the length of the gait."""
        return self._gait * velocity / np.hypot(velocity[0], velocity[1])

    def advance(self, place: Floats, velocity: Floats, moment: Moment) -> tuple[Floats, Floats]:
        """Return places and velocities, 2 x n, after a step."""
        parts = min(max(1, round(moment.seconds / _LONGEST_SECONDS)), _MOST_SUB_STEPS)
        seconds = moment.seconds / parts
        drawn = self._normals.draw("stroll", moment.at).reshape(_MOST_SUB_STEPS, -1)
        swerves = _TURN_PER_ROOT_SECOND * seconds**0.5 * drawn
        bend = self._gait * seconds / _CLOSEST_BEND_METRES
        east, north = place
        heading = np.arctan2(velocity[0], velocity[1])
        for part in range(parts):
            astray = np.clip((np.hypot(east, north) / self._radius - 1.0) * _PULL_PER_SECOND * seconds, 0.0, 1.0)
            homeward = np.arctan2(-east, -north) - heading
            turn = (homeward + np.pi) % (2.0 * np.pi) - np.pi
            heading = heading + np.clip(turn * astray + swerves[part], -bend, bend)
            east = east + self._gait * seconds * np.sin(heading)
            north = north + self._gait * seconds * np.cos(heading)
        return np.array((east, north)), self._gait * np.stack((np.sin(heading), np.cos(heading)))
