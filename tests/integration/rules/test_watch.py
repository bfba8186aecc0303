"""Silence on the real database: it counts while somebody listened; and a rule folds all that was ever stored."""

from datetime import UTC, datetime, timedelta

from rules.backtest import run_backtest
from rules.backtests.stretch import Stretch
from rules.postgres_store import PostgresStore
from tests.integration.rules.feed import Engineer, Feed
from veldwatch.model.conditions.flow import ContinuousFlow
from veldwatch.model.conditions.silence import Absence
from veldwatch.model.conditions.values import Threshold
from veldwatch.model.rule import Rule, Severity
from veldwatch.storage import watch
from veldwatch.storage.connection import Connection
from veldwatch.storage.rules import save_rule

START = datetime(2026, 3, 1, tzinfo=UTC)
SILENT = Rule(id="silent", title="Silent", severity=Severity.MINOR, condition=Absence(silent_for=timedelta(seconds=60)))
LEAK = Rule(
    id="leak",
    title="Leak",
    severity=Severity.MAJOR,
    condition=ContinuousFlow(metric="litres", duration=timedelta(hours=3)),
)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def save(connection: Connection, *rules: Rule) -> None:
    with connection.transaction():
        for rule in rules:
            save_rule(connection, rule, "tests")


def listen(connection: Connection, begin: int, end: int) -> None:
    """Beat every five seconds."""
    with connection.transaction():
        for seconds in range(begin, end + 1, 5):
            watch.beat(connection, "ingest", at(seconds))


def test_a_stopped_intake_makes_nobody_silent_and_who_stays_silent_is_told(
    feed: Feed, engineer: Engineer, connection: Connection
) -> None:
    for name in ("speaks", "is-dead"):
        feed.device(name)
    save(connection, SILENT)
    listen(connection, 0, 20)
    feed.contacts([("speaks", at(10)), ("is-dead", at(10))])
    engineer.settle(at(20))
    engineer.settle(at(5000))
    assert engineer.final() == set()

    engineer.restart()
    engineer.settle(at(10_000))
    listen(connection, 10_000, 10_030)
    feed.contacts([("speaks", at(10_030))])
    engineer.settle(at(10_030))
    assert engineer.final() == set()

    listen(connection, 10_030, 10_060)
    engineer.settle(at(10_060))
    # Ten seconds were watched before the gap.
    assert engineer.final() == {("is-dead", "firing", at(10), at(10_050), None)}
    engineer.rounds.flush(at(10_060), everything=True)
    stretch = Stretch(since=at(0), until=at(10_060))
    report = run_backtest(PostgresStore(connection=engineer.connection, until=stretch.until), SILENT, stretch)
    assert {
        (f.target.device and f.target.device.external_id, f.alert.opened_at, f.alert.fired_at) for f in report.findings
    } == {("is-dead", at(10), at(10_050))}


def years_ago(meter: int) -> list[tuple[str, datetime, float]]:
    """Make two days of hourly readings; water runs for as many hours as the meter's number."""
    begin = datetime(2019, 6, 1, tzinfo=UTC)
    litres, made = 0.0, list[tuple[str, datetime, float]]()
    for hour in range(48):
        litres += 5.0 if 10 <= hour < 10 + meter else 0.0
        made.append((f"m{meter}", begin + timedelta(hours=hour), litres))
    return made


def test_it_does_not_matter_whether_a_rule_is_applied_before_an_import_or_after(
    feed: Feed, engineer: Engineer, connection: Connection
) -> None:
    for meter in range(1, 7):
        feed.device(f"m{meter}", ["litres"])
    # Newer than the newest 2,000 that a limited history would have kept.
    recent = [(f"m{meter}", START + timedelta(minutes=n), 1e6) for meter in range(1, 7) for n in range(2500)]
    feed.readings("litres", recent)
    for meter in range(1, 7):
        feed.readings("litres", years_ago(meter))
    engineer.settle(at(10))
    save(connection, LEAK)
    engineer.settle(at(200_000))
    after = engineer.final()
    engineer.connection.execute(
        b"TRUNCATE alert, alert_transition, outbox, alert_comment, attempt, fold, fold_checkpoint, reading_raw, batch,"
        b" log_cursor, incident, incident_part, incident_entry, incident_link, incident_merge, incident_apart"
    )
    engineer.restart()
    feed.readings("litres", recent)
    engineer.settle(at(200_000))
    for meter in range(1, 7):
        feed.readings("litres", years_ago(meter))
        engineer.settle(at(200_000))
    assert engineer.final() == after
    assert {device for device, *_ in after} == {"m4", "m5", "m6"}


def test_a_changed_rule_does_not_tell_old_episodes_again(
    feed: Feed, engineer: Engineer, connection: Connection
) -> None:
    feed.device("m1", ["level"])

    def limit(above: float) -> Rule:
        return Rule(
            id="level", title="Level", severity=Severity.MAJOR, condition=Threshold(metric="level", above=above)
        )

    save(connection, limit(5))
    feed.readings("level", [("m1", at(n), value) for n, value in enumerate([1.0, 9.0, 1.0, 4.0, 1.0, 9.0])])
    engineer.settle(at(10))
    save(connection, limit(3))
    engineer.settle(at(20))
    rows = engineer.connection.execute(
        b"SELECT v.version, a.opened_at, a.state FROM alert a JOIN rule_version v ON v.id = a.rule_version_id"
        b" ORDER BY v.version, a.opened_at"
    ).fetchall()
    assert rows == [
        (1, at(1), "resolved"),
        (1, at(5), "resolved"),
        (2, at(3), "resolved"),
        (2, at(5), "firing"),
    ]
