"""Alerts in a database, as the engine would have written them, for notifications to tell of."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid4

from psycopg.types.json import Jsonb

from veldwatch.model.notifications import Channel
from veldwatch.storage.connection import Connection
from veldwatch.storage.outbox import enqueue
from veldwatch.storage.receivers import NewReceiver, add_receiver
from veldwatch.storage.register import ensure_organisation

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A firing alert of an organisation."""

    id: UUID
    organisation_id: int


def add_alert(connection: Connection, organisation: str = "demo-water") -> Alert:
    organisation_id = ensure_organisation(connection, organisation)
    version, alert_id = uuid4(), uuid4()
    row = connection.execute(
        "INSERT INTO rule (slug) VALUES (%s) ON CONFLICT (slug) DO UPDATE SET enabled = true RETURNING id", ("leak",)
    ).fetchone()
    assert row is not None
    connection.execute(
        "INSERT INTO rule_version (id, rule_id, version, definition, active)"
        " VALUES (%s, %s, (SELECT count(*) + 1 FROM rule_version), '{}', false)",
        (version, row[0]),
    )
    connection.execute(
        "INSERT INTO alert (id, rule_version_id, organisation_id, subject, severity, state, opened_at, fired_at,"
        " recorded_at, summary) VALUES (%s, %s, %s, 'series:1', 'major', 'firing', %s, %s, %s, 'leak')",
        (alert_id, version, organisation_id, NOW, NOW, NOW),
    )
    connection.commit()
    return Alert(id=alert_id, organisation_id=organisation_id)


def one_incident(connection: Connection, worst: Alert, *others: Alert) -> None:
    """Let alerts belong together, one of them worse than the others."""
    incident = uuid4()
    connection.execute(
        "INSERT INTO incident (id, founder_id, created_at, updated_at) VALUES (%s, %s, %s, %s)",
        (incident, worst.id, NOW, NOW),
    )
    connection.execute(
        "UPDATE alert SET incident_id = %s, incident_base = %s WHERE id = ANY (%s)",
        (incident, incident, [worst.id, *(alert.id for alert in others)]),
    )
    connection.execute("UPDATE alert SET severity = 'critical' WHERE id = %s", (worst.id,))
    connection.commit()


def tell(
    connection: Connection,
    alert: Alert,
    kind: str = "firing",
    *,
    now: datetime = NOW,
    severity: str = "major",
    suppressed: str | None = None,
    supersedes: Alert | None = None,
    transition: int | None = None,
) -> int:
    """Write a transition and its notifications in one transaction; returns how many are new.

    Args:
        transition: one that is there already; None: a new one.
    """
    detail = Jsonb({} if supersedes is None else {"supersedes": str(supersedes.id)})
    with connection.transaction():
        if transition is None:
            row = connection.execute(
                "INSERT INTO alert_transition (alert_id, kind, at, detail) VALUES (%s, %s, %s, %s) RETURNING id",
                (alert.id, kind, now, detail),
            ).fetchone()
            assert row is not None
            transition = int(row[0])
        return enqueue(
            connection,
            transition_id=transition,
            alert_id=alert.id,
            organisation_id=alert.organisation_id,
            severity=severity,
            message={
                "kind": kind,
                "headline": f"Leak at Banda: {kind}",
                "text": "Flow never stops.",
                "late": False,
                "alert": {"id": str(alert.id), "severity": severity, "device_name": "Water meter Banda"},
            },
            now=now,
            suppressed=suppressed,
        )


def add(
    connection: Connection,
    slug: str,
    channel: Channel = Channel.EMAIL,
    address: str = "ops@example.org",
    *,
    organisation: str | None = None,
    minimum_severity: str = "info",
    secret: str | None = None,
) -> int:
    receiver_id = add_receiver(
        connection,
        NewReceiver(
            slug=slug,
            channel=channel,
            address=address,
            organisation=organisation,
            minimum_severity=minimum_severity,
            secret=secret,
        ),
    )
    connection.commit()
    return receiver_id


def outbox_rows(connection: Connection) -> list[tuple[str, str | None, int]]:
    """Give (state, reason, attempts) of every notification, in the order of their transitions."""
    rows = connection.execute("SELECT state, reason, attempts FROM outbox ORDER BY transition_id, id").fetchall()
    connection.commit()
    return [(state, reason, attempts) for state, reason, attempts in rows]


def receipts(connection: Connection) -> list[tuple[int, str, str]]:
    """Give (number, outcome, detail) of every attempt, oldest first."""
    rows = connection.execute("SELECT number, outcome, detail FROM attempt ORDER BY id").fetchall()
    connection.commit()
    return [(number, outcome, detail) for number, outcome, detail in rows]
