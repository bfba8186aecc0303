"""Where a run stands, in one file of the state folder: after a restart the fleet goes on as if nothing had been.

Written after the broker has acknowledged everything up to it. What is told after that is told again by the next run,
byte for byte, and intake takes it once.
"""

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import structlog

from simulators.systems.system import State

_VERSION = 2
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedRun:
    """What a file holds.

    Attributes:
        begins_at: the run's, in milliseconds since 1970.
        live_from: the run's, in milliseconds since 1970.
        run_id: the run's number in the database; None: it has none.
        document: the fleet's state, as JSON.
        arrays: the fleet's state, by name.
    """

    begins_at: int
    live_from: int
    run_id: int | None
    document: Mapping[str, Any]
    arrays: State


def state_path(home: Path, scenario: str, seed: int, share: str = "") -> Path:
    """Return the file of a scenario, a seed, and a share where the run is shared out."""
    return home / "simulators" / f"{scenario}-{seed}{share}.npz"


def load_state(path: Path) -> SavedRun | None:
    """Read where the last run stood; None: there was none, or its file cannot be used."""
    try:
        with np.load(path, allow_pickle=False) as content:
            meta = json.loads(bytes(content["meta"]))
            arrays = {name.removeprefix("a/"): content[name] for name in content.files if name.startswith("a/")}
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        _log.warning("state file unreadable, starting anew", path=str(path), error=str(error))
        return None
    if meta.get("version") != _VERSION:
        _log.warning("state file of another version, starting anew", path=str(path))
        return None
    return SavedRun(
        begins_at=meta["begins_at"],
        live_from=meta["live_from"],
        run_id=meta["run_id"],
        document=meta["document"],
        arrays=arrays,
    )


def save_state(path: Path, saved: SavedRun) -> None:
    """Replace the file as a whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    meta = {
        "version": _VERSION,
        "begins_at": saved.begins_at,
        "live_from": saved.live_from,
        "run_id": saved.run_id,
        "document": saved.document,
    }
    content = io.BytesIO()
    encoded = np.frombuffer(json.dumps(meta).encode(), dtype=np.uint8)
    # Arrays have names of their own beside `meta`.
    np.savez(content, meta=encoded, **{f"a/{name}": array for name, array in saved.arrays.items()})  # pyright: ignore[reportArgumentType]  # names of arrays are not its keyword
    partial = path.with_suffix(".partial")
    partial.write_bytes(content.getvalue())
    partial.replace(path)
