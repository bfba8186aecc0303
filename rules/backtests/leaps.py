"""Leaps: how many of the next observations of one fold change nothing that is said, found out for all of them at once.

As `rules.screening`, but along the time of one source and not across many: for a threshold, a continuous flow and an
absence it tells where the next observation lies that matters, and the state just before it. The outcome is that of
taking each observation by itself, which tests compare. Conditions that have no leap are folded one by one.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from rules.conditions.absence import AbsenceCondition, AbsenceState
from rules.conditions.continuous_flow import FlowCondition, FlowState
from rules.conditions.span import Reading
from rules.conditions.threshold import ThresholdCondition, ThresholdState
from veldwatch.model.conditions.flow import FlowKind

Instants = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


class Leap(NamedTuple):
    """So many observations are uneventful, and this is the state after them."""

    over: int
    state: Any


Leaper = Callable[[Any, Any, Instants, Floats], Leap]
"""Takes a condition, its state, and times and values of what comes next, oldest first, at least one."""


def _threshold(condition: ThresholdCondition, state: ThresholdState, at: Instants, value: Floats) -> Leap:  # noqa: ARG001
    quiet = condition.quiet_range(state)
    if quiet is None:
        return Leap(0, state)
    return Leap(_first((value < quiet[0]) | (value > quiet[1])), state)


def _flow(condition: FlowCondition, state: FlowState, at: Instants, value: Floats) -> Leap:
    if state.last is None or not state.judged or condition.duration <= 0:
        return Leap(0, state)
    before_at, before = _shifted(state.last.at, at), _shifted(state.last.value, value)
    near = at - before_at <= condition.max_gap
    is_rate = condition.of is FlowKind.RATE
    shows = value > condition.minimum if is_rate else near & (value - before > condition.minimum)
    # A run goes on after every reading that shows flow, and after no other.
    goes_on = shows & near & _shifted(state.first is not None, shows)
    if state.reached_at is not None:
        count = _first(~goes_on)
        last = state.last if count == 0 else Reading(int(at[count - 1]), float(value[count - 1]))
        return Leap(count, state._replace(last=last))
    begins = _beginnings(goes_on)
    began_at = np.where(begins < 0, state.first.at if state.first else 0, at[begins])
    count = _first(goes_on & (at - began_at >= condition.duration))
    if count == 0:
        return Leap(0, state)
    return Leap(count, _flow_after(state, count - 1, int(begins[count - 1]), bool(shows[count - 1]), at, value))


def _flow_after(state: FlowState, number: int, begun: int, shows: bool, at: Instants, value: Floats) -> FlowState:
    """Give the state after an uneventful reading, whose run began with reading `begun` (-1: before all of them)."""
    last = Reading(int(at[number]), float(value[number]))
    if not shows:
        return FlowState(last=last, judged=True)
    if begun < 0:
        return state._replace(last=last)
    first = Reading(int(at[begun]), float(value[begun]))
    before = state.last if begun == 0 else Reading(int(at[begun - 1]), float(value[begun - 1]))
    return FlowState(last=last, before=before, first=first, judged=True)


def _absence(condition: AbsenceCondition, state: AbsenceState, at: Instants, value: Floats) -> Leap:  # noqa: ARG001
    if state.last is None:
        return Leap(0, state)
    # Watched time is never more than time: a contact that comes sooner ends no silence.
    count = _first(at - _shifted(state.last, at) >= condition.silent_for)
    return Leap(count, state if count == 0 else AbsenceState(int(at[count - 1])))


LEAPS: Mapping[type, Leaper] = {
    ThresholdCondition: _threshold,
    FlowCondition: _flow,
    AbsenceCondition: _absence,
}


def _first(matters: Mask) -> int:
    """Number the first that matters; all of them: none does."""
    found = int(np.argmax(matters))
    return found if matters[found] else len(matters)


def _shifted(first: Any, values: npt.NDArray[Any]) -> npt.NDArray[Any]:  # noqa: ANN401  # of the values' own kind
    shifted = np.empty_like(values)
    shifted[0], shifted[1:] = first, values[:-1]
    return shifted


def _beginnings(goes_on: Mask) -> npt.NDArray[np.int64]:
    """Number, for each reading, the last one that did not go on from the one before; -1: there is none."""
    return np.maximum.accumulate(np.where(goes_on, -1, np.arange(len(goes_on))))
