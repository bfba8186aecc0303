"""What goes into a site and what its meters count, by hand."""

import numpy as np

from rules.conditions.span import Instant
from rules.grids.flows import NO_FLOW, Flow, FlowsGrid
from rules.grids.grid import Seen, seen_of
from veldwatch.model.conditions.flow import FlowKind
from veldwatch.model.conditions.inputs import Input

HOUR: Instant = 3_600_000_000
EDGES = np.array([0, 24 * HOUR, 48 * HOUR], np.int64)


def flows(inlets: Flow, meters: Flow, rows: list[tuple[int, int, float]]) -> list[tuple[object, ...]]:
    """Give the buckets of two days; rows are (series, hour, value)."""
    grid = FlowsGrid(inlets=inlets, outlets=NO_FLOW, meters=meters, every=24 * HOUR, wait=HOUR, within=6 * HOUR)
    (made,) = grid.buckets({Input.READINGS: hours(rows)}, EDGES, [1])
    return [bucket.values for bucket in made]


def hours(rows: list[tuple[int, int, float]]) -> Seen:
    return seen_of(sorted(((source, hour * HOUR, value) for source, hour, value in rows), key=lambda row: row[1]))


def registers(*series: int) -> Flow:
    return Flow(series=series, factors=(1.0,) * len(series), of=FlowKind.REGISTER)


def test_what_flowed_is_the_difference_of_registers_at_the_edges() -> None:
    rows = [(1, 0, 100.0), (1, 24, 130.0), (1, 48, 160.0)]
    rows += [(2, 0, 5.0), (2, 23, 14.0), (2, 48, 30.0), (3, 0, 1.0), (3, 24, 11.0), (3, 47, 21.0)]
    first, second = flows(registers(1), registers(2, 3), rows)
    # The second meter's reading of hour 23 stands for hour 24: what it counted since is in the next day.
    assert first == (30.0, 0.0, 19.0, 1.0)
    assert second == (30.0, 0.0, 26.0, 1.0)


def test_a_meter_that_is_not_known_is_taken_to_use_what_the_others_do() -> None:
    rows = [(1, 0, 0.0), (1, 24, 30.0), (1, 48, 60.0), (2, 0, 0.0), (2, 24, 10.0), (2, 48, 20.0), (3, 0, 0.0)]
    first, second = flows(registers(1), registers(2, 3), rows)
    assert first == (30.0, 0.0, 20.0, 0.5)
    assert second == (30.0, 0.0, 20.0, 0.5)


def test_a_register_that_fell_says_nothing_of_that_day_only() -> None:
    rows = [(1, 0, 0.0), (1, 24, 30.0), (1, 48, 60.0), (2, 0, 99_990.0), (2, 24, 4.0), (2, 48, 14.0)]
    first, second = flows(registers(1), registers(2), rows)
    assert first[2:] == (None, 0.0)
    assert second == (30.0, 0.0, 10.0, 1.0)


def test_an_inlet_that_is_not_known_makes_no_balance() -> None:
    rows = [(1, 0, 0.0), (1, 48, 60.0), (2, 0, 0.0), (2, 24, 10.0), (2, 48, 20.0)]
    first, second = flows(registers(1), registers(2), rows)
    assert first[0] is None
    assert second[0] is None


def test_a_rate_is_its_mean_over_the_time_in_the_balance_s_unit() -> None:
    inlet = Flow(series=(1,), factors=(3.6,), of=FlowKind.RATE)  # L/s to m3/h
    rows = [(1, hour, 2.0) for hour in range(48)] + [(2, 0, 0.0), (2, 24, 100.0), (2, 48, 200.0)]
    first, _ = flows(inlet, registers(2), rows)
    assert first == (172.8, 0.0, 100.0, 1.0)
