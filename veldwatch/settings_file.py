"""The TOML file in which settings may stand: which one it is, and what stands in it, not yet validated."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from veldwatch.errors import ConfigurationInvalid

_PLACE = re.compile(r"at line \d+, column \d+|at end of document")


def settings_file(environment: Mapping[str, str]) -> Path:
    """Give the file that `VELDWATCH_CONFIG` names, else `veldwatch.toml` in the state folder, which need not exist.

    Raises:
        ConfigurationInvalid: the named one does not exist.
    """
    named = environment.get("VELDWATCH_CONFIG")
    if not named:
        return Path(environment.get("VELDWATCH_HOME", ".veldwatch")) / "veldwatch.toml"
    if not Path(named).is_file():
        raise ConfigurationInvalid(f"bad VELDWATCH_CONFIG: {named!r} (no such file)")
    return Path(named)


def read_settings_file(path: Path) -> dict[str, Any]:
    """Read what stands in the file; nothing if there is none.

    Raises:
        ConfigurationInvalid: it cannot be read. The message says where, and quotes nothing: it may be a password.
    """
    if not path.is_file():
        return {}
    try:
        with path.open("rb") as opened:
            return tomllib.load(opened)
    except OSError as error:
        raise ConfigurationInvalid(f"bad settings file {str(path)!r}: {error.strerror}") from error
    except ValueError as error:  # no TOML, or no UTF-8
        place = _PLACE.search(str(error))
        raise ConfigurationInvalid(
            f"bad settings file {str(path)!r}: no TOML{f' {place[0]}' if place else ''} (expected lines such as"
            ' name = "text")'
        ) from error


def names_database(environment: Mapping[str, str]) -> bool:
    """Tell whether the settings say which database is meant, wherever they say it.

    Raises:
        ConfigurationInvalid: the file cannot be read.
    """
    if environment.get("VELDWATCH_DSN_FILE"):
        return True
    if "VELDWATCH_DSN" in environment:
        return bool(environment["VELDWATCH_DSN"])
    content = read_settings_file(settings_file(environment))
    return any(value for name, value in content.items() if name.lower() == "dsn")
