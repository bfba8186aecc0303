"""Which of the three database editions a server is, found out by asking it."""

from dataclasses import dataclass
from enum import StrEnum

from veldwatch.storage.connection import Connection, translated_errors


class Edition(StrEnum):
    """What partitions, compresses and rolls up."""

    COMMUNITY = "timescaledb-community"
    """TimescaleDB under its community licence: hypertables, columnstore, continuous aggregates, policies."""

    APACHE = "timescaledb-apache"
    """TimescaleDB under the Apache licence: hypertables; the rest by our maintenance."""

    PLAIN = "postgresql"
    """PostgreSQL alone: native range partitions; the rest by our maintenance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """What a server said of itself.

    Attributes:
        extension_version: None where TimescaleDB cannot be had.
    """

    edition: Edition
    version: str
    extension_version: str | None

    def __str__(self) -> str:
        """Say it in a line for people."""
        extension = f", timescaledb {self.extension_version}" if self.extension_version else ""
        return f"{self.edition.value} (server {self.version}{extension})"


def identify(connection: Connection) -> Server:
    """Ask the server for its version, and for TimescaleDB's version and licence.

    TimescaleDB counts only where it is installed in this database or can be created in it.
    """
    with translated_errors():
        version = _scalar(connection, b"SHOW server_version")
        extension = _scalar(
            connection, b"SELECT installed_version FROM pg_available_extensions WHERE name = 'timescaledb'"
        )
        if extension is None:
            return Server(edition=Edition.PLAIN, version=str(version), extension_version=None)
        licence = _scalar(connection, b"SELECT current_setting('timescaledb.license', true)")
    edition = Edition.COMMUNITY if licence == "timescale" else Edition.APACHE
    return Server(edition=edition, version=str(version), extension_version=extension)


def _scalar(connection: Connection, query: bytes) -> str | None:
    row = connection.execute(query).fetchone()
    return None if row is None else row[0]
