"""What homes draw: a Poisson process of draws with a daily rhythm, right for steps from a second to an hour.

A draw that outlasts its step runs on in the next ones. Draws that overlap become one that lasts as long as the longer
and carries the water of both, so that no water is lost and each home needs two numbers only.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulators.chance import Chance, Floats, Rows
from simulators.moment import Moment
from simulators.scenario import DevicePlan
from simulators.systems.system import State, World
from simulators.systems.water.draws import DRAWS, TABLE_SIZE
from simulators.systems.water.rhythm import (
    SLEEP_FROM,
    SLEEP_HOURS,
    LocalTime,
    awake_share,
)
from simulators.systems.water.settings import MeterSettings

# Source: Blokker 2006 (pysimdeum, data/NL/household_statistics): 34 % of homes have one person, 30 % two, and families
# 3.75; how these share out over three to five is assumed.
_HOMES = ((0.34, 1.0), (0.64, 2.0), (0.802, 3.0), (0.928, 4.0), (1.0, 5.0))
REST_SECONDS = 15.0
_WEEKS_OF_YEAR = 365.2425 / 7.0
_FIRST_SATURDAY = 2
"""Days since 1970."""
_MOST_DRAWS = 256
_FORGOTTEN_SECONDS = -3600.0


class Households:
    """The homes behind some water meters.

    Attributes:
        persons: per home.
        litres_per_day: mean per home.
        flow: L/s at the end of the step.
    """

    def __init__(self, devices: Sequence[DevicePlan], settings: Sequence[MeterSettings], world: World) -> None:
        self._chance = world.chance([f"{plan.organisation}/{plan.id}" for plan in devices])
        count = len(devices)
        self.persons = _persons(settings, self._chance)
        usual = DRAWS.litres_per_person_day
        self.litres_per_day = self.persons * np.array([s.litres_per_person_day or usual for s in settings], dtype=float)
        self._away_share = np.array([s.weeks_away / _WEEKS_OF_YEAR for s in settings])
        self._per_second = self.litres_per_day / DRAWS.litres / 86400.0 / (1.0 - self._away_share)
        self._week: int | None = None
        self._expected_per_second = self._per_second
        self._sleeps_from = self._chance.between("sleep", *SLEEP_FROM)
        self._longest = np.array([s.longest_draw_seconds or np.inf for s in settings])
        self._is_cut = bool(np.isfinite(self._longest).any())
        self._rest = np.where(np.isfinite(self._longest), REST_SECONDS, -np.inf)
        self._remaining = np.zeros(count)
        self.flow = np.zeros(count)

    def advance(self, moment: Moment, time: LocalTime, factor: Floats | float) -> Floats:
        """Return the litres that each home draws in a step.

        Args:
            factor: expected use over the year's mean, of all or of each.
        """
        step = moment.seconds
        litres = self.flow * np.minimum(self._remaining, step)
        np.maximum(self._remaining - step, _FORGOTTEN_SECONDS, out=self._remaining)
        self.flow *= self._remaining > 0.0
        expected = self._at_home(time) * (factor * (step / awake_share(time.hour)))
        if SLEEP_FROM[0] <= time.hour < SLEEP_FROM[1] + SLEEP_HOURS:
            awake = (time.hour < self._sleeps_from) | (time.hour >= self._sleeps_from + SLEEP_HOURS)
            expected = expected * awake
        luck = self._chance.uniform("draws", moment.number)
        # At least one draw: the chance is 1 - exp(-expected), which is less than expected.
        rows = np.flatnonzero(luck < expected)
        if rows.size:
            self._begin(Beginning(moment.number, step, rows, luck[rows], expected[rows]), litres)
        return litres

    def state(self) -> State:
        """Give what runs."""
        return {"remaining": self._remaining.copy(), "flow": self.flow.copy()}

    def restore(self, state: State) -> None:
        """Take up what `state` gave."""
        self._remaining[:] = state["remaining"]
        self.flow[:] = state["flow"]

    def _at_home(self, time: LocalTime) -> Floats:
        """Return how many draws a second homes make on the mean: none in a week away."""
        week = (time.day - _FIRST_SATURDAY) // 7
        if week != self._week:
            self._week = week
            self._expected_per_second = self._per_second * (self._chance.uniform("away", week) >= self._away_share)
        return self._expected_per_second

    def _begin(self, beginning: "Beginning", litres: Floats) -> None:
        step = beginning.step
        for number, rows in enumerate(beginning.rounds()):
            allowed = self._rested(rows, step)
            picked = self._chance.uniform(f"draw:{number}", beginning.number, allowed) * TABLE_SIZE
            index = picked.astype(np.intp)
            seconds = np.minimum(DRAWS.seconds[index], self._longest[allowed])
            flow = DRAWS.litres_per_second[index]
            # What is left of the number after the table was looked up says when in the step it begins.
            left = step * (1.0 - (picked - index))
            litres[allowed] += flow * np.minimum(seconds, left)
            running = np.flatnonzero(seconds > left)
            if running.size:
                self._carry(allowed[running], (seconds - left)[running], flow[running])

    def _rested(self, rows: Rows, step: float) -> Rows:
        if not self._is_cut:
            return rows
        return rows[self._remaining[rows] + step <= -self._rest[rows]]

    def _carry(self, rows: Rows, seconds: Floats, flow: Floats) -> None:
        before = np.maximum(self._remaining[rows], 0.0)
        lasts = np.maximum(before, seconds)
        self.flow[rows] = (self.flow[rows] * before + flow * seconds) / lasts
        self._remaining[rows] = lasts


@dataclass(frozen=True, slots=True)
class Beginning:
    """The homes in which draws may begin in a step, with the numbers that decide it."""

    number: int
    step: float
    rows: Rows
    luck: Floats
    expected: Floats

    def rounds(self) -> "list[Rows]":
        """Return the homes with a first draw, with a second, and so on: the Poisson distribution inverted."""
        rows, luck, expected = self.rows, 1.0 - self.luck, self.expected
        term = np.exp(-expected)
        less = term
        rounds: list[Rows] = []
        for number in range(1, _MOST_DRAWS):
            more = luck > less
            rows, luck, expected, term, less = rows[more], luck[more], expected[more], term[more], less[more]
            if not rows.size:
                break
            rounds.append(rows)
            term = term * expected / number
            less = less + term
        return rounds


def _persons(settings: Sequence[MeterSettings], chance: Chance) -> Floats:
    luck = chance.uniform("persons")
    drawn = np.select([luck < edge for edge, _ in _HOMES], [persons for _, persons in _HOMES])
    told = np.array([s.persons or 0.0 for s in settings])
    return np.where(told > 0.0, told, drawn)
