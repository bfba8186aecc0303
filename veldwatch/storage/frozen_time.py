"""A time that stands still, in a database that is made for pictures: the dashboards' views take it for now.

Nothing else calls this: it replaces views and a default of the database that it is given. Queries that a dashboard
sends say `now()` as well; with `SEARCH_PATH` that is the frozen one.
"""

from datetime import datetime

from psycopg import sql

from veldwatch.storage.connection import Connection, translated_errors

SEARCH_PATH = "dashboard, pg_catalog"
"""`pg_catalog` comes first only where it is not named."""


def lay_clock(connection: Connection) -> None:
    """Let commits of the log be as old as `set_clock` says."""
    with translated_errors(), connection.transaction():
        connection.execute("CREATE TABLE frozen_clock (at timestamptz NOT NULL)")
        connection.execute("INSERT INTO frozen_clock VALUES ('epoch')")
        connection.execute(
            "CREATE FUNCTION frozen_clock_at() RETURNS timestamptz LANGUAGE sql STABLE"
            " AS $$ SELECT at FROM public.frozen_clock $$"
        )
        connection.execute("ALTER TABLE batch ALTER COLUMN committed_at SET DEFAULT frozen_clock_at()")


def set_clock(connection: Connection, at: datetime) -> None:
    """Say what time it is, for what is committed from now on."""
    with translated_errors(), connection.transaction():
        connection.execute("UPDATE frozen_clock SET at = %s", (at,))


def freeze(connection: Connection, at: datetime) -> None:
    """Let everything that the dashboards' views and queries take for now be `at`, for good."""
    moment = sql.SQL("{}::timestamptz").format(sql.Literal(at.isoformat()))
    with translated_errors(), connection.transaction():
        connection.execute(
            sql.SQL("CREATE FUNCTION dashboard.now() RETURNS timestamptz LANGUAGE sql STABLE AS {}").format(
                sql.Literal(f"SELECT {moment.as_string(connection)}")
            )
        )
        views = connection.execute(
            "SELECT viewname, definition FROM pg_views WHERE schemaname = 'dashboard' AND definition ~ '\\mnow\\(\\)'"
        ).fetchall()
        for name, definition in views:
            frozen = str(definition).replace("now()", moment.as_string(connection))
            connection.execute(
                f'CREATE OR REPLACE VIEW dashboard."{name}" WITH (security_barrier) AS {frozen}'.encode()
            )
        connection.execute("UPDATE log_cursor SET updated_at = %s", (at,))
        connection.execute("GRANT EXECUTE ON FUNCTION dashboard.now() TO grafana_ro")
