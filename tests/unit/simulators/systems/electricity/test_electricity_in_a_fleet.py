"""The electricity network as a fleet plays it: from scenario to messages."""

import json
from collections.abc import Iterator
from typing import Any

from simulators.building import Run, build_fleet
from simulators.fleet import Fleet
from simulators.report import Message
from simulators.scenario import Scenario
from simulators.scenario_files import parse_scenario
from tests.unit.simulators.systems.electricity.town import DAY, MONDAY

HOUR = 3_600_000
JOHANNESBURG = {"type": "Point", "coordinates": [28.0, -26.2]}


def _site(slug: str, kind: str, parent: str | None, **settings: object) -> dict[str, Any]:
    return {
        "slug": slug,
        "organisation": "grid",
        "name": slug,
        "kind": kind,
        "parent": parent,
        "geometry": JOHANNESBURG,
        "settings": settings,
    }


def _scenario(step_seconds: float = 300.0, history_step_seconds: float = 300.0) -> Scenario:
    slots = [
        {"weekday": "monday", "from": "18:00", "lasts": "2h"},
        {"weekday": "tuesday", "from": "06:00", "lasts": "2h"},
    ]
    fleet = {
        "name": "Meter {number}",
        "organisation": "grid",
        "site": "street",
        "profile": "meter",
        "model": "electricity_meter",
        "interval_seconds": 900,
    }
    return parse_scenario(
        {
            "name": "dark-evenings",
            "step_seconds": step_seconds,
            "history_step_seconds": history_step_seconds,
            "utc_offset_hours": 2,
            "organisations": [{"slug": "grid", "name": "Grid", "kind": "utility"}],
            "profiles": [{"slug": "meter", "name": "Meter", "kind": "meter"}],
            "sites": [
                _site("town", "town", None),
                _site("north", "feeder", "town", load_shedding=slots),
                _site("street", "transformer", "north"),
            ],
            "fleets": [
                {**fleet, "id": "m{number}", "count": 12, "settings": {"last_gasp": True}},
                {**fleet, "id": "p{number}", "count": 4, "settings": {"prepaid": True}},
                {**fleet, "id": "head", "count": 1, "site": "north", "model": "feeder"},
            ],
            "faults": [
                {"kind": "feeder_outage", "organisation": "grid", "site": "street", "at": "3h", "lasts": "1h"},
            ],
        }
    )


def _fleet(begins_at: int = MONDAY, **steps: float) -> Fleet:
    return build_fleet(
        _scenario(**steps), Run(seed=3, begins_at=begins_at, live_from=begins_at, ends_at=begins_at + 7 * DAY)
    )


def _told(messages: Iterator[Message]) -> list[tuple[int, str, str, dict[str, Any]]]:
    """Return due, device, kind and payload of each message."""
    return [
        (message.due, *message.topic.split("/")[-2:], json.loads(message.payload))  # pyright: ignore[reportReturnType]
        for message in messages
    ]


def test_meters_fall_silent_when_the_calendar_says_so_in_local_time() -> None:
    told = _told(_fleet().advance(MONDAY + DAY))
    speaking = {(due - MONDAY) // HOUR for due, device, kind, _ in told if device[0] in "mp" and kind == "readings"}
    # 18:00 to 20:00 in Johannesburg, and the outage that the scenario plans from 3 h on.
    assert set(range(24)) - speaking == {3, 16, 17} - speaking
    assert not any(
        MONDAY + 16 * HOUR < due <= MONDAY + 18 * HOUR
        for due, device, kind, _ in told
        if device[0] in "mp" and kind == "readings"
    )


def test_the_feeder_itself_tells_that_it_is_off() -> None:
    told = _told(_fleet().advance(MONDAY + DAY))
    volts = {due: each["readings"]["line_voltage"]["value"] for due, device, _, each in told if device == "head"}
    dark = [value for due, value in volts.items() if MONDAY + 16 * HOUR < due <= MONDAY + 18 * HOUR]
    assert len(dark) == 8
    assert set(dark) == {0.0}
    assert min(value for due, value in volts.items() if not MONDAY + 16 * HOUR < due <= MONDAY + 18 * HOUR) > 10_000


def test_each_meter_gasps_once_a_power_cut() -> None:
    told = _told(_fleet().advance(MONDAY + DAY))
    fails = [(due, device) for due, device, kind, each in told if kind == "events" and each["kind"] == "power_fail"]
    assert len(fails) == len(set(fails)) == 2 * 12
    assert {due for due, _ in fails} == {MONDAY + 3 * HOUR + 300_000, MONDAY + 16 * HOUR + 300_000}


def test_a_run_in_pieces_with_a_restart_in_the_dark_says_the_same() -> None:
    whole = list(_fleet().advance(MONDAY + 2 * DAY))
    first, second = _fleet(), _fleet()
    head = list(first.advance(MONDAY + 17 * HOUR))
    document, arrays = first.state()
    assert second.restore(json.loads(json.dumps(document)), arrays)
    assert head + list(second.advance(MONDAY + 30 * HOUR)) + list(second.advance(MONDAY + 2 * DAY)) == whole


def test_a_live_run_s_registers_go_on_where_its_coarse_history_ends() -> None:
    run = Run(seed=3, begins_at=MONDAY, live_from=MONDAY + 2 * HOUR, ends_at=MONDAY + DAY)
    fleet = build_fleet(_scenario(step_seconds=10.0, history_step_seconds=900.0), run)
    registers: dict[str, float] = {}
    steps: set[int] = set()
    before = 0
    for due, device, kind, each in _told(fleet.advance(MONDAY + 3 * HOUR)):
        if kind == "readings" and device[0] in "mp":
            energy = each["readings"]["energy"]["value"]
            assert energy >= registers.get(device, 0.0)
            registers[device] = energy
            steps.add(due - before)
            before = due
    assert len(registers) == 16
    assert min(step for step in steps if step) < 900_000
