"""The reference of all settings, made from their declarations: `docs/reference/settings.md` is this module's output.

Make it anew with `python -m veldwatch.settings_reference > docs/reference/settings.md`; a test compares.
"""

import sys
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from veldwatch.config import Settings, Source

_HEAD = """\
# Settings

Generated from `veldwatch/config.py`; do not edit. Each setting is an environment variable, or a key (in lower case,
without `VELDWATCH_`) of the TOML file that `VELDWATCH_CONFIG` names, else of `veldwatch.toml` in the state folder. The
environment goes before the file. Lists and tables in the environment are JSON. What is wrong is said at the start, with
the value and what was expected, and nothing is started.

Secrets may each come from a file as well: `VELDWATCH_DSN_PASSWORD_FILE=/run/secrets/db_password`, and so for every
setting marked *secret*. A file and the variable itself cannot both be set.
"""


def settings_reference() -> str:
    """Write the page."""
    sections = [
        _HEAD,
        "| environment variable | default | allowed | meaning |\n|---|---|---|---|",
        "\n".join(_rows(Settings, prefix="VELDWATCH_")),
        "\n## A source\n\nOne entry of `sources`: which decoder reads which topics. The first that matches wins.\n",
        "| key | default | allowed | meaning |\n|---|---|---|---|",
        "\n".join(_rows(Source, prefix="")),
    ]
    return "\n".join(sections) + "\n"


def _rows(model: type[BaseModel], prefix: str) -> list[str]:
    schema = model.model_json_schema()
    return [
        _row(prefix + name.upper() if prefix else name, schema["properties"][name], name in schema.get("required", ()))
        for name in model.model_fields
    ]


def _row(name: str, entry: Mapping[str, Any], required: bool) -> str:
    parts = ("*secret*" if entry.get("secret") else "", entry.get("description", ""))
    meaning = ". ".join(part for part in parts if part)
    cells = (f"`{name}`", _default(entry, required=required), _allowed(entry), meaning)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _default(entry: Mapping[str, Any], *, required: bool) -> str:
    if required:
        return "required"
    value = entry.get("default")
    match value:
        case None | "":
            return ""
        case bool():
            return f"`{str(value).lower()}`"
        case list():
            names = [item["name"] if isinstance(item, dict) else item for item in value]  # pyright: ignore[reportUnknownVariableType]  # JSON
            return ", ".join(f"`{item}`" for item in names)  # pyright: ignore[reportUnknownVariableType]
        case _:
            return f"`{value}`"


def _allowed(entry: Mapping[str, Any]) -> str:
    parts = [part for part in entry.get("anyOf", [entry]) if part.get("type") != "null"]
    return ", ".join(text for part in parts if (text := _allowed_of(part)))


def _allowed_of(part: Mapping[str, Any]) -> str:
    if "enum" in part:
        return ", ".join(f"`{word}`" for word in part["enum"])
    low = _bound(part, "minimum", "from") or _bound(part, "exclusiveMinimum", "above")
    high = _bound(part, "maximum", "to") or _bound(part, "exclusiveMaximum", "below")
    words = {"boolean": "`true`, `false`", "array": "a list", "integer": "a number", "number": "a number"}
    if low or high:
        return " ".join(word for word in (low, high) if word)
    if "pattern" in part:
        return f"`{part['pattern']}`"
    return words.get(str(part.get("type")), "")


def _bound(part: Mapping[str, Any], key: str, word: str) -> str:
    return f"{word} {part[key]:g}" if key in part else ""


if __name__ == "__main__":
    sys.stdout.write(settings_reference())
