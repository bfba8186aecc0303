"""All systems of a scenario, advanced together: what each device says, step after step, with the faults of the time.

Pure but for its own state: no clock, no I/O. The messages are a function of scenario, seed, beginning and grid, however
far each call of `advance` goes and however the systems are shared out over processes.
"""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from simulators.encoding import encode, encode_many
from simulators.faults.applied import AppliedFaults, Directory, Member
from simulators.moment import Moment
from simulators.report import HELD, Message, Name, Place, Report
from simulators.reporting import Reporting
from simulators.systems.system import Bank, Rows, State, System
from simulators.timetable import TimedFault, Timetable
from veldwatch.wire.topics import parse_own_topic

_BACKLOG_GAP_MILLISECONDS = 100
"""Between two messages of a gateway that works its backlog off. Assumed: ten a second on a mobile link."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Where in time a run begins, and in which steps it goes.

    Attributes:
        begins_at: milliseconds since 1970; the first report may come one step later.
        live_from: before it the history's step and interval hold.
        step: milliseconds.
        history_step: milliseconds; a multiple of `step`.
        history_interval: at least so far apart are a device's reports before `live_from`.
        utc_offset: of the scenario's local time, in milliseconds.
    """

    begins_at: int
    live_from: int
    step: int
    history_step: int
    history_interval: int = 0
    utc_offset: int = 0

    def next(self, now: int) -> Moment:
        """Return the end of the step that begins at a moment."""
        is_history = now % self.history_step == 0 and now + self.history_step <= self.live_from
        step = self.history_step if is_history else self.step
        return Moment(at=now + step, step=step, utc_offset=self.utc_offset)


class Fleet:
    """The devices of some systems.

    Args:
        seed: the run's.
    """

    def __init__(self, systems: Sequence[System], grid: Grid, seed: int) -> None:
        self.systems = tuple(systems)
        self.grid = grid
        self.now = grid.begins_at
        self.timetable = Timetable()
        self._directory = Directory(systems)
        self._applied = AppliedFaults(self._directory, seed)
        self._held: list[tuple[int, int, Message]] = []
        self._sequence = 0
        self._sent: dict[Name, int] = {}
        self._turns: dict[tuple[int, bool], Reporting] = {}
        self._names: dict[int, list[Name]] = {id(bank): list(bank.rows) for system in systems for bank in system.banks}

    @property
    def members(self) -> Mapping[Name, Member]:
        """Return every device."""
        return self._directory.members

    def covers(self, place: Place) -> bool:
        """Say whether a place belongs to these systems."""
        return self._directory.covers(place)

    def devices_at(self, place: Place) -> Sequence[Name]:
        """Return a device, with those behind it where it is a gateway; or the devices of a site and below it."""
        return self._directory.devices(place)

    def check(self, fault: TimedFault) -> None:
        """See whether a fault suits its place.

        Raises:
            ConfigurationInvalid: it does not.
        """
        self._applied.made(fault)

    def advance(self, until: int) -> Iterator[Message]:
        """Yield what is sent up to a moment, step by step; to be consumed in full before the next call."""
        while (moment := self.grid.next(self.now)).at <= until:
            for fault in list(self.timetable.take_ending(self.now)):
                self._applied.end(fault, self.now)
                if fault.kind == "gateway_backlog" and not self._is_held(fault.place):
                    self._let_go(fault)
            for fault in list(self.timetable.take_starting(self.now)):
                self._applied.begin(fault)
            self._applied.step(moment)
            # What a fault holds back from now on is due later than this step.
            while self._held and self._held[0][0] <= moment.at:
                yield heapq.heappop(self._held)[2]
            for system in self.systems:
                yield from self._step(system, moment)
            self.now = moment.at

    def resume(self, name: Name, values: Mapping[str, float]) -> None:
        """Let a device's registers go on from what is known; before the first step."""
        if name in self.members:
            self.members[name].system.resume(name, values)

    def state(self) -> tuple[dict[str, Any], State]:
        """Give what a restart must know: a JSON object, and arrays by name."""
        arrays = {
            # A copy: systems go on in the same arrays.
            f"{number}/{key}": np.array(array)
            for number, system in enumerate(self.systems)
            for key, array in system.state().items()
        }
        document = {
            "now": self.now,
            "systems": self._signature(),
            "running": list(self.timetable.running),
            "faults": self._applied.state(),
            "held": [[due, message.topic, message.payload.hex()] for due, _, message in sorted(self._held)],
            "sent": {"/".join(name): number for name, number in self._sent.items()},
        }
        return document, arrays

    def restore(self, document: Mapping[str, Any], arrays: State) -> bool:
        """Take up what `state` gave; False: it was of other devices, and nothing is changed."""
        if document["systems"] != self._signature():
            return False
        self.now = document["now"]
        for number, system in enumerate(self.systems):
            prefix = f"{number}/"
            system.restore({key.removeprefix(prefix): a for key, a in arrays.items() if key.startswith(prefix)})
        for fault in self._applied.restore(document["faults"]):
            if fault.key in document["running"]:
                self.timetable.take_up(fault)
        for due, topic, payload in document["held"]:
            self._hold(Message(due, topic, bytes.fromhex(payload)))
        self._sent = {Name(*key.split("/", 1)): number for key, number in document["sent"].items()}
        return True

    def _signature(self) -> list[str]:
        return [f"{type(s).__name__} {s.plan.name} {[len(bank.devices) for bank in s.banks]}" for s in self.systems]

    def _step(self, system: System, moment: Moment) -> Iterator[Message]:
        system.advance(moment)
        for bank in system.banks:
            rows = self._reporting(bank, moment).due(moment.number)
            if rows.size:
                silent = bank.silent(rows, moment)
                yield from self._regular(bank, rows if silent is None else rows[~silent], moment)
            for happening in bank.events(moment):
                report = Report(events=((happening.kind, happening.attributes),))
                yield from self._say(self._names[id(bank)][happening.row], report, bank, moment)

    def _regular(self, bank: Bank, rows: Rows, moment: Moment) -> Iterator[Message]:
        known = self._names[id(bank)]
        names = [known[row] for row in cast("list[int]", rows.tolist())]
        fixes = bank.fixes(rows, moment)
        readings = bank.readings(rows, moment)
        troubled = self._applied.troubled
        careful = range(len(names)) if bank.alive or fixes is not None else _among(names, troubled)
        for index in careful:
            report = Report(
                readings={metric: float(values[index]) for metric, values in readings.items()},
                fix=None if fixes is None else fixes.row(index),
                alive=bank.alive,
            )
            yield from self._say(names[index], report, bank, moment)
        if not careful:
            yield from encode_many(names, bank.metrics, readings, moment.at)
        elif len(careful) < len(names):
            left = np.delete(np.arange(len(names)), list(careful))
            some = {metric: values[left] for metric, values in readings.items()}
            yield from encode_many([names[index] for index in left.tolist()], bank.metrics, some, moment.at)

    def _say(self, name: Name, report: Report, bank: Bank, moment: Moment) -> Iterator[Message]:
        if name not in self._applied.troubled:
            yield from encode(name, bank.metrics, report, moment.at)
            return
        changed = self._applied.report(name, report, moment)
        if changed is None:
            return
        for message in encode(name, bank.metrics, changed, moment.at):
            number = self._sent.get(name, 0)
            self._sent[name] = number + 1
            for sent in self._applied.carry(name, message, number):
                if sent.due <= moment.at:
                    yield sent
                else:
                    self._hold(sent)

    def _hold(self, message: Message) -> None:
        heapq.heappush(self._held, (message.due, self._sequence, message))
        self._sequence += 1

    def _is_held(self, place: Place) -> bool:
        return any(f.kind == "gateway_backlog" and f.place == place for f in self.timetable.running.values())

    def _let_go(self, fault: TimedFault) -> None:
        """Send what a gateway held back, one after the other."""
        behind = {(name.organisation, name.device) for name in self._directory.devices(fault.place)}
        due = self.now
        held, self._held = sorted(self._held), []
        for _, _, message in held:
            own = parse_own_topic(message.topic)
            if message.due >= HELD and (own.organisation, own.device) in behind:
                due += _BACKLOG_GAP_MILLISECONDS
                self._hold(message._replace(due=due))
            else:
                self._hold(message)

    def _reporting(self, bank: Bank, moment: Moment) -> Reporting:
        is_history = moment.step == self.grid.history_step and moment.at <= self.grid.live_from
        key = (id(bank), is_history)
        if key not in self._turns:
            self._turns[key] = Reporting(bank, moment.step, self.grid.history_interval if is_history else 0)
        return self._turns[key]


def _among(names: Sequence[Name], troubled: Mapping[Name, object]) -> list[int]:
    """Return the places of the names that are troubled; nothing is looked up where nothing is wrong."""
    return [index for index, name in enumerate(names) if name in troubled] if troubled else []
