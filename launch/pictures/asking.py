"""What Grafana would ask for a dashboard, asked as the role that it has, at the time that the world stands still at."""

import re
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from dashboards.macros import Window, expand
from dashboards.pictures.answers import Answer
from veldwatch.storage.connection import Connection
from veldwatch.storage.frozen_time import SEARCH_PATH

_INTERVALS = tuple(
    timedelta(seconds=seconds)
    for seconds in (10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 604800)
)
"""Steps that Grafana rounds an interval to, from the data source's least on. Source: rangeutil of Grafana 12."""
_LENGTHS = {"h": timedelta(hours=1), "d": timedelta(days=1)}
_REPEATED_AT_MOST = 4


def become_reader(connection: Connection) -> None:
    """Take on Grafana's role, with the frozen time before the server's own."""
    connection.execute("SET ROLE grafana_ro")
    connection.execute(f"SET search_path = {SEARCH_PATH}".encode())
    connection.execute("SET statement_timeout = '2s'")


@dataclass(slots=True, kw_only=True)
class Asker:
    """Asks for one dashboard.

    Attributes:
        model: the dashboard's JSON.
        choices: beginnings of the texts or values that somebody chose, by variable; the rest is all, or the first.
    """

    connection: Connection
    model: Mapping[str, Any]
    now: datetime
    choices: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    values: dict[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])

    def choose(self) -> None:
        """Fill the variables, in their order, as somebody would who changes only what `choices` says."""
        for variable in self.model.get("templating", {}).get("list", []):
            name, options = str(variable["name"]), self._options(variable)
            wanted = tuple(self.choices.get(name, ("",)))
            chosen = [option[-1] for option in options if any(text.startswith(wanted) for text in option)]
            self.values[name] = chosen if variable.get("multi") else chosen[:1]

    def _options(self, variable: Mapping[str, Any]) -> list[list[str]]:
        """Give the texts and values that there are to choose from, the value last."""
        if variable["type"] == "custom":
            return [[value] for value in str(variable["query"]).split(",")]
        answer = self._ask(str(variable["query"]), self.window(self.model["time"]["from"], 500))
        return [[str(cell) for cell in row] for row in answer.rows]

    def window(self, since: str, points: int) -> Window:
        """Give the time that a panel shows, with the interval that Grafana would work out for it."""
        length = _length(since)
        interval = next((step for step in _INTERVALS if length / step <= points), _INTERVALS[-1])
        return Window(since=self.now - length, until=self.now, interval=interval)

    def window_of(self, panel: Mapping[str, Any]) -> Window:
        """Give the time of one panel, its own or the dashboard's."""
        return self.window(panel.get("timeFrom") or self.model["time"]["from"], panel.get("maxDataPoints", 500))

    def answers(self, panel: Mapping[str, Any], alone: Mapping[str, str]) -> dict[str, Answer]:
        """Ask all queries of a panel.

        Args:
            alone: the variable that it is repeated for, and its value.
        """
        values = {**self.values, **{name: [value] for name, value in alone.items()}}
        window = self.window_of(panel)
        return {target["refId"]: self._ask(target["rawSql"], window, values) for target in panel.get("targets", [])}

    def alerts(self) -> list[tuple[datetime, datetime]]:
        """Ask when alerts held, for the graphs."""
        window = self.window(self.model["time"]["from"], 500)
        return [
            (record["time"], record["timeend"])
            for annotation in self.model.get("annotations", {}).get("list", [])
            for record in self._ask(annotation["target"]["rawSql"], window).records()
            if isinstance(record["time"], datetime) and isinstance(record["timeend"], datetime)
        ]

    def _ask(self, sql: str, window: Window, values: Mapping[str, Sequence[str]] | None = None) -> Answer:
        cursor = self.connection.execute(expand(sql, window, self.values if values is None else values).encode())
        columns = [column.name for column in cursor.description or ()]
        return Answer(columns=columns, rows=cursor.fetchall())

    def written_out(self) -> tuple[dict[str, Any], dict[int, dict[str, str]]]:
        """Write repeated panels out, the first few of each, below one another; of which value each panel is."""
        model, alone = dict(deepcopy(self.model)), dict[int, dict[str, str]]()
        shifted, panels = 0, list[dict[str, Any]]()
        for panel in model["panels"]:
            panel["gridPos"]["y"] += shifted
            if panel.get("repeat"):
                copies = list(self._copies(panel))
                for copy, value in copies:
                    alone[copy["id"]] = {panel["repeat"]: value}
                panels += [copy for copy, _ in copies]
                shifted += (-(-len(copies) // panel.get("maxPerRow", 2)) - 1) * panel["gridPos"]["h"]
            else:
                panels.append(panel)
        model["panels"] = panels
        return model, alone

    def _copies(self, panel: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
        variable, in_row = str(panel["repeat"]), int(panel.get("maxPerRow", 2))
        for place, value in enumerate(self.values[variable][:_REPEATED_AT_MOST]):
            copy = deepcopy(panel)
            row, column = divmod(place, in_row)
            width, height = 24 // in_row, panel["gridPos"]["h"]
            copy["gridPos"] = {"x": column * width, "y": panel["gridPos"]["y"] + row * height, "w": width, "h": height}
            copy["title"] = copy["title"].replace(f"${variable}", value)
            copy["id"] = panel["id"] * 100 + place
            yield copy, value


def _length(since: str) -> timedelta:
    found = re.fullmatch(r"(?:now-)?(\d+)([hd])", since)
    if found is None:
        raise ValueError(f"bad time {since!r} (expected such as now-24h or 35d)")
    return int(found[1]) * _LENGTHS[found[2]]
