"""Every query of every dashboard runs as Grafana would send it: as the read-only role, whatever is chosen."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import psycopg
import pytest

from dashboards.catalogue import CATALOGUE, Audience
from dashboards.macros import Window, expand
from tests.integration.dashboards.world import NOW
from tests.unit.dashboards.committed import Query, models, queries, variables
from veldwatch.storage import tenants
from veldwatch.storage.connection import Connection
from veldwatch.storage.editions import Edition, identify

WINDOWS = {
    "15 min": Window(since=NOW - timedelta(minutes=15), until=NOW, interval=timedelta(seconds=10)),
    "24 h": Window(since=NOW - timedelta(hours=24), until=NOW, interval=timedelta(minutes=2)),
    "30 d": Window(since=NOW - timedelta(days=30), until=NOW, interval=timedelta(hours=1)),
    "1 y": Window(since=NOW - timedelta(days=365), until=NOW, interval=timedelta(days=1)),
}
CHOICES = ("all", "one", "quote", "none")
# Everything at every length, the other choices at one.
CASES = (*((name, "all") for name in WINDOWS), *(("24 h", choice) for choice in CHOICES[1:]))
POINTS = 500

# What each kind of panel must be given. Source: seen rendering on Grafana 12.4.3.
REQUIRED = {
    "geomap": {"latitude", "longitude", "name"},
    "logs": {"time", "body", "level", "id"},
    "annotation": {"time", "timeend", "text", "tags"},
    "timeseries": {"time"},
    "state-timeline": {"time"},
}
# What a query tells with nothing chosen, too: names of a closed list, and times of a grid.
_ANYWAY = {"state", "severity", "name", "time"}
Rows = list[dict[str, Any]]


@pytest.mark.parametrize("query", queries(), ids=str)
def test_a_query_answers_in_the_shape_that_its_panel_needs_and_finds_what_is_chosen(
    reader: Connection, query: Query
) -> None:
    for name, choice in CASES if "sqlstring" in query.sql else CASES[: len(WINDOWS)]:
        rows, columns = _run(reader, query, WINDOWS[name], _values(reader, query, choice))
        _check_shape(query, rows, columns, f"{name}, {choice}")
        _check_times(query, rows, WINDOWS[name])
        if (name, choice) == ("30 d", "all"):
            # The ways of further animals: the world has one.
            assert rows or ("OFFSET" in query.sql and "OFFSET 0" not in query.sql)
        if choice == "none":
            assert all(not row.get(column) for row in rows for column in columns if column not in _ANYWAY)


def _check_shape(query: Query, rows: Rows, columns: list[str], case: str) -> None:
    assert REQUIRED.get(query.kind, set()) <= set(columns), case
    if query.kind == "variable":
        assert columns in (["__text", "__value"], ["metric"]), case
    if query.output == "time_series":
        assert columns[0] == "time", case
        labels = {column for row in rows for column in columns[1:] if isinstance(row[column], str)}
        assert len(labels) <= 1, case
        series = len({row[label] for row in rows for label in labels}) or 1
        assert len(rows) <= 3 * POINTS * series, case
    if query.kind in {"stat", "barchart", "bargauge", "timeseries", "state-timeline"}:
        numbers = (int, float, Decimal, type(None))
        last = columns[-1]
        assert all(isinstance(row[last], numbers) for row in rows), case


def _check_times(query: Query, rows: Rows, window: Window) -> None:
    if query.output != "time_series":
        return
    times = [row["time"] for row in rows]
    assert all(isinstance(time, datetime) for time in times)
    assert times == sorted(times)
    assert all(window.since <= time <= window.until for time in times)


def _values(connection: Connection, query: Query, choice: str) -> dict[str, list[str]]:
    """Choose values for the variables of a query's dashboard, first ones first, as a person would."""
    chosen: dict[str, list[str]] = {}
    for variable in variables(models()[query.dashboard]):
        name: str = variable["name"]
        everything = _options(connection, variable, chosen)
        chosen[name] = _choose(variable, everything, choice, alone=query.repeat == name)
    return chosen


def _choose(variable: dict[str, Any], everything: list[str], choice: str, *, alone: bool) -> list[str]:
    if variable["type"] == "custom" and not variable.get("multi"):
        return everything[:1]
    many = variable.get("multi") and not alone
    match choice:
        case "all":
            return everything if many else everything[:1]
        case "one":
            return everything[:1]
        case "quote":
            return ["O'Brien"]
        case _:
            return []


def _options(connection: Connection, variable: dict[str, Any], chosen: dict[str, list[str]]) -> list[str]:
    if variable["type"] == "custom":
        return variable["query"].split(",")
    return list(_ask(connection, expand(variable["query"], WINDOWS["24 h"], chosen)))


@cache
def _ask(connection: Connection, sql: str) -> Sequence[str]:
    return tuple(row[-1] for row in connection.execute(sql.encode()).fetchall())


def _run(connection: Connection, query: Query, window: Window, values: dict[str, list[str]]) -> tuple[Rows, list[str]]:
    sql = expand(query.sql, window, values)
    try:
        cursor = connection.execute(sql.encode())
    except psycopg.Error as error:
        pytest.fail(f"{query}: {error}\n{sql}")
    columns = [column.name for column in cursor.description or ()]
    return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()], columns


def test_a_year_is_drawn_from_rollups_and_of_raw_readings_only_the_newest_day_is_asked(reader: Connection) -> None:
    assert _raw_scans(reader, WINDOWS["15 min"])
    newest = _parts_of_today(reader)
    for name in ("30 d", "1 y"):
        assert _raw_scans(reader, WINDOWS[name]) <= newest, name


def test_every_graph_of_a_month_and_a_year_reads_rollups_and_of_raw_readings_only_the_newest_day(
    reader: Connection,
) -> None:
    """Of every graph of readings; those that choose series by their newest value look that up, one reading each."""
    graphs = [query for query in queries() if query.output == "time_series" and "dashboard.readings(" in query.sql]
    drawn = [query for query in graphs if "dashboard.newest(" not in query.sql]
    assert len(drawn) > len(graphs) / 2
    newest = _parts_of_today(reader)
    reader.execute("SET ROLE grafana_ro")
    for query in drawn:
        for name in ("30 d", "1 y"):
            sql = expand(query.sql, WINDOWS[name], _values(reader, query, "all"))
            assert _scanned(reader, sql) <= newest, f"{query}, {name}"


def _raw_scans(reader: Connection, window: Window) -> set[str]:
    """Name the tables and chunks of raw readings that a panel's query looks into."""
    sql = "SELECT count(*) FROM dashboard.readings(ARRAY[1, 2, 3], $__timeFrom(), $__timeTo(), $__interval_ms)"
    return _scanned(reader, expand(sql, window, {}))


def _scanned(reader: Connection, sql: str) -> set[str]:
    """Name the tables and chunks of raw readings that a statement looks into; the role stays Grafana's."""
    reader.execute("RESET ROLE")
    before = _count_scans(reader)
    reader.execute("SET ROLE grafana_ro")
    reader.execute(sql.encode())
    reader.execute("RESET ROLE")
    after = _count_scans(reader)
    reader.execute("SET ROLE grafana_ro")
    return {name for name, scans in after.items() if scans > before.get(name, 0)}


def _count_scans(connection: Connection) -> dict[str, int]:
    return dict(
        connection.execute(
            "SELECT relname, (seq_scan + coalesce(idx_scan, 0))::bigint FROM pg_stat_xact_all_tables"
            " WHERE relname LIKE 'reading\\_raw%' OR relname LIKE '\\_hyper\\_1\\_%'"
        ).fetchall()
    )


def _parts_of_today(connection: Connection) -> set[str]:
    """Name the partitions or chunks of raw readings that reach into the last day, and the empty table above them."""
    connection.execute("RESET ROLE")
    since = NOW - timedelta(days=1)
    if identify(connection).edition is Edition.PLAIN:
        return {"reading_raw", *(f"reading_raw_{at:%Y%m}" for at in (since, NOW))}
    rows = connection.execute(
        "SELECT chunk_name FROM timescaledb_information.chunks"
        " WHERE hypertable_name = 'reading_raw' AND range_end > %s",
        (since,),
    ).fetchall()
    return {"reading_raw", *(row[0] for row in rows)}


@pytest.mark.parametrize("slug", ["demo-water", "demo-wildlife"])
def test_every_query_of_a_tenant_s_dashboards_answers_the_tenant_s_role(seeded: Connection, slug: str) -> None:
    """With what is public closed, as it is before a tenant is let in; what it finds is the tenant's."""
    tenant = next(one for one in tenants.list_tenants(seeded) if one.slug == slug)
    tenants.allow_tenant(seeded, tenant)
    tenants.close_doors(seeded)
    others = {"demo-water": "collar", "demo-wildlife": "reservoir"}[slug]
    seeded.execute(f"SET LOCAL ROLE {tenant.role}".encode())
    seeded.execute("SET LOCAL search_path = dashboard")
    seeded.execute("SET statement_timeout = '2s'")
    wanted = {entry.build().build().uid for entry in CATALOGUE if entry.is_for(Audience.TENANT)}
    empty = {str(query) for query in queries() if query.dashboard in wanted}
    for query in queries():
        if query.dashboard not in wanted:
            continue
        # as what @cache of this module remembers belongs to another role
        _ask.cache_clear()
        values = _values(seeded, query, "all")
        for name in ("24 h", "30 d"):
            rows, columns = _run(seeded, query, WINDOWS[name], values)
            _check_shape(query, rows, columns, f"{slug}, {name}")
            assert others not in str(rows), query
            if rows:
                empty.discard(str(query))
    _ask.cache_clear()
    # what a utility has no animals for, and an agency no meters
    assert len(empty) < len(queries()) / 2, empty


def test_the_operator_s_role_answers_with_what_is_public_closed(seeded: Connection) -> None:
    tenants.close_doors(seeded)
    seeded.execute("SET LOCAL ROLE grafana_ro")
    _ask.cache_clear()
    for query in queries():
        _run(seeded, query, WINDOWS["24 h"], _values(seeded, query, "all"))
    _ask.cache_clear()


# What the world's devices say, in the units in which panels show it: dashboard, panel, least and most.
FIGURES = (
    ("control-room", "Into the zones", 2.0, 7.0),  # m3/h, each 2 to 7
    ("control-room", "Load", 40.0, 49.0),  # kW
    ("water", "Inflow", 2.0, 7.0),
    ("water", "Minimum night flow, five weeks", 2.0, 7.0),
    ("water", "Pressure", 3.0, 3.0),  # bar
    ("water", "Lowest pressure now", 3.0, 3.0),
    ("water", "Into and out of reservoirs", 0.0, 14.4),  # up to 4 L/s in m3/h
    ("water", "Levels", 2.0, 2.9),  # m
    ("electricity", "Load now", 40.0, 49.0),
    ("electricity", "Load", 40.0, 49.0),
    ("electricity", "Voltage", 230.0, 230.0),
    ("electricity", "Power of all customers", 0.0, 2.3),  # up to 2300 W in kW
    ("environment", "Turbidity (FNU)", 0.4, 0.4),
    ("environment", "Conductivity", 0.42, 0.42),  # 420 uS/cm in mS/cm
    ("environment", "Air temperature", 20.0, 27.0),
    ("environment", "Wind", 10 / 3.6, 14 / 3.6),  # km/h in m/s
    ("environment", "Fine dust", 9.0, 9.0),
    ("wildlife", "Fence voltage", 7.0, 7.0),  # kV
    ("wildlife", "Charge of trackers", 80.0, 80.0),  # percent
)


@pytest.mark.parametrize(("dashboard", "panel", "least", "most"), FIGURES)
def test_a_panel_shows_its_quantity_in_its_own_unit(
    reader: Connection, dashboard: str, panel: str, least: float, most: float
) -> None:
    (query,) = (one for one in queries() if (one.dashboard, one.place) == (f"iot-{dashboard}", f"{panel} A"))
    rows, columns = _run(reader, query, WINDOWS["24 h"], _values(reader, query, "all"))
    values = [row[name] for row in rows for name in columns if isinstance(row[name], (int, float, Decimal))]
    assert values
    assert all(least * (1 - 1e-9) <= value <= most * (1 + 1e-9) for value in values), values


@pytest.mark.parametrize("slug", [None, "demo-water"], ids=["operator", "tenant"])
def test_of_a_long_history_of_alerts_those_of_the_window_are_read(seeded: Connection, slug: str | None) -> None:
    """Whoever looks: the views that leave out what a tenant may not see let the window's bounds through."""
    past = 4000
    tenants.close_doors(seeded)  # conditions on texts are judged late from then on
    _remember_alerts(seeded, past)
    role = "grafana_ro"
    if slug is not None:
        tenant = next(one for one in tenants.list_tenants(seeded) if one.slug == slug)
        tenants.allow_tenant(seeded, tenant)
        role = tenant.role
    audience = {entry.build().build().uid for entry in CATALOGUE if slug is None or entry.is_for(Audience.TENANT)}
    asked = [query for query in queries() if query.dashboard in audience and _ALERTS.search(query.sql)]
    assert len(asked) > 15
    _ask.cache_clear()
    read: dict[str, int] = {}
    for query in asked:
        seeded.execute(f"SET LOCAL search_path = dashboard; SET LOCAL ROLE {role}".encode())
        sql = expand(query.sql, WINDOWS["24 h"], _values(seeded, query, "all"))
        read[str(query)] = _count_alerts_read(seeded, sql)
    _ask.cache_clear()
    assert {query: rows for query, rows in read.items() if rows > past / 10} == {}


_ALERTS = re.compile(r"dashboard\.(alert|incident)")


def _remember_alerts(connection: Connection, past: int) -> None:
    """Write alerts of the last two years that are over, each told of, and an incident of each other one."""
    for statement in (
        """
        INSERT INTO alert (id, rule_version_id, organisation_id, device_id, site_id, subject, severity, state,
                           opened_at, fired_at, resolved_at, recorded_at, summary)
        SELECT gen_random_uuid(), a.rule_version_id, a.organisation_id, a.device_id, a.site_id, 'past:' || n, 'major',
               'resolved', t.at, t.at, t.at + interval '1 hour', t.at, 'over'
        FROM (SELECT * FROM alert WHERE state = 'firing' AND severity = 'major') a
        CROSS JOIN generate_series(1, %(past)s) AS g (n)
        CROSS JOIN LATERAL (SELECT %(now)s - interval '3 days' - n * interval '4 hours' AS at) t
        """,
        """
        INSERT INTO alert_transition (alert_id, kind, at, recorded_at)
        SELECT id, 'firing', fired_at, fired_at FROM alert WHERE subject LIKE 'past:%%'
        """,
        """
        INSERT INTO outbox (id, transition_id, alert_id, receiver_id, message, next_attempt_at, created_at, state)
        SELECT gen_random_uuid(), t.id, t.alert_id, r.id, '{}', t.at, t.at, 'delivered'
        FROM alert_transition t JOIN alert a ON a.id = t.alert_id, receiver r WHERE a.subject LIKE 'past:%%'
        """,
        """
        INSERT INTO incident (id, founder_id, created_at, updated_at)
        SELECT gen_random_uuid(), id, opened_at, opened_at FROM alert WHERE subject ~ '^past:.*[02468]$'
        """,
        """
        INSERT INTO incident_part (incident_id, organisation_id, title, severity, state, opened_at, fired_at,
                                   resolved_at, alerts, open_alerts, devices, lead_alert_id, site_id, impact_customers)
        SELECT i.id, a.organisation_id, 'Over', 'major', 'resolved', a.opened_at, a.fired_at, a.resolved_at, 1, 0, 1,
               a.id, a.site_id, 2
        FROM incident i JOIN alert a ON a.id = i.founder_id WHERE a.subject LIKE 'past:%%'
        """,
        "ANALYZE alert",
        "ANALYZE alert_transition",
        "ANALYZE outbox",
        "ANALYZE incident",
        "ANALYZE incident_part",
    ):
        connection.execute(statement.encode(), {"past": past, "now": NOW})


def _count_alerts_read(connection: Connection, sql: str) -> int:
    count = (
        "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint FROM pg_stat_xact_all_tables"
        " WHERE relname IN ('alert', 'incident_part') AND schemaname = 'public'"
    )
    (role,) = connection.execute("SELECT current_role").fetchone() or ("",)
    connection.execute("RESET ROLE")
    (before,) = connection.execute(count).fetchone() or (0,)
    connection.execute(f"SET LOCAL ROLE {role}".encode())
    connection.execute(sql.encode())
    connection.execute("RESET ROLE")
    (after,) = connection.execute(count).fetchone() or (0,)
    return after - before
