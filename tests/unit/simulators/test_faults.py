import itertools
import math
from datetime import UTC, datetime, timedelta

from shapely.geometry import Point, Polygon

from simulators.faults.leak import Leak
from simulators.faults.outage import Outage
from simulators.faults.whereabouts import FenceCrossing, Immobility
from simulators.plane import Plane
from simulators.reports import Fix, Report

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
PLANE = Plane(longitude=31.27, latitude=-10.21)
RESERVE = Polygon([(-2000, -2000), (400, -2000), (400, 2000), (-2000, 2000)])
STEP = timedelta(seconds=10)


def water(volume: float = 10.0, flow: float = 0.0) -> Report:
    return Report(readings={"volume": volume, "flow_rate": flow, "battery": 90.0})


def at(east: float, north: float) -> Report:
    longitude, latitude = PLANE.degrees(east, north)
    return Report(fix=Fix(longitude=longitude, latitude=latitude, accuracy=4.0, speed=1.0, heading=0.0))


def place(report: Report | None) -> tuple[float, float]:
    assert report is not None
    assert report.fix is not None
    return PLANE.metres(report.fix.longitude, report.fix.latitude)


def walk(seconds: float) -> Report:
    """A clean animal that walks in a circle of 100 m."""
    return at(100 * math.sin(seconds / 90), 100 * math.cos(seconds / 90))


def test_faults_that_have_not_begun_change_nothing() -> None:
    for fault in (Leak(), Outage(), Immobility(PLANE, "a", 1), FenceCrossing(PLANE, RESERVE)):
        for report in (water(), at(1.0, 2.0)):
            if report.fix is not None or isinstance(fault, Leak | Outage):
                assert fault.apply(report, START, START + STEP) is report


def test_a_leak_adds_its_flow_and_nothing_else() -> None:
    leak = Leak()
    leak.begin({"litres_per_hour": 360.0})
    report = leak.apply(water(10.0, 50.0), START, START + timedelta(hours=1))
    assert report.readings == {"volume": 10.36, "flow_rate": 410.0, "battery": 90.0}


def test_water_lost_stays_on_the_register_once_the_leak_is_mended() -> None:
    leak = Leak()
    leak.begin({})
    leak.apply(water(), START, START + timedelta(hours=1))
    leak.end()
    report = leak.apply(water(10.0, 0.0), START + timedelta(hours=1), START + timedelta(hours=2))
    assert report.readings == {"volume": 10.3, "flow_rate": 0.0, "battery": 90.0}


def test_every_report_of_a_leak_counts_on() -> None:
    leak = Leak()
    leak.begin({})
    volumes = [
        leak.apply(
            water(), START + number * timedelta(seconds=5), START + (number + 1) * timedelta(seconds=5)
        ).readings["volume"]
        for number in range(720)
    ]
    assert all(later > earlier for earlier, later in itertools.pairwise(volumes))


def test_an_outage_lets_nothing_through() -> None:
    outage = Outage()
    outage.begin({})
    assert outage.apply(water(), START, START + STEP) is None
    outage.end()
    assert outage.apply(water(), START, START + STEP) == water()


def test_an_immobile_animal_is_within_a_few_metres_and_walks_back_afterwards() -> None:
    fault = Immobility(PLANE, "a", 1)
    fault.begin({})
    places = [place(fault.apply(walk(10.0 * n), START + n * STEP, START + (n + 1) * STEP)) for n in range(60)]
    assert max(math.dist(places[0], other) for other in places) < 20
    fault.end()
    last = places[-1]
    for n in range(60, 120):
        clean = walk(10.0 * n)
        here = place(fault.apply(clean, START + n * STEP, START + (n + 1) * STEP))
        assert math.dist(here, last) < 10 * (4.0 + 1.2) + 3
        last = here
    assert fault.apply(walk(0), START, START + STEP) == walk(0)


def test_an_animal_is_across_the_fence_within_a_minute_and_stays_there() -> None:
    fault = FenceCrossing(PLANE, RESERVE)
    fault.begin({})
    places = [place(fault.apply(walk(10.0 * n), START + n * STEP, START + (n + 1) * STEP)) for n in range(60)]
    inside = [RESERVE.contains(Point(here)) for here in places]
    assert inside[0]
    assert inside.index(False) <= 7
    assert not any(inside[inside.index(False) :])
    assert all(math.dist(a, b) <= 9.5 * 10 for a, b in itertools.pairwise(places))


def test_an_animal_across_the_fence_is_not_taken_for_dead() -> None:
    fault = FenceCrossing(PLANE, RESERVE)
    fault.begin({})
    places = [place(fault.apply(walk(10.0 * n), START + n * STEP, START + (n + 1) * STEP)) for n in range(200)]
    for start in range(len(places) - 12):
        assert max(math.dist(places[start], other) for other in places[start : start + 12]) > 30


def test_the_animal_returns_once_the_crossing_is_over() -> None:
    fault = FenceCrossing(PLANE, RESERVE)
    fault.begin({})
    for n in range(30):
        fault.apply(walk(10.0 * n), START + n * STEP, START + (n + 1) * STEP)
    fault.end()
    for n in range(30, 90):
        fault.apply(walk(10.0 * n), START + n * STEP, START + (n + 1) * STEP)
    assert fault.apply(walk(5), START, START + STEP) == walk(5)


def test_faults_go_on_from_their_state() -> None:
    steady, restarted = FenceCrossing(PLANE, RESERVE), FenceCrossing(PLANE, RESERVE)
    steady.begin({})
    for n in range(5):
        steady.apply(walk(10.0 * n), START + n * STEP, START + (n + 1) * STEP)
    restarted.restore(steady.state())
    for n in range(5, 20):
        moment = (walk(10.0 * n), START + n * STEP, START + (n + 1) * STEP)
        assert restarted.apply(*moment) == steady.apply(*moment)
