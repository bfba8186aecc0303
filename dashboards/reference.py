"""The page docs/reference/dashboards.md: each dashboard's question, for whom it is, its picture and its panels."""

from collections.abc import Iterator, Mapping
from typing import Any

from dashboards.catalogue import CATALOGUE, Entry
from dashboards.rendering import model_of

_HEAD = """# Dashboards

What Grafana shows, by dashboard. This page is written by `veldwatch dashboards reference` from the code. The pictures
show what the panels' own queries answer for four simulated weeks of a town and a reserve (`make pictures`). They are
drawn by Veldwatch, not by Grafana: data, titles, units, limits and colours are the panels', Grafana's own look is not.

Every dashboard asks the views of the schema `dashboard` as a read-only role
([decision 0052](../decisions/0052-dashboards-by-role.md)). Thresholds come from the rule packs; no map fetches tiles.
A device or a site in a table opens its own dashboard with the time and the choices kept.
"""


def page() -> str:
    """Write the page."""
    parts = [_HEAD, *("\n".join(_part(entry)) for entry in CATALOGUE)]
    return "\n".join(parts)


def _part(entry: Entry) -> Iterator[str]:
    model = model_of(entry.name)
    yield f"## {model['title']}"
    yield ""
    yield f"{model['description']} For {entry.who}."
    yield ""
    yield f"[![{model['title']}](../images/dashboards/{entry.name}.svg)](../images/dashboards/{entry.name}.svg)"
    yield ""
    chosen = [f"{variable['label']} ({variable['description']})" for variable in model["templating"].get("list", [])]
    told = "; ".join(chosen) if chosen else "nothing"
    tenants = "" if entry.for_tenants else " Of the platform itself: tenants do not get it."
    yield f"Folder {entry.folder.title}. To choose: {told}. At first it shows {_length(model)}.{tenants}"
    yield ""
    yield "| panel | what it shows |"
    yield "|---|---|"
    for panel in model["panels"]:
        if panel["type"] == "row":
            yield f"| **{panel['title']}** | |"
        else:
            title = "each metric" if panel.get("repeat") else panel["title"]
            yield f"| {title} | {panel['description'].replace('|', '/')} |"
    yield ""


_LENGTHS = {"now-24h": "a day", "now-7d": "a week", "now-90d": "90 days"}


def _length(model: Mapping[str, Any]) -> str:
    return _LENGTHS[model["time"]["from"]]
