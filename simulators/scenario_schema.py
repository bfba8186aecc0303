"""The JSON Schema of a scenario, and the tables of its faults and settings: what editors and people look up.

`docs/reference/scenario.schema.json` is the first, written by `veldwatch simulate schema`; the tables stand in
`docs/reference/scenarios.md`. Tests keep both in step.
"""

import json
import re
from collections.abc import Iterator, Mapping
from inspect import cleandoc
from typing import Any

from pydantic import BaseModel

from simulators.scenario import Scenario
from simulators.settings import DEVICE_SETTINGS, SITE_SETTINGS, NoSettings, PlaceSettings
from simulators.systems.registry import MODELS
from simulators.systems.water.settings import ZoneSettings
from veldwatch.model.faults import FAULTS

_ENTRY = re.compile(r"^    (?P<names>[\w, ]+): (?P<said>.*(?:\n {8}.*)*)", re.MULTILINE)


def scenario_schema() -> dict[str, Any]:
    """Give the schema as a document."""
    schema = Scenario.model_json_schema()
    parts = schema["$defs"]
    for settings in (*DEVICE_SETTINGS.values(), NoSettings, *SITE_SETTINGS.values(), PlaceSettings):
        document = settings.model_json_schema(ref_template="#/$defs/{model}")
        parts.update(document.pop("$defs", {}))
        parts[_name(settings)] = document
    for part in ("DevicePlan", "FleetPlan"):
        parts[part]["properties"]["model"] = {"enum": list(MODELS)}
        parts[part]["allOf"] = [_where("model", model, DEVICE_SETTINGS.get(model, NoSettings)) for model in MODELS]
    parts["SitePlan"]["allOf"] = [
        *(_where("kind", kind, settings) for kind, settings in SITE_SETTINGS.items()),
        {
            "if": {"properties": {"kind": {"not": {"enum": list(SITE_SETTINGS)}}}},
            "then": {"properties": {"settings": {"$ref": f"#/$defs/{_name(PlaceSettings)}"}}},
        },
    ]
    parts["FaultPlan"]["properties"]["kind"] = {"enum": list(FAULTS)}
    for part in parts.values():
        _without_internals(part)
    _without_internals(schema)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Veldwatch scenario"}


def schema_text() -> str:
    """Write the schema as the file holds it."""
    return json.dumps(scenario_schema(), indent=2, ensure_ascii=False) + "\n"


def settings_reference() -> str:
    """Write what may be set as Markdown: a table for each model of device, and for each kind of site."""
    tables = [_table(f"`{model}`", settings) for model, settings in DEVICE_SETTINGS.items()]
    tables += [_table(f"Site of kind `{kind}`", settings) for kind, settings in SITE_SETTINGS.items()]
    tables.append(_table("Any other site, below `water`", ZoneSettings))
    others = ", ".join(f"`{model}`" for model in MODELS if model not in DEVICE_SETTINGS)
    return "\n".join([*tables, *([f"Devices of other models take none: {others}.", ""] if others else [])])


def _table(title: str, settings: type[BaseModel]) -> str:
    rows = list(_rows(settings))
    if not rows:
        return f"### {title}\n\nNothing.\n"
    head = ["| setting | values | unless said | meaning |", "|---|---|---|---|"]
    return "\n".join([f"### {title}", "", *head, *rows, ""])


def _rows(settings: type[BaseModel]) -> Iterator[str]:
    document = settings.model_json_schema()
    meanings = _meanings(settings)
    for name, said in document.get("properties", {}).items():
        default = "required" if name in document.get("required", ()) else _default(said.get("default"))
        field = next(f for f, field in settings.model_fields.items() if name in (f, field.alias))
        yield f"| `{name}` | {_values(said)} | {default} | {meanings.get(field, '')} |"


def _default(default: object) -> str:
    match default:
        case None:
            return "—"
        case bool():
            return "yes" if default else "no"
        case [] | {}:
            return "none"
        case _:
            return f"{default}"


def _values(said: Mapping[str, Any]) -> str:
    chosen: Mapping[str, Any] = next((each for each in said.get("anyOf", ()) if each.get("type") != "null"), said)
    if "enum" in chosen:
        return ", ".join(f"`{each}`" for each in chosen["enum"])
    limits = [
        f"{word} {chosen[key]:g}"
        for key, word in (
            ("minimum", "≥"),
            ("exclusiveMinimum", ">"),
            ("maximum", "≤"),
            ("exclusiveMaximum", "<"),
        )
        if key in chosen
    ]
    words = {"boolean": "yes, no", "array": "list", "string": "text", "integer": "whole number", "object": "mapping"}
    return " ".join([str(words.get(chosen.get("type", ""), chosen.get("type", "mapping"))), *limits])


def _meanings(settings: type[BaseModel]) -> dict[str, str]:
    """Take what each attribute means from docstrings, those of the classes above first."""
    found: dict[str, str] = {}
    for kind in reversed(settings.__mro__):
        _, _, listed = cleandoc(kind.__doc__ or "").partition("Attributes:\n")
        for entry in _ENTRY.finditer(listed):
            said = " ".join(entry["said"].split()).replace("|", "\\|")
            found.update((name.strip(), said) for name in entry["names"].split(","))
    return found


def _where(key: str, value: str, settings: type[BaseModel]) -> dict[str, Any]:
    return {
        "if": {"properties": {key: {"const": value}}},
        "then": {"properties": {"settings": {"$ref": f"#/$defs/{_name(settings)}"}}},
    }


def _name(settings: type[BaseModel]) -> str:
    """Name it by its system too: two systems may call theirs alike."""
    return f"{settings.__module__.split('.')[-2].title()}{settings.__name__}"


def _without_internals(part: dict[str, Any]) -> None:
    """Leave titles that repeat names away, and of docstrings what is for readers of code."""
    part.pop("title", None)
    if "description" in part:
        part["description"] = part["description"].partition("\n\nAttributes:")[0].replace("\n", " ")
    for said in part.get("properties", {}).values():
        said.pop("title", None)
