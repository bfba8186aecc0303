"""What both kinds of file have in common: rows in chunks, through the checks and the write path of messages.

A file is a message of many parts: each row that cannot be stored goes to quarantine by its line. An import that is
repeated changes nothing. A file is no sign of life: contacts are written only where it says when each row arrived.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from ingest.decoding import Decoding, Outcome, Understood
from ingest.names import Names
from ingest.pipeline import Pipeline, Report
from veldwatch.config import Settings, Source
from veldwatch.errors import ConfigurationInvalid, MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import Decoded, Message, Position, Reading
from veldwatch.storage.intake import IntakeWriter
from veldwatch.storage.quarantine import Quarantined
from veldwatch.wire.sources import Route, Sources

CHUNK_ROWS = 20_000


class Row(NamedTuple):
    """What one line of a file says; `rejected` None: it can be stored.

    Attributes:
        line: number in the file, from 1, the header included.
        text: the line's cells as read, for quarantine.
    """

    line: int
    text: str
    received_at: datetime | None = None
    readings: tuple[Reading, ...] = ()
    positions: tuple[Position, ...] = ()
    rejected: tuple[tuple[Reason, str], ...] = ()


@dataclass(slots=True, kw_only=True)
class ImportReport:
    """What came of a file."""

    rows: int = 0
    stored: Report = field(default_factory=Report)
    skipped: int = 0


class FileImport:
    """Stores the rows of one file.

    Args:
        arrivals: the rows say when they arrived.
    """

    def __init__(self, settings: Settings, path: Path, organisation: str, *, source: str, arrivals: bool) -> None:
        if not path.is_file():
            raise ConfigurationInvalid(f"bad file: {str(path)!r} (expected a CSV file)")
        self._topic = f"file/{path.name}"
        self._organisation = organisation
        self._arrivals = arrivals
        listed = Source(
            name=source, topic_filter="#", decoder="veldwatch", register_unknown=True, registrations_per_hour=0
        )
        self._route = Route(source=listed, decode=_never)
        decoding = Decoding(
            Sources(()), payload_limit_bytes=settings.payload_limit_bytes, default_organisation=organisation
        )
        self._pipeline = Pipeline(decoding, Names(settings), contacts=arrivals, each_arrival=True)
        self._writer = IntakeWriter(settings.dsn, application="veldwatch-import")
        self._now = datetime.now(UTC)

    def close(self) -> None:
        """Give the connection back."""
        self._writer.close()

    @property
    def writer(self) -> IntakeWriter:
        """Give the connection that rows are written through."""
        return self._writer

    def store(self, rows: Iterable[Row]) -> Report:
        """Store rows and commit, in file order."""
        understood: list[Understood] = []
        quarantined: list[Quarantined] = []
        for row in rows:
            message = Message(f"{self._topic}#{row.line}", row.text.encode(), row.received_at or self._now)
            quarantined += [self._refused(message, row, reason, detail) for reason, detail in row.rejected]
            if row.readings or row.positions:
                decoded = Decoded(self._organisation, readings=row.readings, positions=row.positions)
                understood.append(Understood(message, self._route, self._organisation, decoded))
        report = self._pipeline.store_decoded(self._writer, Outcome(understood=understood, quarantined=quarantined))
        report.messages = len(understood)
        return report

    def _refused(self, message: Message, row: Row, reason: Reason, detail: str) -> Quarantined:
        sentence = f"line {row.line}: {detail}"
        return Quarantined(
            message.received_at, self._route.source.name, message.topic, message.payload, reason, sentence
        )


def in_chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Cut rows into lists of at most `CHUNK_ROWS`."""
    chunk: list[Row] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) >= CHUNK_ROWS:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _never(topic: str, payload: bytes, received_at: datetime) -> Decoded:
    del payload, received_at
    raise MessageRejected(Reason.UNKNOWN_MESSAGE_TYPE, f"{topic!r}: rows of a file are read by its import")
