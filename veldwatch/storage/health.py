"""How the whole is doing, told from the database: what waits, who is behind, how much arrives."""

from veldwatch.errors import SchemaMismatch, StorageRejected
from veldwatch.storage.connection import Connection
from veldwatch.storage.editions import identify
from veldwatch.storage.log import READINGS
from veldwatch.storage.pool import Row, fetch_row, fetch_rows
from veldwatch.storage.queries import load_queries
from veldwatch.storage.workers import list_workers

_QUERIES = load_queries("health")


def check_ready(connection: Connection) -> None:
    """Return when the database answers and has a schema.

    Raises:
        SchemaMismatch: it was never migrated.
        StorageUnavailable: it does not answer.
    """
    try:
        fetch_row(connection, _QUERIES["ready"], {})
    except StorageRejected as error:
        raise SchemaMismatch("the database has no schema (run `veldwatch migrate`)") from error


def tell_health(connection: Connection, scope: int | None) -> Row:
    """Tell edition, migrations, consumers of the log, what waits, and the rates of the last minute.

    Args:
        scope: the one organisation whose alerts, devices and series count; None: all.
    """
    server = identify(connection)
    heads = [row["head"] for row in fetch_rows(connection, _QUERIES["recent"], {})]
    last = fetch_row(connection, _QUERIES["last_batch"], {})
    return {
        "edition": server.edition.value,
        "server_version": server.version,
        "extension_version": server.extension_version,
        "migrations": fetch_rows(connection, _QUERIES["migrations"], {}),
        "consumers": fetch_rows(connection, _QUERIES["consumers"], {}),
        "rule_workers": [
            {
                "place": worker.place.number,
                "division": worker.place.division,
                "taken": worker.taken,
                "since": worker.since,
                "batches": worker.batches,
                "seconds": worker.seconds,
            }
            for worker in list_workers(connection)
        ],
        "last_batch_at": last and last["committed_at"],
        "batches_per_second": len(heads) / 60,
        "readings_per_second": sum(readings_in(head) for head in heads) / 60,
        **(fetch_row(connection, _QUERIES["counts"], {"scope": scope}) or {}),
    }


def readings_in(head: bytes) -> int:
    """Count a batch's readings from the first 32 bytes of its content, without fetching megabytes.

    The content is a MessagePack map whose first entry is the array of readings as `bin 8`, `bin 16` or `bin 32`,
    which begins with its length. Source: MessagePack specification, "bin format family".
    """
    _, found, rest = head.partition(b"readings")
    length_bytes = {0xC4: 1, 0xC5: 2, 0xC6: 4}.get(rest[0], 0) if found and rest else 0
    return int.from_bytes(rest[1 : 1 + length_bytes], "big") // READINGS.itemsize
