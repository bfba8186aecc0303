"""What the role that Grafana has can do: read the views. Nothing else, even after it changed its own settings."""

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tests.integration.dashboards import world
from veldwatch.errors import ConfigurationInvalid
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.dashboards import allow_reader, reader_address

FREED = "SET default_transaction_read_only = off; SET transaction_read_only = off; SET statement_timeout = 0"


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM public.reading_raw",
        "SELECT * FROM public.reading",
        "SELECT payload FROM public.quarantine",
        "SELECT digest FROM public.token",
        "SELECT secret, address FROM public.receiver",
        "SELECT message FROM public.outbox",
        "INSERT INTO dashboard.organisation (slug, name, kind) VALUES ('x', 'x', 'utility')",
        "DELETE FROM dashboard.reading",
        "UPDATE dashboard.device SET name = 'x'",
        "INSERT INTO public.contact (received_at, device_id, messages) VALUES (now(), 1, 1)",
        "CREATE TABLE dashboard.mine (x integer)",
        "CREATE TABLE public.mine (x integer)",
        "SELECT public.grant_dashboards('grafana_ro')",
        "SELECT pg_read_file('/etc/passwd')",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "CREATE ROLE more",
        "RESET ROLE; SET ROLE pg_read_all_data",
    ],
)
def test_the_role_may_not(dsn: str, statement: str) -> None:
    with connect(dsn) as admin:
        allow_reader(admin, "p-one")
    with psycopg.connect(make_conninfo(dsn, user="grafana_ro", password="p-one")) as reader:
        for part in FREED.split(";"):
            reader.execute(part.encode())
        with pytest.raises(psycopg.Error) as refused:
            reader.execute(statement.encode())
    assert refused.value.sqlstate in {"42501", "55000"}, refused.value  # not allowed; a view that takes no rows


def test_the_role_logs_in_with_its_password_and_reads_every_view(dsn: str) -> None:
    with connect(dsn) as admin:
        world.make(admin)
        allow_reader(admin, "p-two")
        views = admin.execute("SELECT viewname FROM pg_views WHERE schemaname = 'dashboard'").fetchall()
    with psycopg.connect(make_conninfo(dsn, user="grafana_ro", password="p-two")) as reader:
        for (view,) in views:
            reader.execute(f"SELECT * FROM dashboard.{view} LIMIT 1".encode())
        settings = reader.execute(
            "SELECT current_setting('default_transaction_read_only'), current_setting('statement_timeout')"
        ).fetchone()
    assert settings == ("on", "15s")
    assert len(views) > 15


def test_every_view_has_a_barrier(connection: Connection) -> None:
    rows = connection.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'dashboard'::regnamespace AND relkind = 'v'"
        " AND NOT coalesce('security_barrier=true' = ANY (reloptions), false)"
    ).fetchall()
    assert rows == []


def test_a_condition_that_spies_does_not_see_rows_that_a_view_leaves_out(dsn: str) -> None:
    with connect(dsn) as admin:
        world.make(admin)
        admin.execute("UPDATE device SET status = 'retired' WHERE external_id = 'power'")
        allow_reader(admin, "p-three")
    heard: list[str] = []
    with psycopg.connect(make_conninfo(dsn, user="grafana_ro", password="p-three")) as reader:
        reader.add_notice_handler(lambda notice: heard.append(str(notice.message_primary)))
        reader.execute("SET default_transaction_read_only = off")
        reader.rollback()
        reader.execute("SET default_transaction_read_only = off")
        reader.commit()
        reader.execute(
            "CREATE FUNCTION pg_temp.spy(text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS"
            " $$ BEGIN RAISE NOTICE '%', $1; RETURN true; END $$"
        )
        reader.execute("SELECT count(*) FROM dashboard.device WHERE pg_temp.spy(name)")
    assert "reservoir" in heard
    assert "power" not in heard


@pytest.mark.parametrize("password", ["", "a$b"])
def test_a_password_that_grafana_would_cut_is_refused(connection: Connection, password: str) -> None:
    with pytest.raises(ConfigurationInvalid, match="grafana_ro"):
        allow_reader(connection, password)


def test_grafana_is_told_the_address_of_the_connection_string_or_the_one_it_sees() -> None:
    address = reader_address("postgresql://u:p@db.example:5433/veldwatch?sslmode=verify-full")
    assert (address.host, address.database, address.sslmode) == ("db.example:5433", "veldwatch", "verify-full")
    assert reader_address("host=/run/x dbname=v", seen_as="db:5432").host == "db:5432"
    with pytest.raises(ConfigurationInvalid, match="VELDWATCH_DSN"):
        reader_address("host=db")
