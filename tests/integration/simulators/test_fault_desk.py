from datetime import UTC, datetime, timedelta

import pytest

from simulators.fault_desk import attend
from simulators.fleet import Fleet, Name, build_fleet
from simulators.registration import register
from simulators.scenario import load_scenario
from veldwatch.errors import ConfigurationInvalid, NotFound
from veldwatch.storage.connection import Connection
from veldwatch.storage.simulation import SimulatedFault, find_device, list_faults, request_fault, request_stop

DEMO = load_scenario("demo")
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
METER = Name("demo-water", "wm-1001")


@pytest.fixture
def fleet(connection: Connection) -> Fleet:
    register(connection, DEMO)
    connection.commit()
    return build_fleet(DEMO, 1)


def ask(connection: Connection, device: str, kind: str, **parameters: object) -> int:
    return request_fault(connection, device_id=find_device(connection, device), kind=kind, parameters=parameters)


def leaking(fleet: Fleet) -> bool:
    return fleet.faults_of(METER)["leak"].active


def only(connection: Connection) -> SimulatedFault:
    (fault,) = list_faults(connection)
    return fault


def test_a_request_begins_and_its_begin_and_planned_end_are_written_back(connection: Connection, fleet: Fleet) -> None:
    ask(connection, "wm-1001", "leak", duration_seconds=600)
    attend(connection, fleet, NOON)
    assert leaking(fleet)
    assert (only(connection).started_at, only(connection).ends_at) == (NOON, NOON + timedelta(minutes=10))


def test_it_ends_by_itself_and_the_end_is_written_back(connection: Connection, fleet: Fleet) -> None:
    ask(connection, "wm-1001", "leak", duration_seconds=600)
    attend(connection, fleet, NOON)
    attend(connection, fleet, NOON + timedelta(minutes=10))
    assert not leaking(fleet)
    assert only(connection).stopped_at == NOON + timedelta(minutes=10)


def test_it_ends_when_asked(connection: Connection, fleet: Fleet) -> None:
    fault = ask(connection, "wm-1001", "leak")
    attend(connection, fleet, NOON)
    request_stop(connection, fault, now=NOON + timedelta(seconds=30))
    attend(connection, fleet, NOON + timedelta(seconds=31))
    assert not leaking(fleet)
    with pytest.raises(NotFound, match="no running fault"):
        request_stop(connection, fault, now=NOON)


def test_one_of_two_that_ends_leaves_the_other(connection: Connection, fleet: Fleet) -> None:
    ask(connection, "wm-1001", "leak", duration_seconds=60)
    ask(connection, "wm-1001", "leak", duration_seconds=600)
    attend(connection, fleet, NOON)
    attend(connection, fleet, NOON + timedelta(minutes=2))
    assert leaking(fleet)


def test_what_does_not_suit_the_device_never_begins(connection: Connection, fleet: Fleet) -> None:
    ask(connection, "collar-01", "leak")
    attend(connection, fleet, NOON)
    assert only(connection).started_at is None
    assert only(connection).stopped_at == NOON


def test_a_restart_takes_running_faults_up_and_drops_those_that_are_gone(connection: Connection, fleet: Fleet) -> None:
    fault = ask(connection, "wm-1001", "leak")
    attend(connection, fleet, NOON)
    restarted = build_fleet(DEMO, 1)
    attend(connection, restarted, NOON + timedelta(minutes=1))
    assert leaking(restarted)
    assert only(connection).started_at == NOON
    connection.execute("DELETE FROM simulated_fault WHERE id = %s", (fault,))
    attend(connection, restarted, NOON + timedelta(minutes=2))
    assert not leaking(restarted)


@pytest.mark.parametrize("parameters", [{"duration_seconds": "soon"}, {"litres_per_hour": None}, {"deep": {"a": [1]}}])
def test_parameters_that_mean_nothing_do_no_harm(
    connection: Connection, fleet: Fleet, parameters: dict[str, object]
) -> None:
    ask(connection, "wm-1001", "leak", **parameters)
    attend(connection, fleet, NOON)
    assert leaking(fleet)


def test_an_unknown_kind_or_device_is_refused(connection: Connection, fleet: Fleet) -> None:
    assert fleet.members
    with pytest.raises(ConfigurationInvalid, match="bad fault: 'flood'"):
        ask(connection, "wm-1001", "flood")
    with pytest.raises(NotFound, match="no device 'nothing'"):
        ask(connection, "nothing", "leak")
