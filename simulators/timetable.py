"""When which fault begins and ends: what the scenario planned, and what people ask for while it runs."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from math import inf
from typing import Any

from simulators.report import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedFault:
    """A fault with its time.

    Attributes:
        key: what tells it from every other of the run, the same each time that the run is repeated.
        starts: milliseconds since 1970, on the grid.
        ends: None: it lasts.
        parameters: all that its kind takes.
    """

    key: str
    kind: str
    place: Place
    starts: int
    ends: int | None = None
    parameters: Mapping[str, float] = field(default_factory=dict[str, float])

    def document(self) -> dict[str, Any]:
        """Write it as JSON."""
        return asdict(self)

    @staticmethod
    def from_document(document: Mapping[str, Any]) -> "TimedFault":
        """Read what `document` wrote."""
        return TimedFault(
            key=document["key"],
            kind=document["kind"],
            place=Place(**document["place"]),
            starts=document["starts"],
            ends=document["ends"],
            parameters=document["parameters"],
        )


class Timetable:
    """Faults in the order of their times."""

    def __init__(self) -> None:
        self._waiting: dict[str, TimedFault] = {}
        self._running: dict[str, TimedFault] = {}
        self._known: dict[str, TimedFault] = {}
        self._next_start: float = inf
        self._next_end: float = inf

    @property
    def running(self) -> Mapping[str, TimedFault]:
        """Return what has begun and is not over."""
        return self._running

    def add(self, fault: TimedFault) -> None:
        """Plan a fault; of one that was added before, only the end may be another."""
        known = fault.key in self._known
        self._known[fault.key] = fault
        if fault.key in self._running:
            self._running[fault.key] = fault
        elif not known or fault.key in self._waiting:
            self._waiting[fault.key] = fault
        self._look_ahead()

    def planned(self) -> Iterator[TimedFault]:
        """Yield every fault that was ever added, as it stands now."""
        yield from self._known.values()

    def take_up(self, fault: TimedFault) -> None:
        """Have a fault running that began before a restart."""
        self._waiting.pop(fault.key, None)
        self._known[fault.key] = fault
        self._running[fault.key] = fault
        self._look_ahead()

    def take_starting(self, at: int) -> Iterator[TimedFault]:
        """Yield what begins up to a moment, the oldest first; what was over before it began never begins."""
        if at < self._next_start:
            return
        ready = [fault for fault in self._waiting.values() if fault.starts <= at]
        for fault in sorted(ready, key=lambda fault: (fault.starts, fault.key)):
            del self._waiting[fault.key]
            if fault.ends is None or fault.ends > at:
                self._running[fault.key] = fault
                yield fault
        self._look_ahead()

    def take_ending(self, at: int) -> Iterator[TimedFault]:
        """Yield what ends up to a moment."""
        if at < self._next_end:
            return
        ready = [fault for fault in self._running.values() if fault.ends is not None and fault.ends <= at]
        for fault in sorted(ready, key=lambda fault: (fault.ends or 0, fault.key)):
            del self._running[fault.key]
            yield fault
        self._look_ahead()

    def _look_ahead(self) -> None:
        """Find the next moments at which anything changes: a run has a hundred thousand steps and few faults."""
        self._next_start = min((fault.starts for fault in self._waiting.values()), default=inf)
        self._next_end = min((f.ends for f in self._running.values() if f.ends is not None), default=inf)
