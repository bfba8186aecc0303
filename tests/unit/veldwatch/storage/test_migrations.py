"""A migration runs on a live database: it must neither hold a large table for long nor write years of readings anew."""

import re

import pytest

from veldwatch.storage.editions import Edition
from veldwatch.storage.migrate import Migration, migrations

FIRST_JUDGED = 57
"""Those before it come from before anything was deployed."""
LARGE = (
    "reading_raw|position_raw|event_raw|contact|batch|quarantine"
    "|reading_hourly_rollup|reading_daily_rollup|consumption_hourly_rollup|consumption_daily_rollup"
)
FAULTS = {
    "writes rows anew": rf"\bUPDATE\s+(?:{LARGE})\b",
    "reads and locks all rows": rf"\bALTER\s+TABLE\s+(?:{LARGE})\b[^;]*\b(?:TYPE|SET\s+NOT\s+NULL|SET\s+LOGGED)\b",
    "checks all rows under a lock (NOT VALID, then VALIDATE CONSTRAINT)": (
        rf"\bALTER\s+TABLE\s+(?:{LARGE})\b[^;]*\bADD\s+(?:CONSTRAINT|CHECK|FOREIGN|UNIQUE|PRIMARY)\b(?![^;]*NOT\s+VALID)"
    ),
    "writes a default into all rows": rf"\bALTER\s+TABLE\s+(?:{LARGE})\b[^;]*\bDEFAULT\s+\w+\(",
    "keeps writers out while it builds": rf"\bCREATE\s+(?:UNIQUE\s+)?INDEX\b[^;]*\bON\s+(?:{LARGE})\b",
    "rewrites the table": rf"\b(?:CLUSTER|VACUUM\s+FULL)\s+(?:{LARGE})\b",
}
EXCUSE = re.compile(r"--\s*on a live database: .{20,}", re.IGNORECASE)
"""What a step says that does so all the same, and why it may."""


def faults_of(statements: str) -> list[str]:
    code = re.sub(r"--[^\n]*", "", statements)
    return [fault for fault, pattern in FAULTS.items() if re.search(pattern, code, re.IGNORECASE)]


def _judged() -> list[tuple[Edition, Migration]]:
    return [(edition, step) for edition in Edition for step in migrations(edition) if step.number >= FIRST_JUDGED]


@pytest.mark.parametrize(("edition", "step"), _judged(), ids=lambda value: getattr(value, "name", None))
def test_a_step_holds_no_large_table_for_long(edition: Edition, step: Migration) -> None:
    assert EXCUSE.search(step.statements) or faults_of(step.statements) == [], (edition, step.number)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE reading_raw SET value = 0;",
        "ALTER TABLE contact ALTER COLUMN messages TYPE bigint;",
        "ALTER TABLE reading_raw ADD CHECK (value > 0);",
        "ALTER TABLE reading_raw ADD COLUMN at timestamptz DEFAULT clock_timestamp();",
        "CREATE INDEX late ON position_raw (delay_seconds);",
        "VACUUM FULL reading_daily_rollup;",
    ],
)
def test_what_would_hold_one_is_found(statement: str) -> None:
    assert len(faults_of(statement)) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE reading_raw ADD COLUMN note text;",
        "ALTER TABLE reading_raw ADD CONSTRAINT positive CHECK (value > 0) NOT VALID;",
        "CREATE INDEX named ON device (name);",
        "-- UPDATE reading_raw would take hours",
    ],
)
def test_what_is_quick_passes(statement: str) -> None:
    assert faults_of(statement) == []
