"""Let a command reach the stack that runs on this machine, without being told where it is.

Unless the settings name a database, the addresses and passwords of `run.json` in the state folder stand in for the
variables that are not set.
"""

import json
from collections.abc import MutableMapping
from pathlib import Path

from veldwatch.errors import ConfigurationInvalid
from veldwatch.settings_file import names_database


def adopt_running_stack(environment: MutableMapping[str, str]) -> None:
    """Fill in what is not set, from `run.json`; nothing happens where no stack runs, or another database is named.

    Raises:
        ConfigurationInvalid: `run.json` or the settings file cannot be read.
    """
    file = Path(environment.get("VELDWATCH_HOME", ".veldwatch")) / "run.json"
    if not file.exists() or names_database(environment):
        return
    try:
        run = json.loads(file.read_text(encoding="utf-8"))
        found = {
            "VELDWATCH_DSN": run["dsn"],
            "VELDWATCH_CONSOLE_URL": run["api"],
            **{f"VELDWATCH_MQTT_{name.upper()}": str(value) for name, value in run["mqtt"].items()},
        }
    except (ValueError, KeyError, PermissionError) as error:
        raise ConfigurationInvalid(f"cannot use {str(file)!r}: {error} (remove it if nothing runs)") from error
    # The address has its password in it. Set and empty, a variable hides what the settings file says.
    environment.update({"VELDWATCH_DSN_PASSWORD": "", "VELDWATCH_DSN_PASSWORD_FILE": ""})
    for name, value in found.items():
        if not (environment.get(name) or environment.get(f"{name}_FILE")):
            environment[name] = value
