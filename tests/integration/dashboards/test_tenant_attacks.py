"""What a tenant's viewer can send through Grafana: any SQL, several statements at once. None of it reaches others.

Each statement comes from a real log-in as the role, freed of its settings as a viewer can free it.
"""

import re
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tests.conftest import NewDatabase
from tests.integration.dashboards import strangers, world
from veldwatch.errors import StorageUnavailable
from veldwatch.storage import tenants
from veldwatch.storage.connection import connect

FREED = (
    "SET default_transaction_read_only = off; SET transaction_read_only = off; SET statement_timeout = 0;"
    " SET idle_in_transaction_session_timeout = 0; SET search_path = public, dashboard"
)


_PRIVILEGES = pytest.mark.several_backends("WebAssembly cannot change the privileges of its only database")
_LOGS_IN = pytest.mark.several_backends("the role has logged in; in WebAssembly a superuser's session plays it")


@dataclass(frozen=True, slots=True, kw_only=True)
class Besieged:
    """A database with a stranger's rows, and the way in of another tenant's role.

    Attributes:
        dsn: the administrator's.
        tenant: that of the organisation `demo-water`.
    """

    dsn: str
    tenant: str
    role: str

    def attack(self) -> psycopg.Connection[tuple[object, ...]]:
        """Log in as the tenant's role, and free the session of its settings."""
        connection = psycopg.connect(self.tenant, autocommit=True)
        connection.execute(FREED.encode())
        return connection


@pytest.fixture(scope="module")
def besieged(new_database: NewDatabase) -> Generator[Besieged]:
    with new_database() as dsn:
        with connect(dsn) as admin:
            world.make(admin)
            strangers.make(admin, "stranger")
            admin.commit()
            tenants.close_doors(admin)
            tenant = next(one for one in tenants.list_tenants(admin) if one.slug == "demo-water")
            password = tenants.allow_tenant(admin, tenant)
            admin.commit()
        yield Besieged(dsn=dsn, tenant=make_conninfo(dsn, user=tenant.role, password=password), role=tenant.role)
        with connect(dsn, autocommit=True) as admin:
            tenants.drop_role(admin, tenant.role)


@pytest.mark.parametrize(
    "statement",
    [
        # tables and views of others
        "SELECT * FROM public.reading_raw",
        "SELECT * FROM public.whole_reading",
        "SELECT * FROM public.tenant_role",
        "SELECT * FROM public.reading_hourly_rollup",
        "SELECT public.grant_dashboards('grafana_ro')",
        "SELECT * FROM public.storage_parts()",
        "SELECT * FROM public.quarantine_matching('{}')",
        "TABLE pg_authid",
        "TABLE pg_statistic",
        # another role
        "SET ROLE grafana_ro",
        pytest.param("SET SESSION AUTHORIZATION grafana_ro", marks=_LOGS_IN),
        "SET ROLE pg_read_all_data",
        "ALTER ROLE CURRENT_USER SUPERUSER",
        "ALTER ROLE CURRENT_USER CONNECTION LIMIT 100",
        "GRANT pg_read_all_data TO CURRENT_USER",
        "CREATE ROLE more",
        # writing
        "INSERT INTO dashboard.organisation (slug, name, kind) VALUES ('x', 'x', 'utility')",
        "DELETE FROM dashboard.contact",
        "CREATE TABLE dashboard.mine (x integer)",
        "CREATE TABLE public.mine (x integer)",
        "CREATE SCHEMA mine",
        pytest.param("CREATE TEMPORARY TABLE mine (x integer)", marks=_PRIVILEGES),
        "CREATE FUNCTION dashboard.spy() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "CREATE OR REPLACE VIEW dashboard.organisation AS SELECT 1 AS id",
        "CREATE EXTENSION dblink",
        "COMMENT ON VIEW dashboard.reading IS 'mine'",
        "SELECT lo_create(0)",
        "SELECT lo_from_bytea(0, 'x')",
        "SELECT lo_import('/etc/passwd')",
        "SELECT lo_export(1, '/tmp/x')",
        "SELECT pg_logical_emit_message(false, 'x', 'y')",
        # the server's files and programs
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT pg_ls_dir('.')",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "COPY dashboard.unit TO '/tmp/x'",
        # holding others up
        "SELECT pg_sleep(1000)",
        "SELECT pg_advisory_lock(1448232018)",
        "SELECT pg_try_advisory_xact_lock_shared(1)",
        "SELECT pg_current_xact_id()",
        "SELECT txid_current()",
        "SELECT pg_notify('veldwatch_batch', 'x')",
        "LOCK TABLE dashboard.reading IN ACCESS EXCLUSIVE MODE",
        pytest.param(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'veldwatch'",
            marks=pytest.mark.several_backends("another backend is there to be ended"),
        ),
        "SELECT pg_reload_conf()",
        "SELECT pg_switch_wal()",
        "SET session_replication_role = replica",
        "SET log_statement = 'none'",
        "VACUUM dashboard.reading",
    ],
)  # fmt: skip  # grouped by what is tried
def test_the_role_may_not(besieged: Besieged, statement: str) -> None:
    with besieged.attack() as attacker, pytest.raises(psycopg.Error) as refused:
        attacker.execute(f"BEGIN; {FREED}; {statement}".encode())
    # not allowed; no such thing that it could name; a view that takes no rows; nothing to vacuum in a transaction;
    # an extension that this server does not have
    assert refused.value.sqlstate in {"42501", "42P01", "42883", "55000", "25001", "0A000"}, refused.value


@pytest.mark.parametrize(
    "statement",
    [
        "RESET ALL; RESET ROLE",
        "DISCARD ALL",
        "SET search_path = pg_temp, dashboard",
        "BEGIN; SET LOCAL ROLE NONE; COMMIT",
        # the group has the grants, but is no organisation's
        "SET ROLE grafana_tenant",
        "SELECT set_config('role', 'grafana_tenant', false)",
        "SET row_security = off",
        "PREPARE mine AS SELECT count(*) FROM dashboard.organisation",
    ],
)
def test_whatever_it_sets_it_sees_no_stranger(besieged: Besieged, statement: str) -> None:
    with besieged.attack() as attacker:
        attacker.execute(statement.encode())
        rows = attacker.execute("SELECT slug FROM dashboard.organisation").fetchall()
        assert {slug for (slug,) in rows} <= {"demo-water"}
        found = attacker.execute("SELECT count(*) FROM dashboard.reading WHERE value > 4000").fetchone()
        assert found == (0,)


def test_a_viewer_s_own_names_do_not_come_before_the_server_s(besieged: Besieged) -> None:
    """A view's current_user is the server's, wherever the path of names leads."""
    with _temporary(besieged) as attacker:
        attacker.execute("SET search_path = pg_temp, dashboard, pg_catalog")
        attacker.execute("CREATE FUNCTION pg_temp.now() RETURNS timestamptz LANGUAGE sql AS 'SELECT NULL::timestamptz'")
        attacker.execute("CREATE TEMPORARY TABLE tenant_role AS SELECT 'x'::name AS role, 3 AS organisation_id")
        attacker.execute("CREATE TEMPORARY VIEW dashboard_reader AS SELECT true AS everything")
        assert attacker.execute("SELECT slug FROM dashboard.organisation").fetchall() == [("demo-water",)]


@pytest.mark.parametrize("view", ["organisation", "device", "reading", "reading_hourly", "position", "event",
                                  "contact", "alert", "alert_transition", "notification", "quarantine",
                                  "consumption_hourly", "rule", "series", "site"])  # fmt: skip  # those with strangers
def test_a_cheap_function_is_not_shown_rows_that_a_view_leaves_out(besieged: Besieged, view: str) -> None:
    heard: list[str] = []
    with _temporary(besieged) as attacker:
        attacker.add_notice_handler(lambda notice: heard.append(str(notice.message_primary)))
        attacker.execute(
            "CREATE FUNCTION pg_temp.spy(text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS"
            " $$ BEGIN RAISE NOTICE '%', $1; RETURN true; END $$"
        )
        attacker.execute(f"SELECT count(*) FROM dashboard.{view} v WHERE pg_temp.spy(v::text)".encode())
        # a cast shows its operand in its error
        try:
            attacker.execute(f"SELECT count(*) FROM dashboard.{view} v WHERE v::text::integer = 1".encode())
        except psycopg.Error as failed:
            heard.append(str(failed))
    # the tenant has no trackers and nothing in quarantine
    assert heard or view in {"position", "quarantine"}
    # as a number of its own: the tenant's own sums have such digits, too
    assert not [text for text in heard if "stranger" in text or re.search(r"(?<![\d.])4711", text)]


@contextmanager
def _temporary(besieged: Besieged) -> Generator[psycopg.Connection[tuple[object, ...]]]:
    """Allow temporary tables and functions again, so that the views stand by themselves."""
    with connect(besieged.dsn, autocommit=True) as admin, besieged.attack() as attacker:
        query = "SELECT has_database_privilege(current_user, current_database(), 'TEMPORARY')"
        closed = attacker.execute(query).fetchone() == (False,)  # in WebAssembly nobody can close it
        if closed:
            admin.execute(f"GRANT TEMPORARY ON DATABASE {admin.info.dbname} TO {besieged.role}".encode())
        yield attacker
        if closed:
            admin.execute(f"REVOKE TEMPORARY ON DATABASE {admin.info.dbname} FROM {besieged.role}".encode())


@pytest.mark.parametrize(
    ("view", "condition", "of_a_stranger", "of_nobody"),
    [
        ("reading", "value > {}", "4000", "9000"),
        ("reading_hourly", "maximum > {}", "4000", "9000"),
        ("consumption_hourly", "amount > {}", "4000", "9000"),
        ("position", "longitude > {}", "47", "57"),
        ("event", "kind = {}", "'stranger-event'", "'stranger-evens'"),
        ("device", "name = {}", "'stranger device'", "'stranger devics'"),
        ("site", "name = {}", "'stranger site'", "'stranger sits'"),
        ("alert", "summary = {}", "'stranger summary'", "'stranger summars'"),
        ("organisation", "slug = {}", "'stranger'", "'strangers'"),
    ],
)
def test_a_plan_does_not_count_what_a_condition_finds_at_others(
    besieged: Besieged, view: str, condition: str, of_a_stranger: str, of_nobody: str
) -> None:
    """EXPLAIN ANALYZE counts the rows of each step: one that judges a viewer's condition first tells it."""
    plans: list[str] = []
    with besieged.attack() as attacker:
        for asked in (of_a_stranger, of_nobody):
            plan = attacker.execute(
                "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS OFF)"
                f" SELECT 1 FROM dashboard.{view} v WHERE {condition.format(asked)}".encode()
            ).fetchall()
            plans.append("\n".join(str(line) for (line,) in plan).replace(asked.strip("'"), "..."))
    assert plans[0] == plans[1]


def test_plans_and_statistics_tell_of_the_tenant_s_own_columns_only(besieged: Besieged) -> None:
    with connect(besieged.dsn, autocommit=True) as admin:
        admin.execute("ANALYZE organisation, device, rule, quarantine")
    with besieged.attack() as attacker:
        assert attacker.execute("SELECT count(*) FROM pg_stats WHERE schemaname = 'public'").fetchone() == (0,)
        statements = attacker.execute(
            "SELECT query FROM pg_stat_activity WHERE usename <> current_user AND query <> ''"
        ).fetchall()
        assert {text for (text,) in statements} <= {"<insufficient privilege>"}


def test_names_of_the_server_s_roles_tell_no_organisation_s_name(besieged: Besieged) -> None:
    with besieged.attack() as attacker:
        roles = attacker.execute("SELECT rolname, shobj_description(oid, 'pg_authid') FROM pg_roles").fetchall()
    assert not [row for row in roles if "demo" in str(row) or "stranger" in str(row)]


def test_what_remains_open_is_what_the_documentation_says(besieged: Besieged) -> None:
    """These work, and PostgreSQL offers nothing against them: docs/how-to/dashboards-for-tenants.md."""
    with besieged.attack() as attacker:
        attacker.execute("LISTEN veldwatch_batch")
        attacker.execute("NOTIFY veldwatch_batch")
        attacker.execute("SELECT relname, reltuples FROM pg_class WHERE relname = 'reading_raw'")
        attacker.execute("SELECT pg_database_size(current_database())")
        attacker.execute("SELECT datname FROM pg_database")
        attacker.execute("SELECT pg_get_viewdef('dashboard.reading'::regclass)")
        attacker.execute("ALTER ROLE CURRENT_USER SET statement_timeout = 0")
        attacker.execute("ALTER ROLE CURRENT_USER RESET statement_timeout")
        # how many rows another's key has, and when
        plan = attacker.execute("EXPLAIN (ANALYZE) SELECT 1 FROM dashboard.reading WHERE series_id = 1").fetchall()
        assert plan


@_LOGS_IN
@pytest.mark.parametrize(
    "statement",
    [
        "SET temp_file_limit = -1",
        "ALTER ROLE CURRENT_USER SET temp_file_limit = -1",
        "ALTER ROLE CURRENT_USER RESET temp_file_limit",
        "ALTER ROLE CURRENT_USER RESET ALL",
    ],
)
def test_what_it_may_write_to_the_disk_is_bounded(besieged: Besieged, statement: str) -> None:
    with besieged.attack() as attacker, suppress(psycopg.errors.InsufficientPrivilege):
        attacker.execute(statement.encode())
    with besieged.attack() as attacker:
        attacker.execute("RESET ALL")
        assert attacker.execute("SHOW temp_file_limit").fetchone() == ("1GB",)


@pytest.mark.several_backends("another backend is there to be ended")
def test_a_session_that_stays_in_a_transaction_is_ended(besieged: Besieged) -> None:
    with connect(besieged.dsn, autocommit=True) as admin, besieged.attack() as attacker:
        attacker.execute("BEGIN; SELECT 1")
        assert tenants.end_slow_readers(admin) == []
        assert tenants.end_slow_readers(admin, longest=timedelta(0)) == [besieged.role]
        with pytest.raises(psycopg.OperationalError):
            attacker.execute("SELECT 1")


@pytest.mark.several_backends("a lock is held by one session and asked for by another")
def test_one_that_changes_its_role_and_waits_holds_up_nobody_s_provisioning(
    besieged: Besieged, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tenants, "_LONGEST_WAIT", "100ms")
    with connect(besieged.dsn, autocommit=True) as admin, besieged.attack() as attacker:
        attacker.execute("BEGIN; ALTER ROLE CURRENT_USER SET statement_timeout = 0")
        tenant = next(one for one in tenants.list_tenants(admin) if one.slug == "demo-water")
        for deed in (lambda: tenants.allow_tenant(admin, tenant), lambda: tenants.drop_role(admin, tenant.role)):
            with pytest.raises(StorageUnavailable):
                deed()
        attacker.execute("ROLLBACK")
        tenants.mark_told(admin, tenant.role)


def test_only_so_many_connections_are_let_in(besieged: Besieged) -> None:
    opened: list[psycopg.Connection[tuple[object, ...]]] = []
    try:
        with pytest.raises(psycopg.OperationalError, match="too many connections for role"):
            opened.extend(psycopg.connect(besieged.tenant) for _ in range(tenants.CONNECTIONS + 1))
    finally:
        for connection in opened:
            connection.close()


@pytest.mark.several_backends("the server has two databases")
def test_a_role_of_another_database_on_the_server_sees_nothing_here(
    besieged: Besieged, new_database: NewDatabase
) -> None:
    with new_database() as dsn:
        with connect(dsn) as admin:
            # the same number as the visitor's own has at home
            made = admin.execute("INSERT INTO organisation (slug, name) VALUES ('x', 'x') RETURNING id").fetchone()
            assert made == (1,)
            name = admin.info.dbname
        with psycopg.connect(make_conninfo(besieged.tenant, dbname=name)) as visitor:
            assert visitor.execute("SELECT count(*) FROM dashboard.organisation").fetchone() == (0,)
