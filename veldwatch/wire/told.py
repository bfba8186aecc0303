"""Values that are no numbers, gathered into events: one for each device, time and kind, with attributes by metric."""

from datetime import datetime
from typing import Literal

from veldwatch.model.telemetry import Event
from veldwatch.wire.values import attributes

ToldKind = Literal["text", "data"]
"""`text`: what a person reads; `data`: bytes, tables, arrays."""


class Told:
    """What was told besides numbers, in order; a metric that is told twice at one time makes a second event."""

    def __init__(self) -> None:
        self._groups: dict[tuple[str, datetime, ToldKind], list[dict[str, object]]] = {}

    def add(self, device: str, moment: datetime, kind: ToldKind, metric: str, value: object) -> None:
        """Take one value, which JSON can hold."""
        groups = self._groups.setdefault((device, moment, kind), [])
        if not groups or metric in groups[-1]:
            groups.append({})
        groups[-1][metric] = value

    def events(self) -> tuple[Event, ...]:
        """Give the events."""
        return tuple(
            Event(device, moment, kind, attributes(values))
            for (device, moment, kind), groups in self._groups.items()
            for values in groups
        )
