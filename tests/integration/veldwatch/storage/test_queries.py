"""Every named query is one that the server understands; the hot ones find their rows by an index."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from veldwatch.storage import partitions
from veldwatch.storage.connection import Connection
from veldwatch.storage.queries import aggregates, load_queries

_PARAMETER = re.compile(r"%\((?P<name>[a-z_0-9]+)\)s")
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def numbered(query: bytes) -> str:
    """Write psycopg's named parameters as the server's own: one number for each name."""
    names: list[str] = []

    def number(match: re.Match[str]) -> str:
        if match["name"] not in names:
            names.append(match["name"])
        return f"${names.index(match['name']) + 1}"

    return _PARAMETER.sub(number, query.decode()).replace("%%", "%")


@pytest.mark.parametrize("aggregate", aggregates())
def test_the_server_understands_every_query(aggregate: str, connection: Connection) -> None:
    rollup_tables = connection.execute("SELECT to_regclass('reading_hourly_rollup')").fetchone()
    if aggregate == "rollups" and rollup_tables == (None,):
        return  # the community edition keeps its rollups by itself
    queries = load_queries(aggregate)
    assert queries
    for name, query in queries.items():
        connection.execute(f"PREPARE {aggregate}_{name} AS {numbered(query)}".encode())
        connection.execute(f"DEALLOCATE {aggregate}_{name}".encode())


def _plan(connection: Connection, query: str) -> str:
    connection.execute("SET LOCAL enable_seqscan = off")
    return "\n".join(line for (line,) in connection.execute(f"EXPLAIN {query}".encode()).fetchall())


@pytest.mark.parametrize("server_kind", ["plain"], indirect=True)
def test_a_month_of_one_series_reads_one_partition_by_its_key(connection: Connection) -> None:
    partitions.ensure(connection, "reading_raw", NOW - timedelta(days=365), NOW)
    plan = _plan(
        connection,
        "SELECT observed_at, value, received_at FROM reading WHERE series_id = 7"
        " AND observed_at >= '2026-03-02' AND observed_at < '2026-03-30' ORDER BY observed_at",
    )
    assert re.findall(r"reading_raw_\d+(?=_pkey)", plan) == ["reading_raw_202603"]
    assert "Sort" not in plan


@pytest.mark.parametrize("server_kind", ["plain"], indirect=True)
def test_the_log_is_read_by_its_order(connection: Connection) -> None:
    query = load_queries("log")["read"].decode() % {"xid": "'5'", "id": "5", "limit": "10"}
    plan = _plan(connection, query)
    assert "batch_order" in plan
    assert "Sort" not in plan


@pytest.mark.parametrize("server_kind", ["plain"], indirect=True)
def test_a_bucket_is_renewed_from_the_key_of_its_own_partition(connection: Connection) -> None:
    partitions.ensure(connection, "reading_raw", NOW - timedelta(days=60), NOW)
    query = load_queries("rollups")["renew_hourly"].decode() % {
        "series_ids": "ARRAY[1]",
        "buckets": "ARRAY['2026-03-01 00:00+00'::timestamptz]",
    }
    plan = _plan(connection, query)
    assert len(re.findall(r"Index Scan using reading_raw_\d+_pkey", plan)) == 3
    assert "Seq Scan" not in plan


@pytest.mark.parametrize("server_kind", ["plain"], indirect=True)
@pytest.mark.parametrize("query", ["due_receivers", "due"])
def test_what_is_due_is_compared_with_what_its_own_alert_waits_for_only(connection: Connection, query: str) -> None:
    """Joined by receiver, 10,000 notifications for one are compared with each other: half a minute, each second."""
    named = {
        "now": f"'{NOW}'::timestamptz",
        "limit": "10",
        "receiver_id": "1",
        "silent_kinds": "ARRAY['absence']",
    }
    plan = _plan(connection, load_queries("outbox")[query].decode() % named)
    assert "Anti Join" not in plan
    assert re.findall(r"(\w+) on outbox (?:o|earlier)\b", plan) == ["outbox_receiver", "outbox_waiting"]


@pytest.mark.parametrize("server_kind", ["plain"], indirect=True)
def test_what_open_alerts_need_is_found_by_device_or_organisation(connection: Connection) -> None:
    """Joined by one or the other, each device is compared with each open alert: minutes of a storm, in every sweep."""
    plan = _plan(connection, "SELECT * FROM retention_hold")
    assert not re.search(r"device_id = .* OR | OR .*device_id IS NULL", plan)


@pytest.mark.parametrize(
    ("aggregate", "name"), [("outbox", "release"), ("alerts", "keep_back"), ("incidents", "resolve")]
)
def test_which_alerts_others_stand_in_the_place_of_is_asked_once_whatever_the_plan(
    aggregate: str, name: str, connection: Connection
) -> None:
    """As a condition it was asked for each of 10,000 notifications, about 10,000 alerts: that took a minute."""
    query = numbered(load_queries(aggregate)[name])
    connection.execute(f"PREPARE asked AS {query}".encode())
    nulls = ", ".join(["NULL"] * len(set(re.findall(r"\$\d+", query))))
    connection.execute("SET LOCAL enable_indexscan = off; SET LOCAL enable_bitmapscan = off")
    connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
    plan = [line for (line,) in connection.execute(f"EXPLAIN (VERBOSE) EXECUTE asked ({nulls})".encode()).fetchall()]
    assert [line.split(":")[0].strip() for line in plan if "with_superseded" in line] == ["Output"]
