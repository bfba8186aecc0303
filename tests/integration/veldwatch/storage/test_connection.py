"""Connections to a real server."""

from datetime import timedelta

import pytest
from psycopg.conninfo import make_conninfo

from veldwatch.errors import ConfigurationInvalid, StorageRejected, StorageUnavailable
from veldwatch.storage.connection import Connection, connect


def test_times_come_back_aware_and_in_utc(connection: Connection) -> None:
    row = connection.execute("SELECT now()").fetchone()
    assert row is not None
    assert row[0].utcoffset() == timedelta(0)


def test_a_server_that_is_not_there_is_a_temporary_error(dsn: str) -> None:
    with pytest.raises(StorageUnavailable):
        connect(make_conninfo(dsn, port=1))


@pytest.mark.parametrize("server_kind", ["plain"], indirect=True)
def test_options_of_the_address_are_kept(dsn: str) -> None:
    with connect(make_conninfo(dsn, options="-c statement_timeout=1234")) as connection:
        row = connection.execute("SELECT current_setting('statement_timeout'), current_setting('timezone')").fetchone()
    assert row == ("1234ms", "UTC")


@pytest.mark.parametrize("server_kind", ["plain"], indirect=True)
def test_a_database_that_is_not_there_yet_is_a_temporary_error(dsn: str) -> None:
    with pytest.raises(StorageUnavailable, match="no_such_database"):
        connect(make_conninfo(dsn, dbname="no_such_database"))


def test_an_address_that_cannot_be_read_is_a_permanent_error() -> None:
    with pytest.raises(StorageRejected):
        connect("no such syntax")


def test_no_address_at_all_names_the_setting() -> None:
    with pytest.raises(ConfigurationInvalid, match="bad VELDWATCH_DSN"):
        connect("")
