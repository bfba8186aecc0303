"""Registers to consumption: what a meter counted from reading to reading, never negative, each repair with a code.

`judge` is a pure fold over the readings of one register, oldest first. What a reading means may depend on the
`EXCURSION_READINGS` after it, and on nothing later; so a late reading changes its neighbours only.

Amounts are whole *counts*, millionths of the register's unit: 10.3 - 10.1 is 0.2, sums are exact whatever is added
first, and the parts of a split amount add up to it. Instants are microseconds since 1970-01-01 UTC, as in the log.

The order in which explanations of a step are tried, and why, is in docs/explanation/consumption.md.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntFlag
from typing import NamedTuple

from veldwatch.model.excursions import EXCURSION_READINGS, Excursion, find_excursions
from veldwatch.model.register_steps import Register, fastest, to_counts

NOISE_SHARE = 10
"""A fall by at most a tenth of the figure may be noise, if the register comes back; a deeper one is not.

Source: Home Assistant, components/sensor/recorder.py, `reset_detected`: a new cycle begins below 0.9 of the figure.
"""
JITTER_SHARE = 1000
"""A fall by at most a thousandth of the figure is noise even if it stays, where the resolution is unknown: what it
takes back is netted against what comes, so the total is the register's own. Where the resolution is known: two steps.
"""
NEAR_ZERO_SHARE = 10
"""A register that was reset shows at most a tenth of what it showed; what it shows then, it counted since.

Source: Prometheus, promql/functions.go, `increase`: after a reset the new value is the increase.
"""
GAP_SHARE = 1.5
"""From this many expected intervals on at least one reading is missing; half an interval is left to jitter."""
_LOOKALIKE_SHARE = 100
_LOOKALIKES = tuple(to_counts(10.0**digits) for digits in range(4, 11)) + tuple(
    to_counts(2.0**bits) for bits in (16, 24, 32)
)


class Code(IntFlag):
    """What was done to the amount of an interval; 0: it is the plain difference of two readings."""

    NONE = 0
    ROLLOVER = 1
    """The register went past its last figure and began again at zero; counted across."""
    RESET = 2
    """The register began again: near zero, then what it shows counts; elsewhere, then nothing does."""
    EXCHANGE = 4
    """Another meter: no difference is taken between the two."""
    FALL = 8
    """The register stepped back: counts as zero, and what follows counts from the highest figure only."""
    GAP = 16
    """Readings are missing: the amount is real, when it ran is not known."""
    ESTIMATED = 32
    """A part of an interval's amount, shared out by time."""
    IMPLAUSIBLE = 64
    """More than can flow: kept apart as excess, or a figure that the register took back."""
    SUSPECTED_ROLLOVER = 128
    """A reset that would be a roll-over if the register had 4 to 10 digits, or 16, 24 or 32 bits; nobody said so."""


def code_names(codes: int) -> list[str]:
    """Name the codes, as people and programs outside read them: `rollover`, `gap` ..."""
    return [code.name.lower() for code in Code if codes & code and code.name is not None]


class State(NamedTuple):
    """All that earlier readings mean for later ones.

    Attributes:
        level: the figure, in counts, from which on consumption counts.
        level_at: when the register showed it.
        last_at: the last reading of all.
    """

    level: int
    level_at: int
    last_at: int


class Increment(NamedTuple):
    """What was counted from one reading to the next.

    Attributes:
        amount: counts, never negative.
        excess: counts beyond what can flow, never part of `amount`.
        level: the state after it, with `level_at` and `end`.
    """

    begin: int
    end: int
    amount: int
    excess: int
    codes: int
    level: int
    level_at: int

    @property
    def state(self) -> State:
        """Give what it means for later readings."""
        return State(self.level, self.level_at, self.end)


def judge(
    times: Sequence[int], counts: Sequence[int], register: Register, state: State | None = None
) -> list[Increment]:
    """Judge the readings of one register, oldest first, each at a time of its own.

    Args:
        state: of the readings before; None: the first one only says where the register stood.

    Returns:
        One increment per reading, from the reading before to it; without a state none for the first.
    """
    if state is None:
        if not times:
            return []
        state = State(counts[0], times[0], times[0])
        times, counts = times[1:], counts[1:]
    # The state stands for the readings before: they can be what an excursion leaves and returns to.
    excursions = find_excursions([state.level_at, *times], [state.level, *counts], register)
    return _Fold(times, counts, register, excursions).run(state)


@dataclass(slots=True)
class _Fold:
    times: Sequence[int]
    counts: Sequence[int]
    register: Register
    excursions: dict[int, Excursion]

    def run(self, state: State) -> list[Increment]:
        level, level_at, last_at = state
        pace, interval, exchanges = self.register.per_hour, self.register.interval, self.register.exchanges
        longest = None if interval is None else interval * GAP_SHARE
        wide = None if self.register.modulus is None else self.register.modulus - self.register.modulus // NOISE_SHARE
        excursions = self.excursions
        found: list[Increment] = []
        for i, (at, count) in enumerate(zip(self.times, self.counts, strict=True)):
            rise = count - level
            quiet = (
                rise >= 0
                and (wide is None or rise < wide)
                and (pace is None or rise <= fastest(self.register, at - level_at))
                and not (excursions and i + 1 in excursions)
            )
            if quiet:
                amount, excess, codes, level, level_at = rise, 0, 0, count, at
            else:
                crossed = bool(exchanges) and bisect_right(exchanges, last_at) < bisect_right(exchanges, at)
                amount, excess, codes, moved = self._explain(i, State(level, level_at, last_at), crossed)
                if moved:
                    level, level_at = count, at
            if longest is not None and at - last_at > longest:
                codes |= Code.GAP
            found.append(Increment(last_at, at, amount, excess, int(codes), level, level_at))
            last_at = at
        return found

    def _explain(self, i: int, before: State, crossed: bool) -> tuple[int, int, int, bool]:
        """Give amount, excess and codes of a step that is not plain, and whether the level moves to the reading."""
        excursion = self.excursions.get(i + 1)
        if excursion is not None:
            return 0, 0, Code.FALL if excursion is Excursion.DIP else Code.IMPLAUSIBLE, False
        if crossed:
            return 0, 0, Code.EXCHANGE, True
        rise = self.counts[i] - before.level
        if rise >= 0:
            return self._explain_rise(i, rise, before)
        return self._explain_fall(i, -rise, before)

    def _explain_rise(self, i: int, rise: int, before: State) -> tuple[int, int, int, bool]:
        modulus = self.register.modulus
        if modulus is not None and rise >= modulus - modulus // NOISE_SHARE:
            # Just above zero, then just below the last figure: a small step back across the roll-over.
            highest = before.level + modulus // 2
            if self._is_short_lived(i, lambda count: before.level <= count <= highest):
                return 0, 0, Code.FALL, False
        if self.register.per_hour is not None and rise > fastest(self.register, self.times[i] - before.level_at):
            return 0, rise, Code.IMPLAUSIBLE, True
        return rise, 0, 0, True

    def _explain_fall(self, i: int, fall: int, before: State) -> tuple[int, int, int, bool]:
        register, count = self.register, self.counts[i]
        if fall <= _jitter(register, before.level) or (
            fall * NOISE_SHARE <= before.level and self._is_short_lived(i, lambda later: later >= before.level)
        ):
            return 0, 0, Code.FALL, False
        elapsed = self.times[i] - before.last_at
        across = register.across(before.level, count, elapsed)
        if across is not None:
            return across, 0, Code.ROLLOVER, True
        near_zero = count * NEAR_ZERO_SHARE <= before.level and (
            register.per_hour is None or count <= fastest(register, elapsed)
        )
        suspicion = Code.SUSPECTED_ROLLOVER if register.modulus is None and _looks_alike(before.level, count) else 0
        return count if near_zero else 0, 0, Code.RESET | suspicion, True

    def _is_short_lived(self, i: int, comes_back: Callable[[int], bool]) -> bool:
        """Tell whether one of the next readings comes back; while too few have come to tell, it may."""
        following = self.counts[i + 1 : i + 1 + EXCURSION_READINGS]
        return len(following) < EXCURSION_READINGS or any(comes_back(count) for count in following)


def _jitter(register: Register, level: int) -> int:
    return level // JITTER_SHARE if register.resolution is None else 2 * register.resolution


def _looks_alike(level: int, count: int) -> bool:
    return any(0 < end - level <= end // _LOOKALIKE_SHARE >= count for end in _LOOKALIKES)
