from datetime import UTC, datetime, timedelta

import pytest

from simulators.building import Run, build_fleet
from simulators.fault_desk import FaultDesk
from simulators.fleet import Fleet
from simulators.moment import to_milliseconds
from simulators.registration import register
from simulators.scenario_files import load_scenario
from veldwatch.errors import ConfigurationInvalid, NotFound
from veldwatch.model.faults import FAULTS
from veldwatch.storage.connection import Connection
from veldwatch.storage.simulation import (
    SimulatedFault,
    find_device,
    find_site,
    list_faults,
    request_fault,
    request_stop,
    truth,
)
from veldwatch.storage.simulation_runs import RunPlan, start_run

DEMO = load_scenario("demo")
TOWN = load_scenario("town")
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
RUN = Run(seed=1, begins_at=to_milliseconds(NOON), live_from=to_milliseconds(NOON))


@pytest.fixture
def fleet(connection: Connection) -> Fleet:
    register(connection, DEMO)
    connection.commit()
    return build_fleet(DEMO, RUN)


@pytest.fixture
def desk(fleet: Fleet) -> FaultDesk:
    return FaultDesk(fleet=fleet, run_id=None)


def advance(fleet: Fleet, **span: float) -> None:
    for _ in fleet.advance(fleet.now + round(timedelta(**span).total_seconds() * 1000)):
        pass


def ask(connection: Connection, device: str, kind: str, **parameters: object) -> int:
    return request_fault(connection, device_id=find_device(connection, device), kind=kind, parameters=parameters)


def running(fleet: Fleet) -> list[str]:
    return [fault.kind for fault in fleet.timetable.running.values()]


def only(connection: Connection) -> SimulatedFault:
    (fault,) = list_faults(connection)
    return fault


def test_a_request_begins_and_its_begin_and_planned_end_are_written_back(
    connection: Connection, fleet: Fleet, desk: FaultDesk
) -> None:
    ask(connection, "wm-1001", "leak", duration_seconds=600)
    desk.attend(connection)
    advance(fleet, seconds=1)
    assert running(fleet) == ["leak"]
    assert (only(connection).started_at, only(connection).ends_at) == (NOON, NOON + timedelta(minutes=10))


def test_it_ends_by_itself_and_the_end_is_written_back(connection: Connection, fleet: Fleet, desk: FaultDesk) -> None:
    ask(connection, "wm-1001", "leak", duration_seconds=600)
    desk.attend(connection)
    advance(fleet, minutes=10, seconds=1)
    desk.attend(connection)
    assert running(fleet) == []
    assert only(connection).stopped_at == NOON + timedelta(minutes=10)


def test_it_ends_when_asked(connection: Connection, fleet: Fleet, desk: FaultDesk) -> None:
    fault = ask(connection, "wm-1001", "leak")
    desk.attend(connection)
    advance(fleet, seconds=31)
    request_stop(connection, fault, now=NOON + timedelta(seconds=30))
    desk.attend(connection)
    advance(fleet, seconds=1)
    assert running(fleet) == []
    assert only(connection).stopped_at == NOON + timedelta(seconds=30)
    with pytest.raises(NotFound, match="no running fault"):
        request_stop(connection, fault, now=NOON)


def test_a_fault_that_does_not_suit_its_device_is_closed(connection: Connection, fleet: Fleet, desk: FaultDesk) -> None:
    ask(connection, "em-2001", "outage")
    with pytest.raises(ConfigurationInvalid):
        ask(connection, "wm-1001", "earthquake")
    # The database cannot know that this meter stands alone: the simulators say so.
    device_id = find_device(connection, "gw-1")
    request_fault(connection, device_id=device_id, kind="gateway_backlog", parameters={})
    desk.attend(connection)
    advance(fleet, seconds=1)
    assert "outage" in running(fleet)


def test_after_a_restart_faults_begin_again_at_the_moment_at_which_they_began(
    connection: Connection, fleet: Fleet, desk: FaultDesk
) -> None:
    lasting, short = ask(connection, "wm-1001", "leak"), ask(connection, "wm-1002", "leak", duration_seconds=60)
    document, arrays = fleet.state()
    desk.attend(connection)
    told = list(fleet.advance(fleet.now + 120_000))
    desk.attend(connection)
    assert {fault.id: fault.stopped_at is None for fault in list_faults(connection)} == {lasting: True, short: False}

    again = build_fleet(DEMO, RUN)
    assert again.restore(document, arrays)
    resumed = FaultDesk(fleet=again, run_id=None)
    resumed.take_up(connection)
    resumed.attend(connection)
    assert list(again.advance(again.now + 120_000)) == told


def test_parameters_that_are_no_numbers_mean_nothing(connection: Connection, fleet: Fleet, desk: FaultDesk) -> None:
    ask(connection, "wm-1001", "leak", litres_per_hour="much", duration_seconds=True)
    desk.attend(connection)
    advance(fleet, seconds=1)
    assert running(fleet) == ["leak"]
    assert only(connection).ends_at is None


def test_the_truth_of_planned_faults_is_written_with_place_size_begin_and_end(connection: Connection) -> None:
    register(connection, TOWN)
    ends_at = NOON + timedelta(days=60)
    run_id = start_run(connection, RunPlan(scenario="town", seed=1, begins_at=NOON, ends_at=ends_at))
    fleet = build_fleet(
        TOWN, Run(seed=1, begins_at=RUN.begins_at, live_from=RUN.begins_at, ends_at=to_milliseconds(ends_at))
    )
    planned = {fault.key: fault for fault in fleet.timetable.planned()}
    first = min(planned.values(), key=lambda fault: (fault.starts, fault.key))
    fleet.now = first.starts + 3_600_000
    desk = FaultDesk(fleet=fleet, run_id=run_id)
    desk.attend(connection)
    desk.attend(connection)
    begun = [fault for fault in planned.values() if fault.starts <= fleet.now]
    written = truth(connection, None, since=NOON, until=ends_at, run_id=run_id)
    assert sorted(fault.planned_key or "" for fault in written) == sorted(fault.key for fault in begun)
    for fault in written:
        plan = planned[fault.planned_key or ""]
        assert fault.kind == plan.kind
        assert (fault.device, fault.site) == (plan.place.device, plan.place.site)
        assert fault.started_at is not None
        assert to_milliseconds(fault.started_at) == plan.starts


def test_a_site_can_have_a_fault(connection: Connection) -> None:
    register(connection, TOWN)
    fleet = build_fleet(TOWN.model_copy(update={"faults": ()}), RUN)
    desk = FaultDesk(fleet=fleet, run_id=None)
    zone = next(site for site in TOWN.sites if site.kind == "district_metered_area")
    request_fault(connection, site_id=find_site(connection, zone.slug, zone.organisation), kind="burst", parameters={})
    desk.attend(connection)
    advance(fleet, minutes=10)
    assert running(fleet) == ["burst"]
    assert only(connection).size == FAULTS["burst"].parameters[0].usual


def test_while_a_live_run_tells_its_history_a_fault_waits_for_the_moment_at_which_it_was_asked_for(
    connection: Connection, fleet: Fleet
) -> None:
    desk = FaultDesk(fleet=fleet, run_id=None, is_live=True)
    ask(connection, "wm-1001", "leak")
    desk.attend(connection)
    assert only(connection).started_at is None
    fleet.now = to_milliseconds(only(connection).requested_at)
    desk.attend(connection)
    started_at = only(connection).started_at
    assert started_at is not None
    assert to_milliseconds(started_at) == fleet.now
