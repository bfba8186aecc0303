"""A tenant's role sees its own organisation in every view of `dashboard`, whatever else is in the tables."""

import re
from collections import Counter
from typing import Any

import pytest

from tests.integration.dashboards import strangers
from veldwatch.storage import tenants
from veldwatch.storage.connection import Connection
from veldwatch.storage.dashboards import READER

# What the platform is doing is the operator's.
OPERATORS = {"batch", "consumer", "storage_part", "storage_table", "storage_upkeep"}
# Views that a stranger would need more for than it has.
HAS_NO_ROW: set[str] = set()

# What TimescaleDB tells every account of its chunks and jobs: docs/how-to/dashboards-for-tenants.md.
TIMESCALE = {"_timescaledb_cache", "_timescaledb_catalog", "_timescaledb_config", "_timescaledb_internal",
             "timescaledb_experimental", "timescaledb_information"}  # fmt: skip  # schemas of the extension

Rows = Counter[str]


def _role(connection: Connection, slug: str) -> str:
    tenant = next(tenant for tenant in tenants.list_tenants(connection) if tenant.slug == slug)
    tenants.allow_tenant(connection, tenant)
    return tenant.role


def _views(connection: Connection) -> list[str]:
    rows = connection.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'dashboard'::regnamespace"
        " AND relkind IN ('r', 'p', 'v', 'm', 'f') ORDER BY relname"
    ).fetchall()
    return [name for (name,) in rows]


def _seen(connection: Connection, role: str) -> dict[str, Rows]:
    """Read every relation of the schema as a role; what each row says, as text."""
    views = _views(connection)
    # twelve digits: another plan adds up in another order
    connection.execute("SET LOCAL extra_float_digits = -3")
    # and as whoever logs in as a role of Grafana has it
    connection.execute("SET LOCAL search_path = dashboard")
    connection.execute(f"SET LOCAL ROLE {role}".encode())
    try:
        return {
            view: Counter(text for (text,) in connection.execute(f"SELECT v::text FROM dashboard.{view} v".encode()))
            for view in views
        }
    finally:
        connection.execute("RESET ROLE")
        connection.execute("SET LOCAL search_path = public")


def test_what_others_do_changes_nothing_of_what_a_tenant_sees(seeded: Connection) -> None:
    utility, agency = _role(seeded, "demo-water"), _role(seeded, "demo-wildlife")
    before = {role: _seen(seeded, role) for role in (utility, agency)}
    strangers.make(seeded, "stranger")
    for role, seen in before.items():
        after = _seen(seeded, role)
        changed = {view: (rows - after[view], after[view] - rows) for view, rows in seen.items() if rows != after[view]}
        assert not changed


def test_a_tenant_sees_its_own_rows_in_every_view_but_the_operators(seeded: Connection) -> None:
    strangers.make(seeded, "stranger")
    seen = _seen(seeded, _role(seeded, "stranger"))
    assert {view for view, rows in seen.items() if not rows} - HAS_NO_ROW == OPERATORS
    everything = _seen(seeded, READER)
    for view in seen.keys() - {"unit", "rule"} - HAS_NO_ROW:
        assert sum(seen[view].values()) < sum(everything[view].values()), view
    assert {text for rows in seen.values() for text in rows if "O''Brien" in text or "collar" in text} == set()


def test_the_operator_sees_everything(seeded: Connection) -> None:
    strangers.make(seeded, "stranger")
    tables = {"organisation": "organisation", "reading": "reading_raw", "position": "position_raw", "alert": "alert",
              "contact": "contact", "event": "event_raw", "quarantine": "quarantine", "attempt": "attempt",
              "alert_transition": "alert_transition", "batch": "batch"}  # fmt: skip  # a view and what it shows
    seen = _seen(seeded, READER)
    for view, table in tables.items():
        assert [(sum(seen[view].values()),)] == seeded.execute(f"SELECT count(*) FROM {table}".encode()).fetchall()


@pytest.mark.parametrize("role", ["grafana_tenant", "newcomer"])
def test_a_role_that_is_no_tenant_s_sees_nothing(seeded: Connection, role: str) -> None:
    seeded.execute("CREATE ROLE newcomer")
    seeded.execute("GRANT grafana_tenant TO newcomer")
    seen = _seen(seeded, role)
    assert {view for view, rows in seen.items() if rows} - {"rule"} == {"unit"}
    assert not [text for text in seen["rule"] if "stranger" in text]


def test_a_prepared_statement_asks_who_is_there_each_time(seeded: Connection) -> None:
    seeded.execute("PREPARE counted AS SELECT count(*) FROM dashboard.organisation")
    assert seeded.execute("EXECUTE counted").fetchone() == (2,)
    role = _role(seeded, "demo-water")
    seeded.execute(f"SET LOCAL ROLE {role}".encode())
    assert seeded.execute("EXECUTE counted").fetchone() == (1,)
    seeded.execute("RESET ROLE")
    seeded.execute("DEALLOCATE counted")


def test_a_view_that_reads_tables_says_whom_it_shows_them_to(seeded: Connection) -> None:
    """Catch what the test of strangers cannot: a new view over a table of which strangers have no row."""
    assert tenants.find_careless_views(seeded) == []
    seeded.execute("CREATE VIEW dashboard.careless AS SELECT u.unit, r.value FROM public.reading r, dashboard.unit u")
    assert tenants.find_careless_views(seeded) == ["careless"]


def test_functions_of_the_schema_run_as_who_calls_them(seeded: Connection) -> None:
    rows = seeded.execute(
        "SELECT p.oid::regprocedure::text FROM pg_proc p"
        " WHERE p.pronamespace = 'dashboard'::regnamespace AND p.prosecdef"
    ).fetchall()
    assert rows == []


def test_a_tenant_s_panel_finds_its_rows_by_the_index_and_asks_once_whose_they_are(seeded: Connection) -> None:
    role = _role(seeded, "demo-water")
    seeded.execute("ANALYZE series, device, tenant_role")
    seeded.execute(f"SET LOCAL ROLE {role}".encode())
    # these tables are so small that reading all of them would be cheaper
    seeded.execute("SET LOCAL enable_seqscan = off")
    for view, column, time in (
        ("reading", "series_id", "observed_at"),
        ("reading_hourly", "series_id", "bucket"),
        ("reading_daily", "series_id", "bucket"),
        ("consumption_hourly", "series_id", "bucket"),
        ("position", "device_id", "observed_at"),
        ("event", "device_id", "observed_at"),
        ("contact", "device_id", "received_at"),
    ):
        query = (
            f"EXPLAIN SELECT * FROM dashboard.{view} WHERE {column} = ANY (ARRAY[1, 2, 3])"
            f" AND {time} > now() - interval '40 days'"
        )
        plan = "\n".join(line for (line,) in seeded.execute(query.encode()).fetchall())
        assert f"({column} = ANY ('{{1,2,3}}'::integer[]))" in plan, plan
        assert "Index Cond" in plan, plan
        # the filter that asks stands above the partitions or chunks, not on each of them
        assert len(re.findall(r"Filter: .*SubPlan", plan)) == 1, plan


@pytest.mark.parametrize(
    "call",
    [
        "dashboard.readings(ARRAY(SELECT generate_series(1, 40)), '2000-01-01', '2100-01-01', 60000)",
        "dashboard.readings(ARRAY(SELECT generate_series(1, 40)), '2000-01-01', '2100-01-01', 3600000)",
        "dashboard.readings(ARRAY(SELECT generate_series(1, 40)), '2000-01-01', '2100-01-01', 86400000)",
        "dashboard.consumption(ARRAY(SELECT generate_series(1, 40)), '2000-01-01', '2100-01-01', 3600000)",
        "dashboard.consumption(ARRAY(SELECT generate_series(1, 40)), '2000-01-01', '2100-01-01', 86400000)",
        "dashboard.newest(ARRAY(SELECT generate_series(1, 40)), '2100-01-01')",
    ],
)
def test_a_function_that_is_asked_for_others_series_tells_of_one_s_own(seeded: Connection, call: str) -> None:
    strangers.make(seeded, "stranger")
    utility, stranger = _role(seeded, "demo-water"), _role(seeded, "stranger")
    found = {role: _series_of(seeded, role, call) for role in (utility, stranger, READER)}
    assert all(found.values())
    assert not found[utility] & found[stranger]
    assert found[utility] | found[stranger] <= found[READER]


def _series_of(connection: Connection, role: str, call: str) -> set[int]:
    connection.execute(f"SET LOCAL ROLE {role}".encode())
    rows: list[tuple[Any, ...]] = connection.execute(f"SELECT DISTINCT series_id FROM {call}".encode()).fetchall()
    connection.execute("RESET ROLE")
    return {series for (series,) in rows}


def test_what_is_public_is_closed_before_a_tenant_is_let_in(seeded: Connection) -> None:
    role = _role(seeded, "demo-water")
    still_open = tenants.close_doors(seeded)
    assert tenants.find_open_doors(seeded) == still_open
    # PostgreSQL in WebAssembly does not let the row of its one database be changed
    assert still_open in ([], ["TEMPORARY on database template1"])
    reachable = seeded.execute(_REACHABLE, {"role": role}).fetchall()
    assert {schema for schema, _, kind in reachable if kind == "relation"} <= TIMESCALE
    assert [name for _, name, kind in reachable if kind == "function"] == []
    assert tenants.find_excess(seeded) == [tenants.Excess(role=role, is_missing=False, privileges=())]


# Relations beyond the views of `dashboard`, and functions that run as another, that the role can name and use.
_REACHABLE = """
SELECT n.nspname, c.relname, 'relation' FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'dashboard') AND n.nspname NOT LIKE 'pg\\_t%%'
  AND has_schema_privilege(%(role)s, n.oid, 'USAGE') AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
  AND (has_table_privilege(%(role)s, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')
       OR has_any_column_privilege(%(role)s, c.oid, 'SELECT, INSERT, UPDATE'))
UNION ALL
SELECT n.nspname, p.oid::regprocedure::text, 'function' FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE p.prosecdef AND has_schema_privilege(%(role)s, n.oid, 'USAGE')
  AND has_function_privilege(%(role)s, p.oid, 'EXECUTE')
"""
