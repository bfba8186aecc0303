"""The digest of a run: the same for any number of processes, any pace, and through restarts."""

import json
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.building import Run, Share, build_fleet
from simulators.fleet import Fleet
from simulators.report import Message
from simulators.scenario import Scenario
from simulators.scenario_files import SCENARIOS, load_scenario, parse_scenario
from simulators.stream import Digest, digest, in_order, line

BEGINS = 1_795_320_000_000
STEPS = 120
RESERVES = "three reserves"


def reserves() -> Scenario:
    """Make three root sites with animals, and faults at two of them."""
    sites: list[dict[str, Any]] = [
        {
            "slug": f"reserve-{number}",
            "organisation": "agency",
            "name": f"Reserve {number}",
            "kind": "reserve",
            "geometry": {"type": "Point", "coordinates": [30.0 + number, -2.0]},
        }
        for number in range(3)
    ]
    content: dict[str, Any] = {
        "name": "reserves",
        "step_seconds": 300,
        "organisations": [{"slug": "agency", "name": "Agency", "kind": "agency"}],
        "profiles": [{"slug": "collar", "name": "Collar", "kind": "tracker", "metrics": []}],
        "sites": sites,
        "devices": [
            {
                "id": f"collar-{number}",
                "name": f"Collar {number}",
                "organisation": "agency",
                "site": f"reserve-{number % 3}",
                "profile": "collar",
                "model": "collar",
                "interval_seconds": 600 if number % 2 else 300,
                "place": [30.0 + number % 3, -2.0],
                "settings": {"species": "elephant", "temperature": True},
            }
            for number in range(12)
        ],
        "faults": [
            {"kind": "streaking", "organisation": "agency", "device": "collar-1", "at": "1h", "lasts": "3h"},
            {
                "kind": "mortality",
                "organisation": "agency",
                "among": {"model": "collar"},
                "count": 3,
                "between": ["1h", "9h"],
            },
        ],
    }
    return parse_scenario(content)


@cache
def scenario_of(name: str) -> Scenario:
    return reserves() if name == RESERVES else load_scenario(name)


@cache
def run_of(name: str) -> Run:
    ends_at = BEGINS + STEPS * round(scenario_of(name).step_seconds * 1000)
    return Run(seed=7, begins_at=BEGINS, live_from=BEGINS, ends_at=ends_at)


def ends_at(name: str) -> int:
    return run_of(name).ends_at or 0


@cache
def whole(name: str) -> Digest:
    return digest(in_order([build_fleet(scenario_of(name), run_of(name))], ends_at(name)))


def restarted(fleet: Fleet, name: str) -> Fleet:
    """Give another fleet that goes on from what a file would hold."""
    document, arrays = fleet.state()
    other = build_fleet(scenario_of(name), run_of(name))
    assert other.restore(json.loads(json.dumps(document)), {key: np.copy(array) for key, array in arrays.items()})
    return other


# 100,000 meters take long, and show here what a town shows.
NAMES = [RESERVES, *sorted(path.stem for path in SCENARIOS.glob("*.yaml") if path.stem != "utility")]
each = pytest.mark.parametrize("name", NAMES)


@each
def test_any_number_of_shares_gives_the_digest_of_the_whole(name: str) -> None:
    assert whole(name).messages > STEPS
    for of in (2, 3):
        shares = [build_fleet(scenario_of(name), run_of(name), Share(number, of)) for number in range(of)]
        assert digest(in_order(shares, ends_at(name))) == whole(name)


@each
@settings(max_examples=5)
@given(cuts=st.lists(st.integers(1, STEPS * 2), max_size=6))
def test_any_pace_and_any_restart_gives_the_digest_of_the_whole(name: str, cuts: list[int]) -> None:
    # Odd numbers lie between two steps.
    half = (ends_at(name) - BEGINS) // (STEPS * 2)
    fleet = build_fleet(scenario_of(name), run_of(name))
    messages: list[Message] = []
    for cut in sorted(cuts):
        messages += in_order([fleet], BEGINS + cut * half)
        fleet = restarted(fleet, name)
    messages += in_order([fleet], ends_at(name))
    assert digest(messages) == whole(name)


def test_another_seed_gives_another_digest() -> None:
    run = Run(seed=8, begins_at=BEGINS, live_from=BEGINS, ends_at=ends_at(RESERVES))
    assert digest(in_order([build_fleet(reserves(), run)], ends_at(RESERVES))) != whole(RESERVES)


@each
def test_messages_come_by_time_topic_and_payload(name: str) -> None:
    messages = [*in_order([build_fleet(scenario_of(name), run_of(name))], ends_at(name))]
    assert messages == sorted(messages)
    assert messages[0].due > BEGINS
    assert messages[-1].due <= ends_at(name)


def test_a_line_holds_time_topic_and_payload() -> None:
    assert line(Message(5, "a/b", b'{"x":1}')) == b'5\ta/b\t{"x":1}\n'
