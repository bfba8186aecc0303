from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from simulators.reporting import Reporting
from simulators.scenario import DevicePlan
from simulators.systems.system import Bank


def plan(number: int, interval: float) -> DevicePlan:
    fields: dict[str, Any] = {"organisation": "town", "site": "centre", "profile": "meter", "model": "water_meter"}
    return DevicePlan(id=f"meter-{number}", name="Meter", interval_seconds=interval, **fields)


@given(
    intervals=st.lists(st.sampled_from([60.0, 300.0, 900.0, 3600.0]), min_size=1, max_size=30),
    first=st.integers(0, 10**6),
)
def test_each_device_reports_once_in_each_interval_and_keeps_its_phase(intervals: list[float], first: int) -> None:
    bank = Bank([plan(number, interval) for number, interval in enumerate(intervals)])
    reporting = Reporting(bank, step=60_000)
    turns: dict[int, list[int]] = {row: [] for row in range(len(intervals))}
    for number in range(first, first + 120):
        for row in reporting.due(number).tolist():
            turns[row].append(number)
    for row, interval in enumerate(intervals):
        every = round(interval / 60)
        assert len(turns[row]) == 120 / every
        assert {number % every for number in turns[row]} == {turns[row][0] % every}


def test_many_devices_share_the_steps_evenly() -> None:
    reporting = Reporting(Bank([plan(number, 3600.0) for number in range(1200)]), step=300_000)
    sizes = [reporting.due(number).size for number in range(12)]
    assert sum(sizes) == 1200
    assert min(sizes) > 60


def test_in_history_reports_are_further_apart() -> None:
    bank = Bank([plan(1, 60.0)])
    assert sum(Reporting(bank, step=60_000, shortest=600_000).due(number).size for number in range(60)) == 6
