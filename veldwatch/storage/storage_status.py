"""How much room the database takes, by table, and whether its upkeep goes well; one answer on every edition.

Rows are estimated by the server (exact in compressed chunks): to count a year of readings is to read it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from veldwatch.storage.connection import Connection
from veldwatch.storage.editions import Server, identify
from veldwatch.storage.pool import fetch_row, fetch_rows
from veldwatch.storage.queries import load_queries

LATE = timedelta(minutes=15)
"""Three times the interval at which the server's policies renew hours."""

_QUERIES = load_queries("storage_status")


@dataclass(frozen=True, slots=True, kw_only=True)
class DividedTable:
    """A table that time divides: months, or chunks of TimescaleDB.

    Attributes:
        table_name: as readers name it (`reading`, `reading_hourly`).
        began: of the oldest part.
        ended: of the newest, which lies ahead.
        rows: estimated.
        bytes: with indexes.
        compressed_bytes_before: what the compressed parts took before.
    """

    table_name: str
    parts: int
    compressed_parts: int
    began: datetime
    ended: datetime
    rows: int
    bytes: int
    compressed_rows: int
    compressed_bytes: int
    compressed_bytes_before: int

    @property
    def bytes_per_row(self) -> float | None:
        """Give what a row takes on average, with indexes; None: there is none."""
        return self.bytes / self.rows if self.rows else None

    @property
    def compressed_bytes_per_row(self) -> float | None:
        """Give what a row takes in compressed parts; None: there is none."""
        return self.compressed_bytes / self.compressed_rows if self.compressed_rows else None


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeTable:
    """A table that time does not divide."""

    table_name: str
    rows: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Upkeep:
    """A job of the server's or of the maintenance program.

    Attributes:
        last_success_at: None: never yet.
        late_by: how long what is due has waited; None: nothing is due.
        is_failing: whether the last run failed; None: not a job of the server's.
        failures: since it exists; None: not a job of the server's.
    """

    work: str
    last_success_at: datetime | None
    late_by: timedelta | None
    is_failing: bool | None
    failures: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageStatus:
    """What the database takes, and how its upkeep goes."""

    server: Server
    bytes: int
    divided: Sequence[DividedTable]
    whole: Sequence[WholeTable]
    upkeep: Sequence[Upkeep]


def tell_storage(connection: Connection) -> StorageStatus:
    """Look at sizes and jobs; nothing is counted, so a large database answers as fast as a small one.

    Raises:
        StorageUnavailable: the database does not answer.
    """
    size = fetch_row(connection, _QUERIES["database"], {})
    return StorageStatus(
        server=identify(connection),
        bytes=0 if size is None else size["bytes"],
        divided=[DividedTable(**row) for row in fetch_rows(connection, _QUERIES["divided"], {})],
        whole=[WholeTable(**row) for row in fetch_rows(connection, _QUERIES["whole"], {})],
        upkeep=[Upkeep(**row) for row in fetch_rows(connection, _QUERIES["upkeep"], {})],
    )


def is_unwell(work: Upkeep) -> bool:
    """Tell whether somebody should look at a job: its last run failed, or it should have run long ago."""
    return bool(work.is_failing) or (work.late_by or timedelta(0)) > LATE
