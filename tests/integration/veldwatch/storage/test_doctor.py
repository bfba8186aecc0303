"""The doctor names what is wrong, on every edition, and changes nothing."""

import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from psycopg.conninfo import make_conninfo

from veldwatch.config import Settings
from veldwatch.storage import log, maintenance, register, tenants
from veldwatch.storage.connection import Connection
from veldwatch.storage.doctor import Finding, Level, examine
from veldwatch.storage.log import LogBatch

plain = pytest.mark.parametrize("server_kind", ["plain"], indirect=True)


def _examine(dsn: str, tmp_path: Path, **settings: object) -> dict[str, Finding]:
    # Port 0: the broker is left out unless the test brings one.
    chosen = Settings.model_validate({"dsn": dsn, "home": tmp_path / "not" / "there", "mqtt_port": 0, **settings})
    return {finding.subject: finding for finding in examine(chosen, datetime.now(UTC))}


def test_all_is_well_with_a_database_that_is_kept_up(dsn: str, connection: Connection, tmp_path: Path) -> None:
    maintenance.run_once(connection, datetime.now(UTC))
    connection.commit()
    found = _examine(dsn, tmp_path)
    assert [finding for finding in found.values() if finding.level is not Level.OK] == []
    assert {"clock", "database", "schema", "log", "outbox", "broker", "disk"} <= set(found)


def test_a_consumer_that_lags_is_named(dsn: str, connection: Connection, tmp_path: Path) -> None:
    for consumer, age in (("rules", timedelta(minutes=10)), ("stream", timedelta(days=1))):
        log.append(connection, LogBatch())
        connection.execute(
            "UPDATE batch SET committed_at = %s WHERE id = (SELECT max(id) FROM batch)", (datetime.now(UTC) - age,)
        )
        log.save_cursor(connection, consumer, log.START)
        connection.commit()
        found = _examine(dsn, tmp_path)[f"log: {consumer}"]
        assert found.level is (Level.WARNING if consumer == "rules" else Level.ERROR)


@plain
def test_figures_that_nobody_ever_made_are_named_and_maintenance_is_the_remedy(
    dsn: str, connection: Connection, tmp_path: Path
) -> None:
    log.append(connection, LogBatch())
    connection.execute("UPDATE batch SET committed_at = now() - interval '7 hours'")
    connection.commit()
    found = _examine(dsn, tmp_path)
    for consumer in ("rollups", "consumption"):
        assert found[f"log: {consumer}"].level is Level.ERROR
        assert "veldwatch maintain" in found[f"log: {consumer}"].sentence
        assert "delete" not in found[f"log: {consumer}"].sentence


@plain
def test_months_that_nobody_made_are_named(dsn: str, tmp_path: Path) -> None:
    found = _examine(dsn, tmp_path)["partitions"]
    assert found.level is Level.WARNING
    assert "veldwatch maintain" in found.sentence


@plain
def test_a_tenant_s_role_that_is_missing_or_can_do_more_than_read_is_named(
    dsn: str, connection: Connection, tmp_path: Path
) -> None:
    for slug in ("one", "two"):
        register.ensure_organisation(connection, slug)
    connection.commit()
    one, two = tenants.list_tenants(connection)
    tenants.mark_of(connection, two)
    tenants.allow_tenant(connection, one)
    connection.execute(f"GRANT SELECT ON device TO {one.role}".encode())
    connection.commit()
    try:
        found = _examine(dsn, tmp_path)
        assert found["tenants: rights"].level is Level.ERROR
        assert f"{one.role}: privileges on device" in found["tenants: rights"].sentence
        assert two.role in found["tenants: roles"].sentence
        assert "TEMPORARY" in found["tenants: doors"].sentence or "function" in found["tenants: doors"].sentence
        connection.execute(f"REVOKE SELECT ON device FROM {one.role}".encode())
        connection.execute("CREATE VIEW dashboard.of_somebody AS SELECT value FROM public.reading_raw")
        connection.commit()
        assert "['of_somebody']" in _examine(dsn, tmp_path)["tenants: views"].sentence
        connection.execute("DROP VIEW dashboard.of_somebody")
        tenants.allow_tenant(connection, two)
        assert tenants.close_doors(connection) == []
        connection.commit()
        assert _examine(dsn, tmp_path)["tenants"].sentence == "2 roles, each with its own rows only"
    finally:
        for tenant in (one, two):
            tenants.drop_role(connection, tenant.role)
        connection.commit()


@plain
def test_a_clock_that_differs_is_told(dsn: str, tmp_path: Path) -> None:
    settings = Settings(dsn=dsn, home=tmp_path, mqtt_port=0)
    found = {finding.subject: finding for finding in examine(settings, datetime.now(UTC) + timedelta(minutes=1))}
    assert found["clock"].level is Level.WARNING


@plain
def test_a_schema_that_does_not_fit_ends_the_look_at_the_database(
    dsn: str, connection: Connection, tmp_path: Path
) -> None:
    connection.execute("DELETE FROM migration WHERE number = 1")
    connection.commit()
    found = _examine(dsn, tmp_path)
    assert found["schema"].level is Level.ERROR
    assert "veldwatch migrate" in found["schema"].sentence
    assert "outbox" not in found


@plain
def test_a_server_and_a_broker_that_are_away_are_both_told(dsn: str, tmp_path: Path) -> None:
    found = _examine(make_conninfo(dsn, port=1), tmp_path, mqtt_port=1)
    assert found["database"].level is Level.ERROR
    assert found["broker"].level is Level.ERROR


def test_a_missing_address_says_what_to_set(tmp_path: Path) -> None:
    assert "VELDWATCH_DSN" in _examine("", tmp_path)["database"].sentence


@plain
def test_a_broker_that_answers_is_well(dsn: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as broker:
        found = _examine(dsn, tmp_path, mqtt_host="127.0.0.1", mqtt_port=broker.getsockname()[1])
    assert found["broker"].level is Level.OK
