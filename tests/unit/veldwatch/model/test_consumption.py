"""What a register's readings mean: a table of cases for each code, and properties that hold for any readings."""

import random
from collections.abc import Sequence

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.unit.veldwatch.model.register_readings import Readings, readings, registers
from veldwatch.model.consumption import Code, Increment, State, code_names, judge
from veldwatch.model.excursions import EXCURSION_READINGS
from veldwatch.model.register_steps import HOUR, Register, from_counts, to_counts

NONE, FALL, RESET, ROLLOVER = Code.NONE, Code.FALL, Code.RESET, Code.ROLLOVER
IMPLAUSIBLE, SUSPECTED = Code.IMPLAUSIBLE, Code.SUSPECTED_ROLLOVER | Code.RESET


def known(*, modulus: float | None = None, resolution: float | None = None, per_hour: float | None = None) -> Register:
    modulus, resolution, per_hour = (None if v is None else to_counts(v) for v in (modulus, resolution, per_hour))
    return Register(modulus=modulus, resolution=resolution, per_hour=per_hour)


def hourly(values: Sequence[float], register: Register | None = None) -> list[Increment]:
    times = [number * HOUR for number in range(len(values))]
    return judge(times, [to_counts(value) for value in values], register or Register())


def told(increments: Sequence[Increment]) -> list[tuple[float, Code]]:
    return [(from_counts(increment.amount), Code(increment.codes)) for increment in increments]


FIVE_DIGITS = known(modulus=100_000)
UP_TO_5 = known(per_hour=5)


@pytest.mark.parametrize(
    ("values", "register", "expected"),
    [
        pytest.param([10.1, 10.2, 10.3], Register(), [(0.1, NONE), (0.1, NONE)], id="plain, and exact"),
        pytest.param([7.0], Register(), [], id="one reading counts nothing"),
        pytest.param([], Register(), [], id="none count nothing"),
        pytest.param([7.0, 7.0], Register(), [(0, NONE)], id="standstill"),
        pytest.param([99998.5, 99999.5, 0.5, 1.5], FIVE_DIGITS, [(1, NONE), (1, ROLLOVER), (1, NONE)], id="roll-over"),
        pytest.param([99999.999, 0.0], FIVE_DIGITS, [(0.001, ROLLOVER)], id="roll-over to zero itself"),
        pytest.param([999.0, 30.0], known(modulus=1000), [(31, ROLLOVER)], id="roll-over of three digits"),
        pytest.param([65530.0, 4.0], known(modulus=65536), [(10, ROLLOVER)], id="roll-over of 16 bits"),
        pytest.param([4294967295.0, 5.0], known(modulus=2**32), [(6, ROLLOVER)], id="roll-over of 32 bits"),
        pytest.param([99999999.9, 0.1], known(modulus=1e8), [(0.2, ROLLOVER)], id="roll-over of eight digits"),
        pytest.param(
            [800.0, 100.0], known(modulus=1000, per_hour=400), [(300, ROLLOVER)], id="roll-over in a large, likely step"
        ),
        pytest.param(
            [998.0, 2.0], known(modulus=1000, per_hour=1), [(0, RESET)], id="faster than can flow is no roll-over"
        ),
        pytest.param([50000.0, 0.2, 0.5], FIVE_DIGITS, [(0.2, RESET), (0.3, NONE)], id="reset far from the width"),
        pytest.param([5000.0, 5001.0, 3.0, 4.0], Register(), [(1, NONE), (3, RESET), (1, NONE)], id="reset near zero"),
        pytest.param([5000.0, 0.0, 1.0], Register(), [(0, RESET), (1, NONE)], id="reset to zero itself"),
        pytest.param([5000.0, 30.0, 31.0], UP_TO_5, [(0, RESET), (1, NONE)], id="restart at more than can have flowed"),
        pytest.param([5000.0, 3000.0, 3001.0], Register(), [(0, RESET), (1, NONE)], id="restart at another figure"),
        pytest.param([99998.5, 99999.5, 0.5], Register(), [(1, NONE), (0.5, SUSPECTED)], id="width unknown: suspicion"),
        pytest.param([65535.0, 2.0], Register(), [(2, SUSPECTED)], id="16 bits unknown: suspicion"),
        pytest.param([10.0, 9.99, 10.01], Register(), [(0, FALL), (0.01, NONE)], id="noise is netted"),
        pytest.param(
            [10.0, 9.99, 10.0, 9.99, 10.02], Register(), [(0, FALL), (0, NONE), (0, FALL), (0.02, NONE)], id="jitter"
        ),
        pytest.param([300.0, 290.0, 291.0], Register(), [(0, FALL), (0, FALL)], id="a fall that may be short-lived"),
        pytest.param([0.01, 99999.99, 0.02], FIVE_DIGITS, [(0, IMPLAUSIBLE), (0.01, NONE)], id="back across the width"),
        pytest.param(
            [99999.99, 0.0, 99999.99, 0.01],
            FIVE_DIGITS,
            [(0, FALL), (0, NONE), (0.02, ROLLOVER)],
            id="jitter at the width",
        ),
        pytest.param([1000.5, 0.0, 1001.0], Register(), [(0, FALL), (0.5, NONE)], id="a zero while starting"),
        pytest.param(
            [307775, 307763, 307775, 295487, 307788, 304712, 307790],
            Register(),
            [(0, FALL), (0, NONE), (0, FALL), (13, NONE), (0, FALL), (2, NONE)],
            id="flipped bits",
        ),
        pytest.param([10.0, 22.0, 10.1], Register(), [(0, IMPLAUSIBLE), (0.1, NONE)], id="a figure taken back"),
        pytest.param([10.0, 500.0, 11.0], UP_TO_5, [(0, IMPLAUSIBLE), (1, NONE)], id="taken back, rate known"),
        pytest.param([0.0, 10.0, 0.0, 11.0], Register(), [(10, NONE), (0, RESET), (11, NONE)], id="a daily counter"),
        pytest.param(
            [10.0, 0.0, 3.0, 6.0, 9.0, 12.0],
            Register(),
            [(0, RESET), (3, NONE), (3, NONE), (3, NONE), (3, NONE)],
            id="a reset that counts its way back is no dip",
        ),
    ],
)
def test_amounts_and_codes(values: list[float], register: Register, expected: list[tuple[float, Code]]) -> None:
    assert told(hourly(values, register)) == expected


def test_more_than_can_flow_is_kept_apart() -> None:
    increments = hourly([10.0, 11.0, 500.0, 501.0], UP_TO_5)
    assert told(increments) == [(1, NONE), (0, IMPLAUSIBLE), (1, NONE)]
    assert [from_counts(increment.excess) for increment in increments] == [0, 489, 0]


def test_a_lasting_step_back_is_a_new_beginning_once_enough_readings_tell() -> None:
    values = [300.0, 290.0, *(290.0 + number / 10 for number in range(1, EXCURSION_READINGS + 1))]
    assert told(hourly(values[:-1]))[0] == (0, FALL)
    judged = told(hourly(values))
    assert judged[:2] == [(0, RESET), (0.1, NONE)]
    assert sum(amount for amount, _ in judged) == pytest.approx(1.2)


def test_a_lasting_step_back_within_the_resolution_is_netted() -> None:
    values = [300.0, 299.0, *[299.0] * 30, 301.0]
    assert sum(amount for amount, _ in told(hourly(values, known(resolution=1.0)))) == 1.0


def test_another_meter_explains_a_break_and_makes_none() -> None:
    exchanged = Register(exchanges=(HOUR // 2,), per_hour=to_counts(5))
    assert told(hourly([5000.0, 3.0, 4.0], exchanged)) == [(0, Code.EXCHANGE), (1, NONE)]
    assert told(hourly([3.0, 5000.0, 5001.0], exchanged)) == [(0, Code.EXCHANGE), (1, NONE)]
    assert told(hourly([3.0, 4.0], exchanged)) == [(1, NONE)]


def test_missing_readings_are_marked_and_jitter_is_not() -> None:
    times = [0, HOUR, 2 * HOUR + HOUR // 3, 5 * HOUR]
    increments = judge(times, [0, 1, 2, 9], Register(interval=HOUR))
    assert [Code(increment.codes) for increment in increments] == [NONE, NONE, Code.GAP]
    assert increments[-1].amount == 7


def test_codes_have_names() -> None:
    assert code_names(Code.ROLLOVER | Code.GAP) == ["rollover", "gap"]
    assert code_names(0) == []
    assert len(code_names(2**31 - 1)) == 8


@given(readings(), registers())
def test_no_amount_is_negative_and_intervals_follow_one_another(found: Readings, register: Register) -> None:
    times, counts = found
    increments = judge(times, counts, register)
    assert all(increment.amount >= 0 and increment.excess >= 0 for increment in increments)
    assert [increment.begin for increment in increments] == times[:-1]
    assert [increment.end for increment in increments] == times[1:]


@given(readings(), registers())
def test_the_total_is_what_the_register_moved_by_with_every_repair_undone(found: Readings, register: Register) -> None:
    times, counts = found
    increments = judge(times, counts, register)
    level, expected = counts[0], 0
    for increment in increments:
        moved = increment.level - level
        if increment.codes & Code.ROLLOVER:
            moved += register.modulus or 0
        elif increment.codes & (Code.RESET | Code.EXCHANGE):
            moved = increment.amount
        expected += moved
        level = increment.level
    assert sum(increment.amount + increment.excess for increment in increments) == expected


@given(st.lists(st.integers(0, 10**7), min_size=2, max_size=40), st.integers(0, 10**12), st.randoms())
def test_readings_in_between_leave_the_total_unchanged(steps: list[int], start: int, chance: random.Random) -> None:
    counts = [start]
    for step in steps:
        counts.append(counts[-1] + step)
    times = [number * HOUR for number in range(len(counts))]
    kept = sorted({0, len(counts) - 1, *(n for n in range(len(counts)) if chance.random() < 0.5)})
    fewer = judge([times[n] for n in kept], [counts[n] for n in kept], Register())
    assert sum(i.amount for i in judge(times, counts, Register())) == sum(i.amount for i in fewer) == sum(steps)


@given(readings(), registers(), st.integers(0, 100))
def test_readings_long_after_change_nothing(found: Readings, register: Register, cut: int) -> None:
    times, counts = found
    early = judge(times[:cut], counts[:cut], register)
    sure = max(0, len(early) - EXCURSION_READINGS)
    assert judge(times, counts, register)[:sure] == early[:sure]


@given(readings(), registers(), st.integers(1, 80))
def test_a_fold_that_is_taken_up_in_a_calm_goes_on_as_it_would_have(
    found: Readings, register: Register, cut: int
) -> None:
    times, counts = found
    increments = judge(times, counts, register)
    around = increments[max(0, cut - EXCURSION_READINGS - 2) : cut + EXCURSION_READINGS + 2]
    assume(cut <= len(increments) and not any(increment.codes & ~Code.GAP for increment in around))
    again = judge(times[cut + 1 :], counts[cut + 1 :], register, increments[cut - 1].state)
    assert again == increments[cut:]


def test_a_state_carries_the_level_over() -> None:
    state = State(to_counts(10.0), 0, HOUR)
    assert told(judge([2 * HOUR], [to_counts(10.01)], Register(), state)) == [(0.01, NONE)]
    assert judge([], [], Register(), state) == []
