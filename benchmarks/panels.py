"""How long a panel of a dashboard waits for its query, over an hour to a year, and again with ten times the history.

The queries are those of the dashboards, as Grafana would send them, from the role that Grafana has: one metric of a
device, and twenty devices of a site. Each window is looked at twice: the first time nobody has asked for those
series since the server started, with the server's files out of memory too where the server is ours; the second time
at once after it. Half of the windows end where history does, the others anywhere before.
"""

import os
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from benchmarks.history import END, ORGANISATION, load
from benchmarks.machine import cpu_milliseconds, processor
from benchmarks.result import Result
from benchmarks.servers import PLAIN, History, history_server
from dashboards import datasource, device, electricity, water
from dashboards.macros import Values, Window, expand
from veldwatch.storage.connection import Connection, connect

RANGES = {
    "1h": timedelta(hours=1),
    "24h": timedelta(days=1),
    "30d": timedelta(days=30),
    "1y": timedelta(days=365),
}
LIMIT_MS = 200.0
_ROLE = "grafana_ro"
# What a panel of ours asks for at most (dashboards/panels.py), and a narrow one.
_POINTS = (500, 300)
_PANELS = (
    (device.build, "$metric"),
    (water.build, "Pressure"),
    (electricity.build, "Power of all customers"),
    (electricity.build, "Voltage"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelsResult(Result):
    """What was measured, and where.

    Attributes:
        milliseconds: of each range, by what was measured: p50 and p95 of windows looked at again. Where the server is
            one that can be started anew, also of the first time (cold), and what the second look takes of the server's
            processor, which says more than the clock on a machine that others use.
        before: the same with a tenth of the history; None: it was there already.
        readings_stored, readings_rolled_up: counted.
        windows: of each range, so many queries of each panel.
        rows: that the panels got, the first time and the second.
    """

    readings: int
    readings_before: int | None
    readings_stored: int
    readings_rolled_up: int
    series: int
    step_seconds: int
    milliseconds: dict[str, dict[str, float]]
    before: dict[str, dict[str, float]] | None
    windows: int
    rows: tuple[int, int]
    edition: str
    database: str
    processor: str
    cores: int

    def document(self) -> dict[str, object]:
        """Give it with the figures of each range by names of their own, as p95_ms_30d."""
        found = super(PanelsResult, self).document()
        for prefix, measured in (("", self.milliseconds), ("before_", self.before or {})):
            for name, figures in measured.items():
                found |= {f"{prefix}{figure}_ms_{name}": value for figure, value in figures.items()}
        del found["milliseconds"], found["before"]
        return found | {"reached": self.reached, "flat": self.flat}

    @property
    def reconciled(self) -> bool:
        """Tell whether every reading is stored and rolled up, and each panel said the same twice."""
        same = self.rows[0] == self.rows[1] > 0
        return self.readings == self.readings_stored == self.readings_rolled_up and same

    @property
    def reached(self) -> bool:
        """Tell whether every range keeps the limit, 200 ms for 95 of 100."""
        return all(figures["p95"] <= LIMIT_MS for figures in self.milliseconds.values())

    @property
    def flat(self) -> dict[str, float] | None:
        """Give how many times as long the middle panel takes with ten times the history."""
        if self.before is None:
            return None
        return {name: round(found["p50"] / self.before[name]["p50"], 2) for name, found in self.milliseconds.items()}


class _Query(NamedTuple):
    name: str
    statement: bytes


class _Timed(NamedTuple):
    name: str
    cold: float
    warm: float
    processor: float | None
    rows: tuple[int, int]


def measure_panels(
    *,
    readings: int = 100_000_000,
    series: int = 10_000,
    step: timedelta = timedelta(minutes=15),
    windows: int = 25,
    edition: str = PLAIN,
    home: Path | None = None,
    dsn: str = "",
) -> PanelsResult:
    """Measure; call it from the main thread.

    Args:
        windows: of each range, for each panel.
        home: where the history stays; where one of more than a tenth is kept already, that alone is measured.
    """
    with history_server(edition, home, dsn) as server:
        first = load(server, readings=readings // 10, series=series, step=step)
        before = _measured(server, windows, seed=1) if first < readings * 0.9 else None
        loaded = load(server, readings=readings, series=series, step=step)
        after = _measured(server, windows, seed=2)
        with connect(server.dsn, autocommit=True, application="bench", prepare=server.prepare) as connection:
            stored = _number(connection, b"SELECT count(*) FROM reading_raw")
            rolled_up = _number(connection, b"SELECT sum(count) FROM reading_hourly")
            made = _number(connection, b"SELECT count(*) FROM series")
        return PanelsResult(
            readings=loaded,
            readings_before=None if before is None else first,
            readings_stored=stored,
            readings_rolled_up=rolled_up,
            series=made,
            step_seconds=int(step.total_seconds()),
            milliseconds=_figures(after),
            before=None if before is None else _figures(before),
            windows=windows,
            rows=(sum(timed.rows[0] for timed in after), sum(timed.rows[1] for timed in after)),
            edition=server.edition,
            database=server.name,
            processor=processor(),
            cores=os.cpu_count() or 0,
        )


def _measured(server: History, windows: int, seed: int) -> list[_Timed]:
    if server.restart is not None:
        server.restart()
    randomness = random.Random(seed)  # noqa: S311  # which series are looked at, no secret
    with connect(server.dsn, autocommit=True, application="bench", prepare=server.prepare) as connection:
        queries = list(_queries(connection, randomness, windows))
        # So that no range is the one that finds the cache empty.
        randomness.shuffle(queries)
        # For this transaction only: the server in WebAssembly has one session for all of its clients.
        with connection.transaction():
            connection.execute(f"SET LOCAL ROLE {_ROLE}".encode())
            connection.execute(b"SET LOCAL search_path = dashboard")
            pid = None if server.restart is None else connection.info.backend_pid
            return [_timed(connection, query, pid) for query in queries]


def _timed(connection: Connection, query: _Query, pid: int | None) -> _Timed:
    seconds: list[float] = []
    rows: list[int] = []
    used: float | None = None
    for _ in range(2):
        before = None if pid is None else cpu_milliseconds(pid)
        started = time.perf_counter()
        rows.append(len(connection.execute(query.statement).fetchall()))
        seconds.append(time.perf_counter() - started)
        used = None if pid is None or before is None else cpu_milliseconds(pid) - before
    return _Timed(query.name, seconds[0] * 1000, seconds[1] * 1000, used, (rows[0], rows[1]))


def _queries(connection: Connection, randomness: random.Random, windows: int) -> Iterator[_Query]:
    sites = connection.execute("SELECT slug FROM site ORDER BY id").fetchall()
    devices = connection.execute("SELECT id::text, profile_id FROM device ORDER BY id").fetchall()
    metrics = dict(connection.execute("SELECT device_id::text, min(metric) FROM series GROUP BY 1").fetchall())
    (begin,) = connection.execute("SELECT min(observed_at) FROM reading_raw").fetchone() or (END,)
    for name, length in RANGES.items():
        for build, title in _PANELS:
            statement = datasource.asked_by(build().build(), title)
            for number in range(windows):
                chosen, _ = randomness.choice(devices)
                values: Values = {
                    "organisation": [ORGANISATION],
                    "site": [randomness.choice(sites)[0]],
                    "device": [chosen],
                    "metric": [metrics[chosen]],
                    "nominal": ["230"],
                }
                room = max(END - length - begin, timedelta(0))
                until = END if number % 2 else END - room * randomness.random()
                interval = length / randomness.choice(_POINTS)
                window = Window(since=until - length, until=until, interval=max(interval, timedelta(seconds=1)))
                yield _Query(name, expand(statement, window, values).encode())


def _figures(found: Sequence[_Timed]) -> dict[str, dict[str, float]]:
    figures: dict[str, dict[str, float]] = {}
    for name in RANGES:
        warm = sorted(timed.warm for timed in found if timed.name == name)
        figures[name] = {"p50": _percentile(warm, 0.5), "p95": _percentile(warm, 0.95)}
        used = sorted(timed.processor for timed in found if timed.name == name and timed.processor is not None)
        if used:  # then it was started anew as well
            cold = sorted(timed.cold for timed in found if timed.name == name)
            figures[name] |= {"cold_p50": _percentile(cold, 0.5), "cold_p95": _percentile(cold, 0.95)}
            figures[name] |= {"processor_p50": _percentile(used, 0.5), "processor_p95": _percentile(used, 0.95)}
    return figures


def _percentile(ordered: Sequence[float], share: float) -> float:
    """Give the value that so large a share of them does not exceed."""
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1)


def _number(connection: Connection, query: bytes) -> int:
    row = connection.execute(query).fetchone()
    return 0 if row is None or row[0] is None else int(row[0])
