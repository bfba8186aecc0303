"""The digest of a run: the same for any number of processes, any pace, and through restarts."""

import json
from contextlib import suppress
from datetime import timedelta
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.building import Run, Share, build_fleet
from simulators.fleet import Fleet
from simulators.report import Message, Place
from simulators.scenario import FaultPlan, Scenario
from simulators.scenario_files import SCENARIOS, load_scenario, parse_scenario
from simulators.stream import Digest, digest, in_order, line
from simulators.timetable import TimedFault
from veldwatch.errors import ConfigurationInvalid
from veldwatch.model.faults import FAULTS, FaultKind, FaultLayer, suiting

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


def troubled() -> Scenario:
    """Plan every fault that anything of the bundled region may have, at one or two places each, one after another."""
    scenario = load_scenario("region").model_copy(update={"faults": ()})
    fleet = build_fleet(scenario, Run(seed=7, begins_at=BEGINS, live_from=BEGINS))
    places: list[tuple[FaultKind, Place]] = [
        (kind, place)
        for kind in FAULTS.values()
        for place in [
            *(Place(organisation=d.organisation, device=d.id) for d in scenario.devices if kind in suiting(d.model)),
            *(Place(organisation=s.organisation, site=s.slug) for s in scenario.sites if s.kind in kind.sites),
        ][::7][:2]
    ]
    faults: list[FaultPlan] = []
    for number, (kind, place) in enumerate(places):
        fault = TimedFault(key="tried", kind=kind.name, place=place, starts=BEGINS)
        with suppress(ConfigurationInvalid):  # what suits the model may not suit this one
            fleet.check(fault)
            faults.append(
                FaultPlan(
                    kind=kind.name,
                    organisation=place.organisation,
                    device=place.device,
                    site=place.site,
                    at=timedelta(minutes=5 * (number % 40)),
                    lasts=timedelta(minutes=30 * (1 + number % 7)),
                )
            )
    return scenario.model_copy(update={"faults": tuple(faults)})


@cache
def scenario_of(name: str) -> Scenario:
    match name:
        case "three reserves":
            return reserves()
        case "troubled":
            return troubled()
        case _:
            return load_scenario(name)


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
NAMES = [RESERVES, "troubled", *sorted(path.stem for path in SCENARIOS.glob("*.yaml") if path.stem != "utility")]
each = pytest.mark.parametrize("name", NAMES)


def test_most_kinds_of_fault_are_among_what_is_digested() -> None:
    kinds = {fault.kind for fault in scenario_of("troubled").faults}
    assert {FAULTS[kind].layer for kind in kinds} == set(FaultLayer)
    models = {device.model for device in scenario_of("troubled").devices}
    assert kinds == {kind.name for kind in FAULTS.values() if kind.models & models or kind.sites or not kind.models}


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
