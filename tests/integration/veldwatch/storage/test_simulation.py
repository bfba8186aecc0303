"""Runs of the simulators and the truth of their faults, on each kind of server."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from veldwatch.errors import ConfigurationInvalid, NotFound
from veldwatch.model.faults import FAULTS
from veldwatch.model.identifiers import DeviceId, OrganisationId, SiteId
from veldwatch.model.register import Device, Site
from veldwatch.storage import register, simulation, simulation_runs
from veldwatch.storage.connection import Connection
from veldwatch.storage.simulation import FaultSpan, SimulatedFault
from veldwatch.storage.simulation_runs import RunPlan

T0 = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Town:
    organisation: OrganisationId
    other: OrganisationId
    site: SiteId
    meter: DeviceId
    run: int


@pytest.fixture
def town(connection: Connection) -> Town:
    organisation = register.ensure_organisation(connection, "kasama", "Kasama Water")
    other = register.ensure_organisation(connection, "lwimba")
    site = register.ensure_site(connection, Site(organisation_id=organisation, slug="north", name="North"))
    register.ensure_site(connection, Site(organisation_id=other, slug="north", name="Northern gate"))
    meter = register.ensure_device(
        connection, Device(organisation_id=organisation, external_id="m-1", name="Mulenga Road 4", source="veldwatch")
    )
    run = simulation_runs.start_run(connection, RunPlan(scenario="town", seed=7, begins_at=T0))
    connection.commit()
    return Town(organisation, other, site, meter, run)


def record(connection: Connection, town: Town, span: FaultSpan, key: str = "0.0", **parameters: object) -> int:
    return simulation.record_fault(
        connection,
        run_id=town.run,
        planned_key=key,
        kind="burst",
        span=span,
        site_id=town.site,
        parameters=parameters,
    )


def found(connection: Connection, town: Town, since: datetime, until: datetime) -> list[SimulatedFault]:
    return simulation.truth(connection, town.organisation, since=since, until=until)


def test_a_planned_fault_tells_where_what_and_how_big(connection: Connection, town: Town) -> None:
    record(connection, town, FaultSpan(started_at=T0 + HOUR, ends_at=T0 + DAY), litres_per_second=12)
    (fault,) = found(connection, town, T0, T0 + DAY)
    assert (fault.organisation, fault.site, fault.device, fault.place_name) == ("kasama", "north", None, "North")
    assert (fault.kind, fault.size, fault.size_unit) == ("burst", 12.0, "L/s")
    assert (fault.started_at, fault.ends_at, fault.stopped_at) == (T0 + HOUR, T0 + DAY, None)
    assert (fault.run_id, fault.planned_key, fault.requested_by) == (town.run, "0.0", "scenario")


def test_a_size_that_is_not_said_is_the_usual_one_and_a_kind_without_a_size_has_none(
    connection: Connection, town: Town
) -> None:
    for said in (None, "a lot", True, 10**400):
        record(connection, town, FaultSpan(started_at=T0), litres_per_second=said)
        assert found(connection, town, T0, T0 + DAY)[0].size == FAULTS["burst"].parameters[0].usual
    simulation.request_fault(connection, kind="stuck", device_id=town.meter)
    assert (simulation.list_faults(connection)[0].size, simulation.list_faults(connection)[0].size_unit) == (None, None)


def test_written_twice_it_is_one_and_an_earlier_end_that_is_known_holds(connection: Connection, town: Town) -> None:
    first = record(connection, town, FaultSpan(started_at=T0, ends_at=T0 + DAY))
    simulation.request_stop(connection, first, now=T0 + HOUR)
    again = record(connection, town, FaultSpan(started_at=T0, ends_at=T0 + DAY))
    (fault,) = simulation.list_faults(connection)
    assert again == first == fault.id
    assert fault.ends_at == T0 + HOUR
    record(connection, town, FaultSpan(started_at=T0, ends_at=T0 + DAY, stopped_at=T0 + HOUR))
    record(connection, town, FaultSpan(started_at=T0, ends_at=T0 + DAY))
    assert simulation.list_faults(connection)[0].stopped_at == T0 + HOUR


def test_the_same_key_in_another_run_is_another_fault(connection: Connection, town: Town) -> None:
    record(connection, town, FaultSpan(started_at=T0))
    second = simulation_runs.start_run(connection, RunPlan(scenario="town", seed=7, begins_at=T0))
    record(connection, Town(town.organisation, town.other, town.site, town.meter, second), FaultSpan(started_at=T0))
    assert len(found(connection, town, T0, T0 + DAY)) == 2
    assert len(simulation.truth(connection, None, since=T0, until=T0 + DAY, run_id=second)) == 1


@pytest.mark.parametrize(
    ("since", "until", "is_on"),
    [
        (T0, T0 + HOUR, False),
        (T0, T0 + HOUR + timedelta(seconds=1), True),
        (T0 + 2 * HOUR - timedelta(seconds=1), T0 + DAY, True),
        (T0 + 2 * HOUR, T0 + DAY, False),
    ],
)
def test_truth_is_what_was_on_within_a_stretch(
    connection: Connection, town: Town, since: datetime, until: datetime, *, is_on: bool
) -> None:
    record(connection, town, FaultSpan(started_at=T0 + HOUR, stopped_at=T0 + 2 * HOUR))
    assert bool(found(connection, town, since, until)) == is_on
    assert simulation.truth(connection, town.other, since=since, until=until) == []


def test_what_was_asked_for_is_truth_from_when_it_began(connection: Connection, town: Town) -> None:
    asked = simulation.request_fault(connection, kind="leak", device_id=town.meter, requested_by="ana")
    assert found(connection, town, T0, T0 + DAY) == []
    simulation.mark_started(connection, asked, at=T0 + HOUR, ends_at=None, run_id=town.run)
    (fault,) = found(connection, town, T0, T0 + DAY)
    assert (fault.device, fault.site, fault.run_id, fault.planned_key) == ("m-1", None, town.run, None)


def test_what_a_run_never_reached_never_was(connection: Connection, town: Town) -> None:
    record(connection, town, FaultSpan(started_at=T0 + HOUR), "early")
    record(connection, town, FaultSpan(started_at=T0 + 5 * HOUR), "late")
    simulation_runs.mark_run_progress(connection, town.run, simulated_until=T0 + 2 * HOUR, messages=10)
    assert [fault.planned_key for fault in found(connection, town, T0, T0 + DAY)] == ["early"]


def test_a_stop_counts_in_the_time_of_the_run(connection: Connection, town: Town) -> None:
    fault = record(connection, town, FaultSpan(started_at=T0))
    simulation_runs.mark_run_progress(connection, town.run, simulated_until=T0 + HOUR, messages=1)
    simulation.request_stop(connection, fault, now=datetime.now(UTC), organisation_id=town.organisation)
    assert simulation.list_faults(connection)[0].ends_at == T0 + HOUR
    with pytest.raises(NotFound, match="no running fault"):
        simulation.request_stop(connection, fault, now=T0, organisation_id=town.other)


def test_what_makes_no_sense_is_refused(connection: Connection, town: Town) -> None:
    for kind, device, site, complaint in (
        ("flood", town.meter, None, "'flood' .expected one of"),
        ("leak", None, None, "expected a device or a site"),
        ("burst", town.meter, town.site, "expected a device or a site"),
        ("burst", town.meter, None, "expected a site: "),
        ("leak", None, town.site, "expected a device"),
    ):
        with pytest.raises(ConfigurationInvalid, match=complaint):
            simulation.request_fault(connection, kind=kind, device_id=device, site_id=site)


def test_places_are_found_by_name(connection: Connection, town: Town) -> None:
    assert simulation.find_device(connection, "m-1") == town.meter
    assert simulation.find_site(connection, "north", "kasama") == town.site
    with pytest.raises(NotFound, match="site 'north' is in kasama, lwimba"):
        simulation.find_site(connection, "north")
    with pytest.raises(NotFound, match="no site 'south'"):
        simulation.find_site(connection, "south")


def test_a_run_is_asked_for_taken_up_once_stopped_and_over(connection: Connection, town: Town) -> None:
    run = simulation_runs.request_run(connection, RunPlan(scenario="reserve", speed=None), requested_by="ana")
    assert [one.id for one in simulation_runs.open_runs(connection)] == [town.run, run]
    asked = simulation_runs.get_run(connection, run)
    assert (asked.seed, asked.speed, asked.started_at, asked.requested_by) == (None, None, None, "ana")
    assert simulation_runs.mark_run_started(connection, run, seed=3, begins_at=T0, ends_at=T0 + DAY)
    assert not simulation_runs.mark_run_started(connection, run, seed=4)
    simulation_runs.mark_run_progress(connection, run, simulated_until=T0 + HOUR, messages=10)
    simulation_runs.mark_run_progress(connection, run, simulated_until=T0 + HOUR / 2, messages=5)
    simulation_runs.request_run_stop(connection, run)
    simulation_runs.mark_run_stopped(connection, run, note="as asked")
    simulation_runs.mark_run_stopped(connection, run, note="again")
    over = simulation_runs.get_run(connection, run)
    assert (over.seed, over.begins_at, over.ends_at, over.simulated_until) == (3, T0, T0 + DAY, T0 + HOUR)
    assert (over.messages, over.note) == (15, "as asked")
    assert over.stop_requested_at is not None
    assert over.stopped_at is not None
    assert [one.id for one in simulation_runs.open_runs(connection)] == [town.run]
    assert [one.id for one in simulation_runs.list_runs(connection)] == [run, town.run]
    with pytest.raises(NotFound, match="no open run"):
        simulation_runs.request_run_stop(connection, run)
    with pytest.raises(NotFound, match="no run 12345"):
        simulation_runs.get_run(connection, 12345)


def test_a_run_that_is_over_leaves_no_fault_open(connection: Connection, town: Town) -> None:
    record(connection, town, FaultSpan(started_at=T0, ends_at=T0 + HOUR), "planned")
    record(connection, town, FaultSpan(started_at=T0), "endless")
    simulation_runs.mark_run_progress(connection, town.run, simulated_until=T0 + DAY, messages=1)
    simulation_runs.mark_run_stopped(connection, town.run)
    ends = {fault.planned_key: fault.stopped_at for fault in simulation.list_faults(connection, run_id=town.run)}
    assert ends == {"planned": T0 + HOUR, "endless": T0 + DAY}


@pytest.mark.parametrize(
    ("plan", "complaint"),
    [
        (RunPlan(scenario=""), "no scenario"),
        (RunPlan(scenario="town", seed=2**63), "seed 9223372036854775808"),
        (RunPlan(scenario="town", speed=0.0), "speed 0.0"),
        (RunPlan(scenario="town", speed=float("nan")), "speed nan"),
        (RunPlan(scenario="town", begins_at=T0, ends_at=T0), "it ends at"),
    ],
)
@pytest.mark.parametrize("server_kind", ["plain"], indirect=True)
def test_a_run_that_could_never_be_is_refused(connection: Connection, plan: RunPlan, complaint: str) -> None:
    with pytest.raises(ConfigurationInvalid, match=complaint):
        simulation_runs.request_run(connection, plan)


@pytest.mark.parametrize("server_kind", ["plain"], indirect=True)
def test_a_run_that_begins_by_itself_says_when(connection: Connection) -> None:
    with pytest.raises(ConfigurationInvalid, match="no begins_at"):
        simulation_runs.start_run(connection, RunPlan(scenario="town"))
