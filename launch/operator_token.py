"""The operator's token that a stack on this machine uses: made once, kept in the state folder, made anew if revoked."""

import os
from pathlib import Path

from veldwatch.storage.connection import Connection
from veldwatch.storage.tokens import Role, create_token, find_bearer


def operator_token(connection: Connection, home: Path) -> str:
    """Return the token kept in `token` under the state folder, or a new one."""
    file = home / "token"
    if file.exists():
        kept = file.read_text(encoding="ascii").strip()
        bearer = find_bearer(connection, kept)
        if bearer is not None and bearer.role is Role.OPERATOR:
            return kept
    with connection.transaction():
        token = create_token(connection, name="launcher", role=Role.OPERATOR)
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as opened:
        opened.write(token)
    return token
