"""Settings that are secrets, read from files: `VELDWATCH_MQTT_PASSWORD_FILE` names the file that holds `mqtt_password`.

Environment variables are seen by whoever may inspect a container or read `/proc`; a file is seen by whom its mode lets
in. Compose mounts such files below `/run/secrets`.
"""

import os
import re
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource

from veldwatch.errors import ConfigurationInvalid

SECRET: dict[str, Any] = {"secret": True}
"""Marks a setting as a secret, by `json_schema_extra`: it may come from a file, and no message quotes it."""

STANDARD_INPUT = Path("-")
_TAKEN = "bad VELDWATCH_DSN_PASSWORD: VELDWATCH_DSN has a password already (expected one of them)"
# A keyword and its value of a connection string: `sslpassword` is another one, and a value may look like a keyword.
_KEYWORD = re.compile(r"(?P<name>\w+)\s*=\s*(?:'(?:[^'\\]|\\.)*'|(?:[^\s\\]|\\.)*)")

# More is another file than the one that was meant.
_LONGEST_BYTES = 8192


def is_secret(field: FieldInfo) -> bool:
    """Tell whether a setting is marked."""
    return field.json_schema_extra is SECRET


class SecretFiles(PydanticBaseSettingsSource):
    """Reads the files that `VELDWATCH_<SETTING>_FILE` names, for settings that are secrets."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Read one setting; None: no file is named.

        Raises:
            ConfigurationInvalid: the file cannot be read, or the variable itself is set as well.
        """
        variable = f"VELDWATCH_{field_name.upper()}"
        named = os.environ.get(f"{variable}_FILE", "") if is_secret(field) else ""
        if named and os.environ.get(variable):
            raise ConfigurationInvalid(f"{variable} and {variable}_FILE are both set (expected one of them)")
        return (read_secret(Path(named), f"{variable}_FILE") if named else None), field_name, False

    def __call__(self) -> dict[str, Any]:
        """Read them all."""
        found = {name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()}
        return {name: value for name, value in found.items() if value is not None}


def read_secret(path: Path, variable: str) -> str:
    """Read a secret, without the line's end that editors add.

    Args:
        path: `-` is standard input.
        variable: what named the file, for the message.

    Raises:
        ConfigurationInvalid: it cannot be read, or is no line of text.
    """
    try:
        content = _beginning(path)
        text = content.decode().removesuffix("\n").removesuffix("\r")
    except OSError as error:
        raise ConfigurationInvalid(f"bad {variable}: {str(path)!r} ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise ConfigurationInvalid(f"bad {variable}: {str(path)!r} (expected text)") from error
    if len(content) > _LONGEST_BYTES or not text.isprintable():
        raise ConfigurationInvalid(f"bad {variable}: {str(path)!r} (expected one line of printable characters)")
    return text


def _beginning(path: Path) -> bytes:
    if path == STANDARD_INPUT:
        return sys.stdin.buffer.read(_LONGEST_BYTES + 1)
    with path.open("rb") as opened:
        return opened.read(_LONGEST_BYTES + 1)


def with_password(dsn: str, password: str) -> str:
    """Put a password into a PostgreSQL connection string of either form.

    Raises:
        ConfigurationInvalid: it has one already, or cannot be read.

    Source: PostgreSQL manual, 32.1.1 (connection strings).
    """
    if not dsn.startswith(("postgresql://", "postgres://")):
        if "password" in (found["name"] for found in _KEYWORD.finditer(dsn)):
            raise ConfigurationInvalid(_TAKEN)
        escaped = password.replace("\\", "\\\\").replace("'", "\\'")
        return f"{dsn} password='{escaped}'"
    try:
        parts = urlsplit(dsn)
    except ValueError as error:
        raise ConfigurationInvalid(
            "bad VELDWATCH_DSN: a secret (expected an address such as postgresql://user@host:5432/database)"
        ) from error
    account, _, address = parts.netloc.rpartition("@")
    if ":" in account or "password" in (name for name, _ in parse_qsl(parts.query, keep_blank_values=True)):
        raise ConfigurationInvalid(_TAKEN)
    return parts._replace(netloc=f"{account}:{quote(password, safe='')}@{address}").geturl()
