"""The dashboards as they are committed, taken apart for tests."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from dashboards.rendering import FOLDER


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One query that a dashboard sends, and what for.

    Attributes:
        kind: a panel's type, `variable` or `annotation`.
        output: `time_series` or `table`.
        repeat: variable that the panel is repeated for, which then has one value.
    """

    dashboard: str
    place: str
    kind: str
    output: str
    sql: str
    repeat: str | None = None

    def __str__(self) -> str:
        """Name it in a test's id."""
        return f"{self.dashboard}: {self.place}"


@cache
def models() -> dict[str, dict[str, Any]]:
    """Read every committed dashboard, by its uid."""
    read = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*/*.json"))]
    return {model["uid"]: model for model in read}


def panels(model: dict[str, Any]) -> list[dict[str, Any]]:
    """List the panels of a dashboard, those in collapsed rows too."""
    return [nested for panel in model["panels"] for nested in (panel, *panel.get("panels", []))]


def variables(model: dict[str, Any]) -> list[dict[str, Any]]:
    """List the variables of a dashboard."""
    return model.get("templating", {}).get("list", [])


def annotations(model: dict[str, Any]) -> list[dict[str, Any]]:
    """List the annotations of a dashboard."""
    return model.get("annotations", {}).get("list", [])


def queries() -> list[Query]:
    """List every query of every dashboard."""
    return [query for uid, model in models().items() for query in _of(uid, model)]


def _of(uid: str, model: dict[str, Any]) -> Iterator[Query]:
    for panel in panels(model):
        for target in panel.get("targets", []):
            yield Query(
                dashboard=uid,
                place=f"{panel['title']} {target['refId']}",
                kind=panel["type"],
                output=target["format"],
                sql=target["rawSql"],
                repeat=panel.get("repeat"),
            )
    for variable in variables(model):
        if variable["type"] == "query":
            yield Query(dashboard=uid, place=variable["name"], kind="variable", output="table", sql=variable["query"])
    for annotation in annotations(model):
        target = annotation["target"]
        yield Query(
            dashboard=uid, place=annotation["name"], kind="annotation", output=target["format"], sql=target["rawSql"]
        )
