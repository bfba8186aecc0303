"""A scenario's messages into a database as if they had come when the scenario says, and the truth beside them.

They go through ingest's own pipeline: decoders, register, storage, quarantine. A broker would only add the moment at
which a message arrives, and that would be now for all of them: what is silent, late or held back by a gateway shows in
arrivals, so here each message arrives when the scenario lets it.
"""

from dataclasses import dataclass
from datetime import UTC
from itertools import islice

from ingest.decoding import Decoding
from ingest.names import Names
from ingest.pipeline import Pipeline, Report
from launch.scorecard.cases import Case
from simulators.building import Run, Share, build_fleet, share_of
from simulators.fault_desk import FaultDesk
from simulators.moment import from_milliseconds, to_milliseconds
from simulators.planned_calendar import planned_calendars
from simulators.registration import register
from simulators.scenario import Scenario
from simulators.scenario_files import load_scenario
from veldwatch.config import Settings, patience_of
from veldwatch.model.telemetry import Message
from veldwatch.storage.calendars import CalendarImport, import_calendar
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.intake import IntakeWriter
from veldwatch.storage.interruptions import Place
from veldwatch.storage.simulation_runs import RunPlan, mark_run_stopped, start_run
from veldwatch.wire.calendar_file import read_calendar
from veldwatch.wire.sources import Sources

_AT_ONCE = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What came of a replay.

    Attributes:
        run_id: of the simulators' run, whose truth is in the database.
        taken: what ingest made of the messages.
    """

    run_id: int
    taken: Report


def replay(settings: Settings, case: Case) -> Replayed:
    """Register a case's scenario, take its messages in, and write which faults there were.

    Args:
        settings: with the DSN of a migrated database of the case's own.
    """
    scenario = load_scenario(case.scenario)
    run, ends_at = _run(scenario, case), to_milliseconds(case.ends_at)
    share = Share(0, case.of)
    fleet = build_fleet(scenario, run, share)
    plan = RunPlan(
        scenario=case.scenario, seed=scenario.seed, begins_at=case.begins_at, ends_at=case.ends_at, speed=None
    )
    with connect(settings.dsn, autocommit=True) as connection:
        register(connection, share_of(scenario, share))
        import_plans(connection, settings, case)
        run_id = start_run(connection, plan, requested_by="scorecard")
        taken = Report()
        pipeline, writer = pipeline_of(settings), IntakeWriter(settings.dsn)
        try:
            messages = (Message(m.topic, m.payload, from_milliseconds(m.due)) for m in fleet.advance(ends_at))
            while chunk := list(islice(messages, _AT_ONCE)):
                taken.add(pipeline.store(writer, chunk))
        finally:
            writer.close()
        FaultDesk(fleet=fleet, run_id=run_id).attend(connection)
        mark_run_stopped(connection, run_id)
    return Replayed(run_id=run_id, taken=taken)


def import_plans(connection: Connection, settings: Settings, case: Case) -> None:
    """Import what each organisation of a case plans to switch off, as somebody who runs such a place would."""
    scenario = load_scenario(case.scenario)
    known = {plan.slug for plan in share_of(scenario, Share(0, case.of)).organisations}
    for organisation, text in planned_calendars(scenario, _run(scenario, case)).items():
        # Of a share only what is played is registered; what else is planned leads to no site and is left out.
        if organisation not in known:
            continue
        asked = CalendarImport(
            organisation=organisation,
            slug="planned",
            kind="planned",
            file=read_calendar(text),
            place=Place(),
            zone=UTC,
        )
        import_calendar(
            connection, asked, author="scorecard", scope=None, now=case.begins_at, patience=patience_of(settings)
        )


def _run(scenario: Scenario, case: Case) -> Run:
    begins_at, ends_at = to_milliseconds(case.begins_at), to_milliseconds(case.ends_at)
    return Run(seed=scenario.seed, begins_at=begins_at, live_from=begins_at, ends_at=ends_at)


def pipeline_of(settings: Settings) -> Pipeline:
    """Make ingest's own pipeline, in which each message keeps the moment at which it arrived."""
    decoding = Decoding(
        Sources(settings.sources),
        payload_limit_bytes=settings.payload_limit_bytes,
        default_organisation=settings.default_organisation,
    )
    return Pipeline(decoding, Names(settings), each_arrival=True)
