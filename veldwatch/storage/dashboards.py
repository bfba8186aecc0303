"""The role that Grafana reads with: its password, its grants, and the address that Grafana is told.

Migration 0009 makes the role without a login. A password is given here, by a person or by the deployment.
"""

from dataclasses import dataclass

from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from veldwatch.errors import ConfigurationInvalid
from veldwatch.storage.connection import Connection, translated_errors

READER = "grafana_ro"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderAddress:
    """Where Grafana finds the database.

    Attributes:
        host: `host:port`, as Grafana's data source wants it.
        sslmode: as libpq's; `verify-full` outside of a private network.
    """

    host: str
    database: str
    sslmode: str


def reader_address(dsn: str, *, seen_as: str = "") -> ReaderAddress:
    """Take the address from a connection string.

    Args:
        seen_as: host:port by which Grafana reaches the server, where that is another than ours.

    Raises:
        ConfigurationInvalid: the connection string names no database.
    """
    parts = conninfo_to_dict(dsn)
    if not parts.get("dbname"):
        raise ConfigurationInvalid(
            "bad VELDWATCH_DSN: it names no database (expected dbname=... or postgresql://.../name)"
        )
    host = f"{parts.get('host') or '127.0.0.1'}:{parts.get('port') or 5432}"
    sslmode = str(parts.get("sslmode") or "disable")
    return ReaderAddress(host=seen_as or host, database=str(parts["dbname"]), sslmode=sslmode)


def allow_reader(connection: Connection, password: str) -> None:
    """Let the role log in with a password, and grant it the views, making it where the migration could not.

    The server is sent the password's SCRAM verifier, so the password stands in no statement log.

    Raises:
        ConfigurationInvalid: the password is empty or has a `$`, which Grafana's settings would expand.
        StorageRejected: the account may not change roles.
    """
    if not password or "$" in password:
        raise ConfigurationInvalid("bad password for grafana_ro: it is empty or has a `$` (Grafana would expand it)")
    with translated_errors(), connection.transaction():
        let_in(connection, READER, password, _CONNECTIONS)
        connection.execute("SELECT grant_dashboards(%s)", (READER,))


def let_in(connection: Connection, role: str, password: str, connections: int) -> None:
    """Let a role log in, making it where it is missing; it is granted nothing here.

    What it may write to the disk while it sorts is bounded, where this account may do that; doctor says where not.
    The server is sent the password's SCRAM verifier, so the password stands in no statement log.
    """
    name = sql.Identifier(role)
    if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone() is None:
        connection.execute(sql.SQL("CREATE ROLE {} NOSUPERUSER NOCREATEDB NOCREATEROLE").format(name))
    verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    connection.execute(
        sql.SQL("ALTER ROLE {} LOGIN CONNECTION LIMIT {} PASSWORD {}").format(
            name, sql.Literal(connections), sql.Literal(verifier)
        )
    )
    for setting, value in _DEFAULTS.items():
        connection.execute(
            sql.SQL("ALTER ROLE {} SET {} = {}").format(name, sql.Identifier(setting), sql.Literal(value))
        )
    connection.execute("SELECT bound_reader(%s)", (role,))


# At once; Grafana's data source opens ten.
_CONNECTIONS = 20

# Against accidents; a viewer's own SQL may SET them otherwise, so the grants are the guard.
_DEFAULTS = {
    "default_transaction_read_only": "on",
    "statement_timeout": "15s",
    "idle_in_transaction_session_timeout": "30s",
    "search_path": "dashboard",
}
