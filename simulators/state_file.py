"""Where a run stands, in one file of the state folder: registers go on counting after a restart and never fall back.

Written before what it tells of is published: a crash between the two costs the simulated devices a message, while the
other order would have them say two different things of one moment.
"""

import json
from pathlib import Path
from typing import Any, cast

import structlog

_VERSION = 1
_log = structlog.get_logger()


def state_path(home: Path, scenario: str, seed: int) -> Path:
    """Return the file of a scenario and a seed."""
    return home / "simulators" / f"{scenario}-{seed}.json"


def load_state(path: Path) -> dict[str, Any] | None:
    """Read where the last run stood; None: there was none, or its file cannot be used."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        _log.warning("state file unreadable, starting anew", path=str(path), error=str(error))
        return None
    if not isinstance(content, dict) or cast("dict[str, Any]", content).get("version") != _VERSION:
        _log.warning("state file of another version, starting anew", path=str(path))
        return None
    return cast("dict[str, Any]", content["devices"])


def save_state(path: Path, devices: dict[str, Any]) -> None:
    """Replace the file as a whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps({"version": _VERSION, "devices": devices}), encoding="utf-8")
    partial.replace(path)
