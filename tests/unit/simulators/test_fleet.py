import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.building import Run, build_fleet
from simulators.fleet import Fleet
from simulators.report import Message, Name, Place
from simulators.scenario import DevicePlan, Scenario
from simulators.scenario_files import load_scenario
from simulators.timetable import TimedFault
from veldwatch.errors import ConfigurationInvalid
from veldwatch.model.faults import FAULTS, FaultKind

BEGINS = 1_795_320_000_000
HOUR = 3_600_000
STEPS = 48
ENDS = BEGINS + 4 * HOUR
RUN = Run(seed=5, begins_at=BEGINS, live_from=ENDS, ends_at=ENDS)


@cache
def scenario() -> Scenario:
    """Return some of the region's devices, which report every quarter of an hour, without the faults that it plans."""
    region = load_scenario("region")
    one_each = {plan.model: plan for plan in region.devices}
    gateways = tuple(plan for plan in region.devices if plan.model == "gateway")
    kept = {(plan.organisation, plan.id): plan for plan in (*gateways, *one_each.values(), *region.devices[::15])}
    gateway_of = {plan.organisation: plan.id for plan in gateways}
    often = tuple(
        plan.model_copy(
            update={
                "interval_seconds": 900.0,
                "gateway": None if plan.model == "gateway" else gateway_of.get(plan.organisation),
            }
        )
        for plan in kept.values()
    )
    return region.model_copy(update={"devices": often, "faults": ()})


def place_of(kind: FaultKind) -> Place | None:
    """Return a place in the region that such a fault suits; None: it has none."""
    if kind.sites:
        sites = [site for site in scenario().sites if site.kind in kind.sites]
        return Place(organisation=sites[0].organisation, site=sites[0].slug) if sites else None
    for plan in scenario().devices:
        suits = plan.model in kind.models or (not kind.models and plan.model != "gateway")
        if suits and plan.settings.get("species", "elephant") == "elephant" and _has_devices_behind(plan):
            return Place(organisation=plan.organisation, device=plan.id)
    return None


def _has_devices_behind(plan: DevicePlan) -> bool:
    return plan.model != "gateway" or any(other.gateway == plan.id for other in scenario().devices)


def timed(kind: FaultKind) -> TimedFault:
    place = place_of(kind)
    assert place is not None
    return TimedFault(key="one", kind=kind.name, place=place, starts=BEGINS + HOUR, ends=BEGINS + 2 * HOUR)


def fleet(*faults: TimedFault) -> Fleet:
    made = build_fleet(scenario(), RUN)
    for fault in faults:
        made.check(fault)
        made.timetable.add(fault)
    return made


def restarted(old: Fleet, *faults: TimedFault) -> Fleet:
    document, arrays = old.state()
    new = fleet(*faults)
    assert new.restore(json.loads(json.dumps(document)), {key: np.array(array) for key, array in arrays.items()})
    return new


def clean_run() -> list[Message]:
    return clean_run_of_hours((ENDS - BEGINS) // HOUR)


@cache
def clean_run_of_hours(hours: int) -> list[Message]:
    return list(fleet().advance(BEGINS + hours * HOUR))


@cache
def faulty_run(kind: FaultKind) -> list[Message]:
    return list(fleet(timed(kind)).advance(ENDS))


SUITING = [kind for kind in FAULTS.values() if place_of(kind) is not None]


def played(made: Fleet, *stops: int) -> Iterator[Message]:
    for stop in stops:
        yield from made.advance(stop)


@settings(max_examples=2)
@given(cut=st.integers(1, STEPS - 1))
@pytest.mark.parametrize("kind", SUITING, ids=lambda kind: kind.name)
def test_a_restart_in_the_middle_of_any_fault_changes_no_byte(kind: FaultKind, cut: int) -> None:
    fault = timed(kind)
    first = fleet(fault)
    middle = BEGINS + cut * (ENDS - BEGINS) // STEPS
    before = list(first.advance(middle))
    assert before + list(restarted(first, fault).advance(ENDS)) == faulty_run(kind)


@pytest.mark.parametrize("kind", SUITING, ids=lambda kind: kind.name)
def test_a_fault_changes_nothing_before_its_begin_and_no_other_device(kind: FaultKind) -> None:
    fault = timed(kind)
    clean, faulty = clean_run(), faulty_run(kind)
    assert [m for m in clean if m.due <= fault.starts] == [m for m in faulty if m.due <= fault.starts]
    if fault.place.device is not None and kind.layer.value != "physics":
        concerned = {name.device for name in fleet(fault).devices_at(fault.place)}

        def elsewhere(messages: list[Message]) -> list[Message]:
            return [message for message in messages if message.topic.split("/")[3] not in concerned]

        assert elsewhere(clean) == elsewhere(faulty)


@pytest.mark.parametrize(
    "kind", [kind for kind in SUITING if kind.name not in {"roll_over", "clock_skew"}], ids=lambda kind: kind.name
)
def test_a_fault_is_seen_in_what_its_place_says(kind: FaultKind) -> None:
    lasting = replace(timed(kind), ends=None)
    # A pump that is not asked to start, or an animal that sleeps, takes its time to show.
    for hours in (4, 36):
        until = BEGINS + hours * HOUR
        if clean_run_of_hours(hours) != list(played(fleet(lasting), until)):
            return
    pytest.fail("36 hours on, nothing shows")


@given(stops=st.lists(st.integers(BEGINS, ENDS), max_size=6))
@settings(max_examples=5)
def test_how_far_each_call_goes_changes_no_byte(stops: list[int]) -> None:
    assert list(played(fleet(), *sorted(stops), ENDS)) == clean_run()


def test_what_a_gateway_held_back_comes_when_it_is_back_and_nothing_is_lost() -> None:
    kind = FAULTS["gateway_backlog"]
    fault = timed(kind)
    clean, held = clean_run(), list(played(fleet(fault), ENDS))
    behind = {name.device for name in fleet(fault).devices_at(fault.place)}
    assert len(behind) > 1
    assert sorted(m[1:] for m in clean) == sorted(m[1:] for m in held)
    during = [m for m in held if fault.starts < m.due <= (fault.ends or 0)]
    assert not [m for m in during if m.topic.split("/")[3] in behind]


def test_what_is_late_as_well_behind_a_gateway_that_holds_back_is_not_lost() -> None:
    backlog = timed(FAULTS["gateway_backlog"])
    reorder = replace(backlog, key="reorder", kind="reorder", parameters={"window_seconds": 60.0})
    clean, held = clean_run(), list(played(fleet(backlog, reorder), ENDS))
    assert sorted(m[1:] for m in clean) == sorted(m[1:] for m in held)


def test_a_fault_that_does_not_suit_is_refused_with_its_place() -> None:
    meter = next(plan for plan in scenario().devices if plan.model == "water_meter")
    place = Place(organisation=meter.organisation, device=meter.id)
    for kind in ("mortality", "pump_failure", "gateway_backlog", "flood"):
        with pytest.raises(ConfigurationInvalid, match=f"bad fault: '{kind}'"):
            fleet().check(TimedFault(key="one", kind=kind, place=place, starts=BEGINS))
    nowhere = Place(organisation=meter.organisation, device="nobody")
    with pytest.raises(ConfigurationInvalid, match="bad fault"):
        fleet().check(TimedFault(key="one", kind="leak", place=nowhere, starts=BEGINS))


def test_the_state_of_other_devices_is_refused() -> None:
    document, arrays = fleet().state()
    other = build_fleet(scenario().model_copy(update={"devices": scenario().devices[:3]}), RUN)
    assert not other.restore(document, arrays)
    assert other.now == BEGINS


def test_every_device_of_the_scenario_is_a_member() -> None:
    assert set(fleet().members) == {Name(plan.organisation, plan.id) for plan in scenario().devices}


def test_of_two_backlogs_at_a_gateway_the_last_lets_go() -> None:
    first = timed(FAULTS["gateway_backlog"])
    second = replace(first, key="two", starts=first.starts + HOUR // 2, ends=(first.ends or 0) + HOUR // 2)
    behind = {name.device for name in fleet(first).devices_at(first.place)}
    held = list(played(fleet(first, second), ENDS))
    during = [m for m in held if first.starts < m.due <= (second.ends or 0)]
    assert not [m for m in during if m.topic.split("/")[3] in behind]
    assert sorted(m[1:] for m in clean_run()) == sorted(m[1:] for m in held)
