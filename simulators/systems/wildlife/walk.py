"""The clean walk of all animals: each alone, or with a herd around whose centre it walks; nothing has befallen them.

A walker is a herd's centre, an animal on its own, or a herd member's place relative to the centre. All of them take a
step at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulators.chance import Chance, Floats
from simulators.moment import Moment
from simulators.systems.system import Rows, State
from simulators.systems.wildlife.fence import Fence
from simulators.systems.wildlife.foraging import Pace, pace_for, transition
from simulators.systems.wildlife.normals import Normals
from simulators.systems.wildlife.rhythm import Clock, busy_pace
from simulators.systems.wildlife.species import Species
from simulators.systems.wildlife.stroll import Stroll

# Assumed: members keep within about 100 m of their herd's centre, and change places in a quarter of an hour.
_HERD_METRES, _HERD_SECONDS, _MEMBER_SECONDS = 40.0, 900.0, 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A herd, or an animal on its own.

    Attributes:
        name: tells its draws apart.
        members: rows of its animals.
        home: (east, north) in metres.
        fence: None: nothing stops it.
    """

    name: str
    members: tuple[int, ...]
    species: Species
    home: tuple[float, float]
    home_radius_metres: float
    daily_kilometres: float
    restless: bool
    fence: Fence | None


class Walk:
    """Places and velocities of n animals.

    Args:
        bands: every animal belongs to one.
        names: of the animals.
        seed: the run's.

    Attributes:
        place: 2 x n, metres.
        velocity: 2 x n, m/s over the ground.
    """

    def __init__(self, bands: Sequence[Band], names: Sequence[str], seed: int) -> None:
        self._bands = len(bands)
        self._band_of = np.zeros(len(names), dtype=np.intp)
        for number, band in enumerate(bands):
            self._band_of[list(band.members)] = number
        self._followers: Rows = np.array(
            sorted(row for band in bands if len(band.members) > 1 for row in band.members), dtype=np.intp
        )
        self._walker_of = self._band_of.copy()
        self._walker_of[self._followers] = self._bands + np.arange(len(self._followers))
        walkers = [*(band.name for band in bands), *(names[row] for row in self._followers)]
        self._clock_of = np.concatenate([np.arange(self._bands), self._band_of[self._followers]])
        self._home = np.array([band.home for band in bands]).T.reshape(2, self._bands)
        self._pace = _pace(bands, len(self._followers))
        self._running = np.array([band.species.running for band in bands])
        self._restless: Rows = np.array([n for n, band in enumerate(bands) if band.restless], dtype=np.intp)
        restless = [band for band in bands if band.restless]
        self._stroll = Stroll(
            np.array([band.home_radius_metres for band in restless]),
            np.array([band.species.walking for band in restless]),
            [band.name for band in restless],
            seed,
        )
        self._clock = Clock([band.species for band in bands], Chance(seed, [band.name for band in bands]))
        self._normals = Normals(seed, [f"{name}:{part}" for part in ("velocity", "place") for name in walkers])
        self._fences = _fences(bands, self._followers, self._band_of)
        self._passed: Floats | None = None
        going, at = self._draw("start", 0)
        self._at = at * self._pace.metres
        self._going = going * self._pace.speed
        self._going[:, self._restless] = self._stroll.begin(self._going[:, self._restless])
        self._confine()
        self.place: Floats = self._places()
        self.velocity: Floats = np.zeros_like(self.place)

    def advance(self, moment: Moment) -> None:
        """Walk for a step."""
        passed = self._clock.advance(moment)
        if passed is not self._passed:
            self._passed = passed
            self._transition = transition(self._pace, passed[self._clock_of])
        before = self._at[:, self._restless], self._going[:, self._restless]
        first, second = self._draw("walk", moment.at)
        since = self._at
        self._at, self._going = self._transition.apply(self._at, self._going, first, second)
        self._at = since + self._within_reach(self._at - since, moment.seconds)
        if self._restless.size:
            strolled = self._stroll.advance(*before, moment)
            self._at[:, self._restless], self._going[:, self._restless] = strolled
        self._confine()
        self.place = self._places()
        self.velocity = self._over_ground()

    def shift(self, row: int, east: float, north: float) -> None:
        """Let an animal's walk go on elsewhere; a herd's member will catch up with it."""
        self._at[:, self._walker_of[row]] += (east, north)
        self.place[:, row] += (east, north)

    def state(self) -> State:
        """Give what a restart must know."""
        return {"walk_at": self._at.copy(), "walk_going": self._going.copy()}

    def restore(self, state: State) -> None:
        """Take up what `state` gave."""
        self._at, self._going = state["walk_at"].copy(), state["walk_going"].copy()
        self.place = self._places()

    def _places(self) -> Floats:
        place = (self._home + self._at[:, : self._bands])[:, self._band_of]
        if self._followers.size:
            place[:, self._followers] += self._at[:, self._bands :]
        return place

    def _over_ground(self) -> Floats:
        over = self._going * self._clock.pace[self._clock_of]
        over[:, self._restless] = self._going[:, self._restless]
        velocity = over[:, self._band_of]
        if self._followers.size:
            velocity[:, self._followers] += over[:, self._bands :]
        speed = np.hypot(velocity[0], velocity[1])
        return velocity * np.minimum(self._running[self._band_of] / np.maximum(speed, 1e-9), 1.0)

    def _within_reach(self, way: Floats, seconds: float) -> Floats:
        """Shorten ways on which an animal would outrun its kind: a normal distribution has no end, legs have."""
        length = np.hypot(way[0], way[1])
        reach = self._running[self._clock_of] * seconds
        return way * (reach / np.maximum(length, reach))

    def _draw(self, what: str, number: int) -> tuple[Floats, Floats]:
        """Draw two times 2 x walkers: for velocity and for place, east and north."""
        drawn = self._normals.draw(what, number)
        walkers = drawn.shape[1] // 2
        return drawn[:, :walkers], drawn[:, walkers:]

    def _confine(self) -> None:
        for fence, centres, followers in self._fences:
            self._turn(fence, centres, self._home[:, centres])
            if followers.size:
                walkers = self._walker_of[followers]
                bands = self._band_of[followers]
                self._turn(fence, walkers, self._home[:, bands] + self._at[:, bands])

    def _turn(self, fence: Fence, walkers: Rows, origin: Floats) -> None:
        east, north = origin + self._at[:, walkers]
        outside = fence.is_outside(east, north)
        if not outside.any():
            return
        out = walkers[outside]
        east, north, across, along = fence.mirrored(east[outside], north[outside])
        self._at[:, out] = np.array((east, north)) - origin[:, outside]
        outward = np.maximum(self._going[0, out] * across + self._going[1, out] * along, 0.0)
        self._going[:, out] -= 2.0 * outward * np.array((across, along))


def _pace(bands: Sequence[Band], followers: int) -> Pace:
    """Return the process of each walker: centres first, then members of herds."""
    found: list[tuple[float, float, float]] = []
    for band in bands:
        speed = band.species.walking if band.restless else band.daily_kilometres * 1000 / 86_400
        if len(band.members) > 1:
            # What a member does around the centre is part of its way. Mean speeds of independent walks add as squares.
            around = np.sqrt(np.pi / 2) * _HERD_METRES / np.sqrt(_HERD_SECONDS * _MEMBER_SECONDS)
            speed = np.sqrt(max(speed**2 - around**2, (0.5 * speed) ** 2))
        velocity_seconds = band.species.velocity_seconds * (1.0 if band.restless else busy_pace(band.species))
        found.append(pace_for(band.home_radius_metres, float(speed), velocity_seconds))
    found.extend([(_HERD_METRES, _HERD_SECONDS, _MEMBER_SECONDS)] * followers)
    metres, home_seconds, velocity_seconds = np.array(found).T
    return Pace(metres=metres, home_seconds=home_seconds, velocity_seconds=velocity_seconds)


def _fences(bands: Sequence[Band], followers: Rows, band_of: Rows) -> list[tuple[Fence, Rows, Rows]]:
    """Group by fence: which bands' centres, which herds' members stay inside."""
    groups: dict[int, tuple[Fence, list[int]]] = {}
    for number, band in enumerate(bands):
        if band.fence is not None:
            groups.setdefault(id(band.fence), (band.fence, []))[1].append(number)
    return [
        (fence, np.array(inside, dtype=np.intp), followers[np.isin(band_of[followers], inside)])
        for fence, inside in groups.values()
    ]
