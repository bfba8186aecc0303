"""A session that listens, stays in a transaction and lets notifications pile up stops nothing and loses nothing.

On a server of its own whose room for notifications is small enough to be filled.
"""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tests import databases
from tests.integration.ingest.conftest import eventually, make_pipeline
from tests.integration.ingest.test_pipeline import NOW, reading
from veldwatch.config import Settings
from veldwatch.errors import StorageUnavailable
from veldwatch.storage import register, tenants
from veldwatch.storage.connection import connect, translated_errors
from veldwatch.storage.doctor import Level, examine
from veldwatch.storage.intake import IntakeWriter
from veldwatch.storage.migrate import migrate


@pytest.fixture(scope="module")
def small() -> Generator[tuple[str, str]]:
    """Give the administrator's DSN and a tenant's, on a server with room for few notifications."""
    with databases.own_server({"max_notify_queue_pages": "64"}) as admin_dsn:
        with psycopg.connect(admin_dsn, autocommit=True) as admin:
            admin.execute("CREATE DATABASE small")
        dsn = make_conninfo(admin_dsn, dbname="small")
        with connect(dsn) as connection:
            migrate(connection)
            register.ensure_organisation(connection, "demo")
            connection.commit()
            tenants.close_doors(connection)
            [tenant] = tenants.list_tenants(connection)
            password = tenants.allow_tenant(connection, tenant)
            connection.commit()
        yield dsn, make_conninfo(dsn, user=tenant.role, password=password)


@contextmanager
def piled_up(tenant: str) -> Generator[psycopg.Connection[tuple[object, ...]]]:
    """Fill the room for notifications as a viewer can; gives the session that keeps them."""
    with psycopg.connect(tenant, autocommit=True) as keeper, psycopg.connect(tenant, autocommit=True) as filler:
        keeper.execute("SET idle_in_transaction_session_timeout = 0; LISTEN anything")
        keeper.execute("BEGIN; SELECT 1")
        filler.execute("SELECT pg_notification_queue_usage()")  # frees what an earlier test left
        for size in (7900, 100, 1):
            _notify_until_full(filler, size)
        yield keeper


def _notify_until_full(filler: psycopg.Connection[tuple[object, ...]], size: int) -> None:
    try:
        for number in count():
            # those of one transaction that are equal are one
            values = ", ".join(f"'{number}-{each}-{'x' * size}'" for each in range(10))
            filler.execute(
                f"DO $$ DECLARE v text; BEGIN FOREACH v IN ARRAY ARRAY[{values}] LOOP"
                " EXECUTE format('NOTIFY anything, %L', v); END LOOP; END $$".encode()
            )
    except psycopg.errors.ProgramLimitExceeded:
        return


def test_all_is_stored_while_notifications_pile_up(small: tuple[str, str]) -> None:
    dsn, tenant = small
    settings = Settings(dsn=dsn, register_unknown_devices=True)
    pipeline, writer = make_pipeline(settings), IntakeWriter(dsn)
    try:
        pipeline.store(writer, [reading(1.0)])  # registers, which tells everybody
        with piled_up(tenant):
            given = [reading(2.0, at=NOW + timedelta(minutes=minute)) for minute in range(1, 5)]
            report = pipeline.store(writer, given)
    finally:
        writer.close()
    assert (report.readings, report.quarantined) == (4, 0)


def test_who_must_be_told_and_cannot_be_tries_again(small: tuple[str, str]) -> None:
    dsn, tenant = small
    with (
        piled_up(tenant),
        connect(dsn, autocommit=True) as connection,
        pytest.raises(StorageUnavailable, match="54000"),
        translated_errors(),
    ):
        connection.execute("NOTIFY veldwatch_register")


def test_the_doctor_says_who_keeps_them_and_maintenance_ends_it(small: tuple[str, str]) -> None:
    dsn, tenant = small
    settings = Settings(dsn=dsn, mqtt_port=0)
    with piled_up(tenant) as keeper, connect(dsn, autocommit=True) as connection:
        connection.execute("SELECT pg_sleep(5.1)")
        found = {finding.subject: finding for finding in examine(settings, datetime.now(UTC))}["notifications"]
        assert found.level is Level.WARNING
        assert f"process {keeper.info.backend_pid}" in found.sentence
        assert tenants.end_slow_readers(connection, longest_while_full=timedelta(0)) != []
        with pytest.raises(psycopg.OperationalError):
            keeper.execute("SELECT 1")
        # asking frees the room, as everything does that wakes somebody
        eventually(lambda: connection.execute("SELECT pg_notification_queue_usage()").fetchone() == (0.0,))
        connection.execute("NOTIFY veldwatch_register")
