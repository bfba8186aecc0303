"""A day through the live engine, late, twice, out of order and with restarts, equals its back-test, alert for alert.

The day is that of a bundled scenario, taken in by ingest's own pipeline, watched by all bundled packs. Messages that
are held back arrive hours later; what is silent is told by arrivals, so a back-test sees the arrivals that there were.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from ingest.decoding import Decoding
from ingest.names import Names
from ingest.pipeline import Pipeline
from rules.backtest import BacktestReport, run_backtests
from rules.backtests.spread import Spread
from rules.backtests.stretch import Stretch
from rules.postgres_store import PostgresStore
from rules.rule_files import pack_path, read_rules
from simulators.building import Run, build_fleet
from simulators.moment import from_milliseconds, to_milliseconds
from simulators.registration import register
from simulators.scenario_files import load_scenario
from tests.integration.rules.feed import Engineer
from veldwatch.config import load_settings
from veldwatch.model.conditions.kinds import KINDS, kind_of
from veldwatch.model.rule import Rule
from veldwatch.model.telemetry import Message
from veldwatch.storage.backtests import read_one_moment
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.intake import IntakeWriter
from veldwatch.storage.rules import save_rule
from veldwatch.wire.rule_document import version_id
from veldwatch.wire.sources import Sources

pytestmark = pytest.mark.several_backends("a back-test reads one moment through several connections")

BEGIN = datetime(2026, 1, 5, tzinfo=UTC)
PACKS = ("water", "electricity", "environment", "conservation", "platform")
EVERY_KIND = Path(__file__).parent / "every_kind.yaml"
Alert = tuple[UUID, str, datetime, datetime, datetime | None, tuple[tuple[str, str], ...]]


@dataclass(frozen=True, kw_only=True)
class Day:
    """A scenario played for a while.

    Attributes:
        look: simulated time between two looks of the engine at the log.
    """

    scenario: str
    length: timedelta
    look: timedelta
    seed: int

    @property
    def ends_at(self) -> datetime:
        return BEGIN + self.length

    def messages(self, connection: Connection) -> Iterator[Message]:
        """Register the scenario and give its messages as they would arrive on a good day."""
        scenario = load_scenario(self.scenario)
        begins_at, ends_at = to_milliseconds(BEGIN), to_milliseconds(self.ends_at)
        run = Run(seed=scenario.seed, begins_at=begins_at, live_from=begins_at, ends_at=ends_at)
        register(connection, scenario)
        fleet = build_fleet(scenario, run)
        yield from (Message(m.topic, m.payload, from_milliseconds(m.due)) for m in fleet.advance(ends_at))

    def arrivals(self, connection: Connection) -> Iterator[tuple[datetime, list[Message]]]:
        """Give what arrives until each look: shuffled, some of it hours late, some of it twice."""
        draw = random.Random(self.seed)  # noqa: S311  # the same each time
        looks = self.length // self.look
        portions: list[list[Message]] = [[] for _ in range(looks)]
        for message in self.messages(connection):
            number = min(int((message.received_at - BEGIN) / self.look), looks - 1)
            portions[number].append(message)
            luck = draw.random()
            if luck < 0.05:
                portions[number].pop()
            if luck < 0.08:
                # The last look is left to what the engine puts off.
                late = min(number + draw.randrange(1, 40), looks - 2)
                arrived = max(BEGIN + late * self.look, message.received_at)
                portions[max(late, number)].append(message._replace(received_at=arrived))
        for number, portion in enumerate(portions):
            draw.shuffle(portion)
            yield BEGIN + (number + 1) * self.look, portion


def pack_rules() -> list[Rule]:
    return [rule for name in PACKS for rule in read_rules(pack_path(name))]


def every_rule() -> list[Rule]:
    """Give all bundled rules, and rules of every kind of condition, with severities that rise and a schedule."""
    return [*pack_rules(), *read_rules(EVERY_KIND)]


def live(day: Day, dsn: str, engineer: Engineer, rules: Sequence[Rule]) -> None:
    """Let a day happen: intake, and the engine that looks now and then and loses its memory now and then."""
    settings = load_settings(dsn=dsn)
    decoding = Decoding(
        Sources(settings.sources),
        payload_limit_bytes=settings.payload_limit_bytes,
        default_organisation=settings.default_organisation,
    )
    pipeline, writer = Pipeline(decoding, Names(settings), each_arrival=True), IntakeWriter(dsn)
    draw = random.Random(day.seed)  # noqa: S311  # the same each time
    try:
        with connect(dsn, autocommit=True) as connection:
            for number, (now, portion) in enumerate(day.arrivals(connection)):
                if number == 0:
                    with connection.transaction():
                        for rule in rules:
                            save_rule(connection, rule, "tests")
                for begin in range(0, len(portion), 500):
                    pipeline.store(writer, portion[begin : begin + 500])
                engineer.settle(now)
                if draw.random() < 0.2:
                    engineer.restart()
                elif draw.random() < 0.2:
                    engineer.rounds.flush(now, everything=True)
    finally:
        writer.close()
    engineer.settle(day.ends_at)


def recorded(connection: Connection, rule: Rule, since: datetime, until: datetime) -> set[Alert]:
    rows = connection.execute(
        b"SELECT id, state, opened_at, fired_at, resolved_at, raises FROM alert"
        b" WHERE rule_version_id = %s AND state <> 'retracted' AND fired_at >= %s AND fired_at < %s",
        (version_id(rule), since, until),
    ).fetchall()
    return {(*row[:5], tuple((str(_time(one["at"])), one["severity"]) for one in row[5])) for row in rows}


def found(report: BacktestReport) -> set[Alert]:
    alerts = [finding.alert for finding in report.findings]
    return {
        (
            a.id,
            a.state.value,
            a.opened_at,
            a.fired_at or a.opened_at,
            a.resolved_at,
            tuple((str(one.at), one.severity) for one in a.raises),
        )
        for a in alerts
    }


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def check(day: Day, dsn: str, engineer: Engineer, rules: Sequence[Rule]) -> dict[str, list[Alert]]:
    """Compare what was recorded with back-tests of all of it and of its end; give it by rule."""
    wanted: dict[str, list[Alert]] = {}
    # All of it in shares and leaps, its end one observation after the other from a saved state.
    for since, in_shares in ((BEGIN, True), (BEGIN + day.length / 3, False)):
        stretch = Stretch(since=since, until=day.ends_at)
        with connect(dsn) as connection:
            read_one_moment(connection)
            store = PostgresStore(connection=connection, until=stretch.until)
            spread = Spread(dsn=dsn, connection=connection, rules=tuple(rules), processes=2)
            reports = run_backtests(store, rules, stretch, fold=spread if in_shares else None)
        for rule, report in zip(rules, reports, strict=True):
            standing = recorded(engineer.connection, rule, since, day.ends_at)
            assert found(report) == standing, rule.id
            wanted.setdefault(rule.id, []).extend(standing)
    return wanted


@pytest.mark.timeout(900)
def test_a_simulated_day_equals_its_back_test(dsn: str, engineer: Engineer) -> None:
    day = Day(scenario="region", length=timedelta(hours=24), look=timedelta(hours=2), seed=1)
    rules = every_rule()
    live(day, dsn, engineer, rules)
    standing = check(day, dsn, engineer, rules)
    quiet = {kind_of(rule.condition) for rule in rules} - {kind_of(r.condition) for r in rules if standing[r.id]}
    assert (quiet, {kind_of(rule.condition) for rule in rules}) == (set(), set(KINDS))
    risen = {rule.id for rule in rules if any(alert[5] for alert in standing[rule.id])}
    assert len(risen) >= 5


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("scenario", "days", "seed"), [("region", 3, 2), ("town", 4, 3), ("reserve", 4, 4)])
def test_simulated_days_equal_their_back_tests(
    dsn: str, engineer: Engineer, scenario: str, days: int, seed: int
) -> None:
    day = Day(scenario=scenario, length=timedelta(days=days), look=timedelta(minutes=30), seed=seed)
    rules = pack_rules()
    live(day, dsn, engineer, rules)
    assert sum(map(len, check(day, dsn, engineer, rules).values())) >= 10
