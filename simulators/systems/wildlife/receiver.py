"""A collar's receiver: where it thinks the animal is, and whether it knows.

Sources: Jung et al. 2018, Wildlife Biology wlb.00404: mean error of 6.0 m (s.d. 4.7 m), 87 % of fixes made by collars
that lie still, 57 to 78 % by those on animals, fewer under canopy; Hofman et al. 2019, PLoS ONE 14:e0216223: on average
success is high, and differs by species more than by place. That half of the error
lasts for minutes, and that cover changes in an hour or two, is assumed.
"""

from collections.abc import Sequence

import numpy as np

from simulators.chance import Chance, Floats
from simulators.moment import Moment
from simulators.report import Fixes
from simulators.systems.system import Flags, Rows, State
from simulators.systems.wildlife.normals import Normals, normals

_OPEN_METRES, _COVERED_METRES = 3.8, 3.0
_LASTING_SECONDS = 180.0
_COVER_SECONDS = 5400.0
_BEST, _LOST_UNDER_COVER = 0.98, 0.3
# Source: u-blox, NEO-M8 data sheet: velocity accuracy 0.05 m/s.
_SPEED_ERROR = 0.05
_TELLING = 1.0 / 6.0
_METRES_PER_DEGREE = 111_132.0
"""As in `simulators/plane.py`."""
_COLUMNS = ("error", "error angle", "velocity", "velocity angle", "success", "accuracy", "telling")


class Receivers:
    """Receivers of n animals.

    Args:
        canopy: how much each has to look through.
        origin: longitude and latitude of (0, 0).
    """

    def __init__(self, names: Sequence[str], canopy: Floats, origin: tuple[float, float], seed: int) -> None:
        self._count = len(names)
        self._canopy = canopy
        self._origin = origin
        self._chance = Chance(seed, names)
        self._draws = Chance(seed, [f"{name}:{column}" for column in _COLUMNS for name in names])
        self._normals = Normals(seed, names)
        self._lasting = self._normals.draw("receiver start")
        self._drawn_at = -1
        self._drawn: Floats = np.zeros((len(_COLUMNS), self._count))

    def advance(self, moment: Moment) -> None:
        """Let the lasting part of the error change."""
        kept = float(np.exp(-moment.seconds / _LASTING_SECONDS))
        added = self._normals.draw("receiver", moment.at)
        self._lasting = kept * self._lasting + (1.0 - kept * kept) ** 0.5 * added

    def fixes(self, rows: Rows, moment: Moment, place: Floats, velocity: Floats) -> Fixes:
        """Take a fix at some rows; place and velocity are 2 x n."""
        drawn = self._draw(moment)[:, rows]
        cover = self._canopy[rows] * self._chance.smooth("cover", moment.at_seconds, _COVER_SECONDS)[rows] ** 2
        metres = _OPEN_METRES + _COVERED_METRES * cover
        error = np.sqrt(0.5) * (self._lasting[:, rows] + normals(drawn[0], drawn[1])) * metres
        east, north = place[:, rows] + error
        seen = velocity[:, rows] + _SPEED_ERROR * normals(drawn[2], drawn[3])
        longitude, latitude = self._origin
        made = drawn[4] < _BEST - _LOST_UNDER_COVER * cover
        return Fixes(
            longitude=np.where(made, longitude + east / (_METRES_PER_DEGREE * np.cos(np.radians(latitude))), np.nan),
            latitude=latitude + north / _METRES_PER_DEGREE,
            # What receivers tell is a radius that holds about two thirds of the errors: 1.5 deviations.
            accuracy=1.5 * metres * (0.8 + 0.4 * drawn[5]),
            speed=np.hypot(seen[0], seen[1]),
            heading=np.degrees(np.arctan2(seen[0], seen[1])) % 360.0,
        )

    def tells_more(self, rows: Rows, moment: Moment) -> Flags:
        """Say which of the rows tell of themselves too: about every sixth time."""
        return self._draw(moment)[6, rows] < _TELLING

    def state(self) -> State:
        """Give what a restart must know."""
        return {"receiver_lasting": self._lasting}

    def restore(self, state: State) -> None:
        """Take up what `state` gave."""
        self._lasting = state["receiver_lasting"]

    def _draw(self, moment: Moment) -> Floats:
        if self._drawn_at != moment.at:
            self._drawn_at = moment.at
            self._drawn = self._draws.uniform("fix", moment.at).reshape(len(_COLUMNS), self._count)
        return self._drawn
