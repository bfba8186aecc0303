"""Conditions on what devices tell besides readings: covers opened, tampering, power failures, buttons."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import ClassVar

from veldwatch.model.conditions.inputs import Input

Told = str | float | bool
"""What an attribute may be compared with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPattern:
    """Which events are meant.

    Attributes:
        kind: as the device or its decoder names it.
        attributes: what must be so as well, by attribute: it has one of these values, or is a list with one of them.
        words: by attribute, a text that must have one of these words, as status texts have: "BURST DRY".
    """

    kind: str
    attributes: Mapping[str, tuple[Told, ...]] = field(default_factory=lambda: MappingProxyType({}))
    words: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class EventCondition:
    """Something happened at a device, or happened so many times within a window.

    Attributes:
        events: any of these counts.
        count: how many make an alert, 1 ≤ n ≤ 100.
        window: within which they must be; None: one is enough.
        cleared_by: any of these ends the alert.
        quiet_for: the alert ends when no other event that counts came for so long; None: it does not.
    """

    INPUT: ClassVar[Input] = Input.EVENTS
    OWN_TIME: ClassVar[str | None] = None

    events: tuple[EventPattern, ...]
    count: int = 1
    window: timedelta | None = None
    cleared_by: tuple[EventPattern, ...] = ()
    quiet_for: timedelta | None = None

    def kinds(self) -> tuple[str, ...]:
        """Name the kinds of events that matter, sorted."""
        return tuple(sorted({pattern.kind for pattern in (*self.events, *self.cleared_by)}))
