"""What the engine takes of the log at once."""

import numpy as np

from rules.engine import EngineSettings
from rules.instants import to_instant
from rules.rounds import Rounds
from tests.databases import await_log
from tests.integration.rules.feed import Feed
from tests.unit.rules.worlds import LATER, START
from veldwatch.storage import log
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.log import READINGS, LogBatch

_IMPORTED = 20_000


def test_what_an_import_wrote_is_read_in_parts(dsn: str, connection: Connection) -> None:
    """Fifty batches of an import would take more memory than the engine has."""
    feed = Feed(dsn)
    feed.device("meter", ["flow"])
    rows = np.zeros(_IMPORTED, READINGS)
    rows["series_id"] = feed.series["meter", "flow"]
    rows["observed_at"] = rows["received_at"] = to_instant(START)
    for _ in range(12):
        with connection.transaction():
            log.append(connection, LogBatch(readings=rows))
    await_log(connection)
    with connect(dsn, autocommit=True) as own:
        rounds = Rounds(own, EngineSettings())
        read: list[tuple[int, bool]] = []
        while count := rounds.read_log(LATER)[0]:
            read.append((count, rounds.is_behind))
    assert sum(count for count, _ in read) == 12
    assert max(count for count, _ in read) * _IMPORTED < 200_000
    assert [behind for _, behind in read] == [True] * (len(read) - 1) + [False]
