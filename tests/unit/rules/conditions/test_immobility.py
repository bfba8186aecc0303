"""Animals that stay in one place, and collars that only seem so."""

from datetime import timedelta

from rules.conditions.immobility import ImmobilityState, compile_immobility
from rules.conditions.span import Fix, Span
from tests.unit.rules.worlds import minute
from veldwatch.model.conditions.movement import Immobility

STILL = compile_immobility(Immobility())
HOME, AWAY = 30.0, 30.01  # 1.1 km apart


def spans_of(fixes: list[tuple[float, float]]) -> tuple[list[Span], ImmobilityState]:
    """Fold (hour, longitude)."""
    state = STILL.initial(truncated=False)
    spans: list[Span] = []
    for hour, longitude in fixes:
        state, span = STILL.step(state, Fix(minute(hour * 60), longitude, -10.0))
        spans += [span] if span else []
    spans += [state.span] if state.span else []
    return spans, state


def test_five_hours_in_one_place_fire_at_the_fix_that_completes_them() -> None:
    spans, _ = spans_of([(0, AWAY), *((hour, HOME) for hour in range(1, 8))])
    assert [(s.opened_at, s.reached_at, s.ended_at) for s in spans] == [(minute(60), minute(300), None)]


def test_one_wild_fix_does_not_hide_it() -> None:
    spans, _ = spans_of([(hour, AWAY if hour == 3 else HOME) for hour in range(8)])
    assert len(spans) == 1


def test_it_ends_when_the_share_falls_and_needs_a_whole_new_window() -> None:
    fixes = [(float(hour), HOME) for hour in range(6)] + [(6, AWAY), (7, AWAY + 0.01), (8, HOME), (9, HOME)]
    spans, state = spans_of(fixes)
    assert [(s.opened_at, s.ended_at) for s in spans] == [(minute(0), minute(7 * 60))]
    assert state.span is None


def test_an_animal_that_grazes_moves() -> None:
    assert spans_of([(hour / 2, HOME + hour * 0.0005) for hour in range(30)])[0] == []


def test_a_few_fixes_after_a_long_silence_prove_nothing() -> None:
    assert spans_of([(0, AWAY), (9, HOME), (9.2, HOME), (9.4, HOME), (9.6, HOME)])[0] == []


def test_a_collar_that_reports_each_second_needs_no_more_room() -> None:
    state = STILL.initial(truncated=False)
    for second in range(0, 40_000, 7):
        state, _ = STILL.step(state, Fix(minute(second / 60), HOME, -10.0))
    assert state.span is not None
    assert len(state.fixes) <= 62


def test_the_window_is_the_rules_own() -> None:
    quick = compile_immobility(Immobility(window=timedelta(minutes=3), radius_metres=20, share=1.0))
    state = quick.initial(truncated=False)
    for second in range(0, 200, 10):
        state, _ = quick.step(state, Fix(minute(second / 60), HOME, -10.0))
    assert state.span is not None
    assert state.span.reached_at == minute(3)
