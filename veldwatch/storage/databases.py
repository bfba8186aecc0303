"""Databases of a server: made when missing."""

from psycopg import sql

from veldwatch.storage.connection import Connection, translated_errors


def create_database(connection: Connection, name: str) -> bool:
    """Create a database unless it exists; the connection must be in autocommit.

    Returns:
        True: it is new.
    """
    with translated_errors():
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
            return False
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return True
