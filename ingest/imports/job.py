"""One file from its beginning, or from where an earlier run stopped, to its end.

Each step (a block) is committed together with the place that was reached, so that after kill -9 the same command goes
on behind the last committed row. What lies before that place must be what it was: its SHA-256 is kept with it. Reading
and checking of the next block go on while the database writes one.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from ingest.imports.bulk import BulkStore
from ingest.imports.found import Found
from ingest.pipeline import Report
from veldwatch.config import Settings
from veldwatch.storage import file_imports
from veldwatch.storage.connection import Connection
from veldwatch.storage.file_imports import Advance

State = dict[str, dict[str, Any]]
"""As JSON can hold it."""


class Step(NamedTuple):
    """A block that was read.

    Attributes:
        position, digest: of what was read with it.
        state: what reading on depends on.
        share: of the file that was read, 0 to 1.
    """

    found: Found
    position: int
    digest: bytes
    state: State
    share: float


class Reader(Protocol):
    """Reads a file of some format."""

    @property
    def format(self) -> str:
        """Give the name of the format."""
        ...

    @property
    def mapping(self) -> dict[str, object]:
        """Give all that decides what the file says, as JSON can hold it."""
        ...

    def go_on_behind(self, position: int, digest: bytes, state: State) -> bool:
        """Take up an earlier run; False: the file is not what it was, and is read from its beginning."""
        ...

    def steps(self) -> Iterator[Step]:
        """Read on; the reader is in a thread of its own."""
        ...

    def finish(self, connection: Connection, organisation: str) -> None:
        """Add what is known only at the end, in a transaction of its own."""
        ...

    def close(self) -> None:
        """Close the file."""
        ...


@dataclass(slots=True, kw_only=True)
class ImportReport:
    """What came of a file.

    Attributes:
        rows: of this run, those that cannot be stored included.
        behind: rows of an earlier run, behind which this one began.
        changed: an earlier run read another file of that name; this one began anew.
        share: of the file that is read, 0 to 1.
    """

    rows: int = 0
    stored: Report = field(default_factory=Report)
    behind: int = 0
    changed: bool = False
    share: float = 0.0


class FileImport:
    """Imports one file; `run` once.

    Args:
        restart: begin anew, whatever an earlier run did.
    """

    def __init__(
        self, settings: Settings, path: Path, organisation: str, reader: Reader, *, restart: bool = False
    ) -> None:
        self._path, self._organisation, self._reader = path, organisation, reader
        self._store = BulkStore(settings, path.name, organisation, source=reader.format)
        self._restart = restart
        self.report = ImportReport()

    def run(self) -> Iterator[ImportReport]:
        """Import, giving the report after each commit, the first time before anything is read."""
        try:
            number, position = self._begin()
            yield self.report
            for step in _ahead(self._reader.steps()):
                self._take(number, position, step)
                position = step.position
                yield self.report
            self._reader.finish(self._store.connection, self._organisation)
            self._finish(number)
            self.report.share = 1.0
            yield self.report
        finally:
            self._store.close()
            self._reader.close()

    def _begin(self) -> tuple[int, int]:
        connection = self._store.connection
        mapping = {"format": self._reader.format, **self._reader.mapping}
        known = file_imports.begin(connection, self._organisation, str(self._path.resolve()), mapping)
        if self._restart:
            file_imports.restart(connection, known.id)
            return known.id, 0
        if known.position == 0:
            return known.id, 0
        if self._reader.go_on_behind(known.position, known.digest, known.state):
            self.report.behind = known.rows
            return known.id, known.position
        self.report.changed = True
        file_imports.restart(connection, known.id)
        return known.id, 0

    def _take(self, number: int, before: int, step: Step) -> None:
        def advance(connection: Connection, stored: Report) -> None:
            file_imports.advance(
                connection,
                number,
                Advance(
                    before=before,
                    position=step.position,
                    digest=step.digest,
                    state=step.state,
                    rows=step.found.rows,
                    readings=stored.readings,
                    positions=stored.positions,
                    quarantined=stored.quarantined,
                ),
            )

        self.report.stored.add(self._store.store(step.found, datetime.now(UTC), advance))
        self.report.rows += step.found.rows
        self.report.share = step.share

    def _finish(self, number: int) -> None:
        file_imports.finish(self._store.connection, number)


def _ahead(steps: Iterator[Step]) -> Iterator[Step]:
    """Read one step ahead."""
    with ThreadPoolExecutor(1, thread_name_prefix="import") as pool:
        following = pool.submit(next, steps, None)
        while (step := following.result()) is not None:
            following = pool.submit(next, steps, None)
            yield step
