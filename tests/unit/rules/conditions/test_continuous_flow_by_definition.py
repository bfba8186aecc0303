"""Continuous flow held against the plain definition, on registers with all that real ones do.

The definition: a run begins at the first reading that shows consumption since the one before, at most two hours
earlier, goes on while every next reading does and comes within two hours, and ends at the last such reading; it counts
from 24 hours on. A run that is under way at the very first reading is another rule's.
"""

from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.conditions.continuous_flow import compile_continuous_flow
from rules.conditions.span import Instant, Reading, Span
from rules.instants import to_datetime, to_instant
from tests.unit.rules.worlds import START
from veldwatch.model.conditions.flow import ContinuousFlow

_GAP = timedelta(hours=2)
_DAY = timedelta(hours=24)


def by_definition(readings: list[tuple[datetime, float]]) -> list[tuple[datetime, datetime]]:
    shows = [False] + [after[1] > before[1] and after[0] - before[0] <= _GAP for before, after in pairwise(readings)]
    found: list[tuple[datetime, datetime]] = []
    begin = 0
    while begin < len(readings):
        if not shows[begin]:
            begin += 1
            continue
        end = begin
        while end + 1 < len(readings) and shows[end + 1]:
            end += 1
        if begin > 1 and readings[end][0] - readings[begin][0] >= _DAY:
            found.append((readings[begin][0], readings[end][0]))
        begin = end + 1
    return found


def by_fold(readings: list[tuple[datetime, float]]) -> list[tuple[datetime, datetime]]:
    condition = compile_continuous_flow(ContinuousFlow(metric="volume", duration=_DAY))
    state = condition.initial(truncated=False)
    spans: list[Span] = []
    position: Instant = 0
    for at, value in readings:
        position = to_instant(at)
        state, span = condition.step(state, Reading(position, value))
        spans += [span] if span and span.counts else []
    still = condition.open_span(state, position + 10 * 86_400_000_000)
    spans += [still] if still else []
    return [(to_datetime(span.opened_at), to_datetime(span.ended_at or 0)) for span in spans]


@st.composite
def registers(draw: st.DrawFn) -> list[tuple[datetime, float]]:
    """Make two weeks of an hourly register."""
    seed, step = draw(st.integers(0, 2**32 - 1)), draw(st.sampled_from([0.001, 1.0, 10.0, 100.0]))
    stops, gaps, falls, repeats = (draw(st.sampled_from([0.0, 0.004, 0.02, 0.1, 0.5])) for _ in range(4))
    minutes = draw(st.sampled_from([15, 60, 60, 119]))
    chance = np.random.default_rng(seed)
    readings: dict[datetime, float] = {}
    at, total, leaks = START, 1000.0, False
    for _ in range(336 * 60 // minutes // 2):
        if chance.random() < 0.02:
            leaks = not leaks
        flow = 0.0 if not leaks and chance.random() < stops else float(chance.exponential(60.0))
        total += flow * minutes / 60
        if chance.random() < falls / 5:
            total -= float(chance.uniform(0, 500))
        # The hour that a clock change repeats: its times come twice, and the first of each is kept.
        back = timedelta(hours=1) if chance.random() < repeats / 20 else timedelta(0)
        jitter = timedelta(seconds=int(chance.integers(-90, 90)))
        at += (
            timedelta(minutes=minutes) * (1 if chance.random() >= gaps else int(chance.integers(2, 5))) + jitter - back
        )
        readings.setdefault(at, float(np.floor(total / step) * step))
    return sorted(readings.items())


@settings(max_examples=150, deadline=None)
@given(registers())
def test_exactly_the_runs_of_the_definition_are_found(readings: list[tuple[datetime, float]]) -> None:
    assert by_fold(readings) == by_definition(readings)


def test_there_are_such_runs() -> None:
    hours = [(START + timedelta(hours=number), float(number >= 3) * number) for number in range(60)]
    assert by_fold(hours) == by_definition(hours) == [(hours[3][0], hours[59][0])]
