from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.faults.instrument import InstrumentFault
from simulators.report import Report
from tests.unit.simulators.faults.wrapping import begun, metered, told, volumes

TRUE = [metered(volume) for volume in (100.0, 101.0, 103.0, 104.0)]


@pytest.mark.parametrize(
    ("kind", "parameters", "registers", "rate"),
    [
        # Of 1, 2 and 1 m³ a bypass of 70 % leaves 0.3, 0.6 and 0.3.
        ("bypass", {"share": 0.7}, [100.0, 100.3, 100.9, 101.2], 36.0),
        ("bypass", {"share": 1.0}, [100.0, 100.0, 100.0, 100.0], 0.0),
        ("reverse", {}, [100.0, 99.0, 97.0, 96.0], -120.0),
        ("magnet", {}, [100.0, 100.0, 100.0, 100.0], 0.0),
    ],
)
def test_what_is_not_counted(kind: str, parameters: dict[str, float], registers: list[float], rate: float) -> None:
    reports = told(begun(kind, **parameters), TRUE)
    assert volumes(reports) == registers
    assert reports[-1].readings["flow_rate"] == pytest.approx(rate)


@pytest.mark.parametrize(("kind", "left"), [("bypass", 2.8), ("reverse", 8.0), ("magnet", 4.0)])
def test_what_was_not_counted_never_comes_back(kind: str, left: float) -> None:
    fault = begun(kind)
    told(fault, TRUE)
    fault.end()
    assert volumes(told(fault, [metered(106.0)], first=5)) == [round(106.0 - left, 3)]
    assert told(fault, [metered(107.0)], first=6)[0].readings["flow_rate"] == 120.0
    assert not fault.is_over


def test_an_exchanged_meter_counts_on_from_a_start_of_its_own() -> None:
    registers = volumes(told(begun("meter_exchange"), TRUE))
    assert 0.0 <= registers[0] < 10.0
    assert [round(value - registers[0], 3) for value in registers] == [0.0, 1.0, 3.0, 4.0]


def test_a_register_comes_to_its_last_figure_and_begins_again() -> None:
    assert volumes(told(begun("roll_over", digits=5), TRUE)) == [99_999.5, 0.5, 2.5, 3.5]


@given(
    kind=st.sampled_from(["bypass", "magnet", "reverse", "meter_exchange", "roll_over"]),
    steps=st.lists(st.floats(0, 5), min_size=2, max_size=12),
    cut=st.integers(0, 12),
)
def test_a_restart_in_the_middle_changes_nothing(kind: str, steps: list[float], cut: int) -> None:
    total, reports = 500.0, list[Report]()
    for step in steps:
        total += step
        reports.append(metered(total))
    whole = told(begun(kind), reports)
    first, second = begun(kind), begun(kind)
    before = told(first, reports[:cut])
    after = told(restored(second, first), reports[cut:], first=1 + cut)
    assert before + after == whole


def restored(fault: InstrumentFault, other: InstrumentFault) -> InstrumentFault:
    fault.restore(other.state())
    return fault


@given(st.lists(st.floats(0, 5), min_size=1, max_size=20), st.floats(0.05, 1.0))
def test_a_bypassed_register_never_falls(steps: list[float], share: float) -> None:
    total, reports = 500.0, list[Report]()
    for step in steps:
        total += step
        reports.append(metered(total))
    registers = [report.readings["volume"] for report in told(begun("bypass", share=share), reports)]
    assert all(later >= earlier - 1e-9 for earlier, later in pairwise(registers))


def test_a_register_that_begins_again_below_a_bypass_gives_nothing_back() -> None:
    rolled = told(begun("roll_over", digits=5), TRUE)
    assert volumes(told(begun("bypass", share=0.7), rolled)) == [99_999.5, 0.5, 1.1, 1.4]
