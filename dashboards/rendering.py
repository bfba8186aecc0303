"""From built dashboards to files: classic JSON (schema 42), which Grafana 12 and 13 take, with stable bytes.

The SDK leaves things open that Grafana minds; each is closed here, with what was seen without it.
"""

import json
import zlib
from pathlib import Path
from typing import Any, cast

from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards.catalogue import CATALOGUE

FOLDER = Path(__file__).parent / "json"

# Panels without it are migrated as if older than 11.1: xychart then shows "Err".
_PLUGIN_VERSION = "12.4.0"


def render() -> dict[Path, str]:
    """Render every dashboard; file relative to `FOLDER` to its text."""
    return {Path(entry.folder.name) / f"{entry.name}.json": to_text(entry.build()) for entry in CATALOGUE}


def write(folder: Path = FOLDER) -> list[Path]:
    """Write every file, and remove those of dashboards that are gone; what changed, in order."""
    changed = stale(folder)
    wanted = render()
    for relative in changed:
        path = folder / relative
        if relative in wanted:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted[relative], encoding="utf-8")
        else:
            path.unlink()
    return changed


def stale(folder: Path = FOLDER) -> list[Path]:
    """List the files that are missing, differ from what would be rendered, or should not be there."""
    wanted = render()
    present = {path.relative_to(folder): path.read_text(encoding="utf-8") for path in folder.glob("*/*.json")}
    return sorted(path for path in wanted.keys() | present.keys() if wanted.get(path) != present.get(path))


def model_of(name: str) -> dict[str, Any]:
    """Give what is rendered of the dashboard of this name in the catalogue, taken apart again."""
    (entry,) = [entry for entry in CATALOGUE if entry.name == name]
    return cast("dict[str, Any]", json.loads(to_text(entry.build())))


def to_text(dashboard: Dashboard) -> str:
    """Give a dashboard's JSON: sorted keys, a newline at the end, the same bytes for the same dashboard."""
    model = cast("dict[str, Any]", json.loads(json.dumps(dashboard.build(), cls=JSONEncoder)))
    return json.dumps(_finished(model), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _finished(model: dict[str, Any]) -> dict[str, Any]:
    # Ids are the database's business; the file wins over any version.
    model["id"] = None
    model.pop("version", None)
    for panel in _panels(model):
        # The SDK gives none. Links, embedded panels and annotation filters name panels by them, so that they stay the
        # same when others come before; a test holds that no two are equal.
        panel["id"] = 1 + zlib.crc32(f"{'row ' * (panel['type'] == 'row')}{panel['title']}".encode()) % 100_000
        if panel["type"] != "row":
            panel["pluginVersion"] = _PLUGIN_VERSION
    # "inControlsMenu", which the SDK always writes, hides links and annotations behind a button from 12.3 on.
    for entry in [*model.get("links", []), *model.get("annotations", {}).get("list", [])]:
        entry.pop("placement", None)
    return model


def _panels(model: dict[str, Any]) -> list[dict[str, Any]]:
    return [nested for panel in model["panels"] for nested in (panel, *panel.get("panels", []))]
