"""Let a command reach the stack that runs on this machine, without being told where it is.

Unless VELDWATCH_DSN is set, the addresses and passwords of `run.json` in the state folder stand in for the settings
that are not set.
"""

import json
from collections.abc import MutableMapping
from pathlib import Path

from veldwatch.errors import ConfigurationInvalid


def adopt_running_stack(environment: MutableMapping[str, str]) -> None:
    """Fill in what is not set, from `run.json`; nothing happens where no stack runs."""
    file = Path(environment.get("VELDWATCH_HOME", ".veldwatch")) / "run.json"
    if "VELDWATCH_DSN" in environment or not file.exists():
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
    for name, value in found.items():
        environment.setdefault(name, value)
