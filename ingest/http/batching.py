"""Requests, many at once, into batches, one at a time: what waits while one is committed goes together in the next.

A request is answered after the commit that holds the last of it: what is large is stored in slices, each in a
transaction of its own, since decoded it takes many times its bytes. While the database is away, each is told so at
once and nothing of it is kept: the sender tries again, and what is stored twice counts once. What waits is bounded.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

import structlog

from ingest import measures
from ingest.decoding import Arrivals, Decoding
from ingest.live_sources import LiveSources
from ingest.names import Names
from ingest.pipeline import Pipeline, Report, room_for
from ingest.settled import Settled
from veldwatch.config import Settings
from veldwatch.errors import Overloaded, SchemaMismatch, StorageRejected, StorageUnavailable
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import Message
from veldwatch.storage import quarantine
from veldwatch.storage.intake import IntakeWriter
from veldwatch.storage.quarantine import Quarantined
from veldwatch.wire.sources import Sources

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

# In one transaction, as of messages over MQTT.
_SLICE_BYTES = 4 * 2**20
_WAITING_BYTES = 64 * 2**20
_WAITING_REQUESTS = 2000
# Of a message and of what is told of it, beside its payload and topic: measured, 225 and 130.
_MESSAGE_BYTES = 350
_IDLE_SECONDS = 2.0
_JOIN_SECONDS = 8.0
# As in ingest's worker: a change in the register is seen this much later at most.
_REMEMBER_SECONDS = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why an item, or a part of it, is in quarantine, and under which id."""

    reason: Reason
    detail: str
    id: int


@dataclass(slots=True, kw_only=True)
class Fate:
    """What became of one message: rows that were new and rows that were there already, and what was refused."""

    readings: tuple[int, int] = (0, 0)
    positions: tuple[int, int] = (0, 0)
    events: tuple[int, int] = (0, 0)
    refused: list[Refusal] = field(default_factory=list[Refusal])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    messages: list[Message]
    held_bytes: int
    answer: "asyncio.Future[list[Fate]]"
    loop: asyncio.AbstractEventLoop


class Intake:
    """Stores what requests bring, from a thread of its own between `start` and `stop`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._names = Names(settings)
        self._live = LiveSources(settings)
        decoding = Decoding(
            self._live.sources,
            payload_limit_bytes=settings.payload_limit_bytes,
            default_organisation=settings.default_organisation,
        )
        self._told: list[Settled] = []
        self._pipeline = Pipeline(decoding, self._names, tell=self._told.append, room=room_for(settings))
        self._writer: IntakeWriter | None = None
        self._forget_at = 0.0
        self._waiting: deque[_Request] = deque()
        self._held_bytes = 0
        self._wake = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="http-intake", daemon=True)

    @property
    def sources(self) -> Sources:
        """The sources as they are now."""
        return self._live.sources

    def start(self) -> None:
        """Begin to store."""
        self._thread.start()

    def stop(self) -> None:
        """Store what waits, and end."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        self._thread.join(_JOIN_SECONDS)

    async def store(self, messages: list[Message]) -> list[Fate]:
        """Store messages, and tell after the commit what became of each, in order.

        Raises:
            Overloaded: too much waits already.
            StorageUnavailable: the database is away; nothing, or a part, was committed, and storing again is right.
        """
        loop = asyncio.get_running_loop()
        held = _bytes_of(messages)
        request = _Request(messages=messages, held_bytes=held, answer=loop.create_future(), loop=loop)
        with self._wake:
            full = len(self._waiting) >= _WAITING_REQUESTS or (
                self._held_bytes and self._held_bytes + held > _WAITING_BYTES
            )
            if full or self._stopping:
                raise Overloaded("too much waits to be stored (try again in a moment)")
            self._waiting.append(request)
            self._held_bytes += held
            self._wake.notify()
        return await request.answer

    # What follows runs in the thread.

    def _run(self) -> None:
        self._look_around()
        while True:
            requests = self._take()
            if requests:
                self._settle(requests)
                self._free(requests)
            elif self._stopping:
                break
            else:
                self._look_around()
        self._let_go()

    def _take(self) -> list[_Request]:
        taken: list[_Request] = []
        count = 0
        with self._wake:
            if not self._waiting and not self._stopping:
                self._wake.wait(_IDLE_SECONDS)
            while self._waiting and (not taken or count + len(self._waiting[0].messages) <= self._settings.batch_size):
                request = self._waiting.popleft()
                count += len(request.messages)
                taken.append(request)
        return taken

    def _free(self, requests: list[_Request]) -> None:
        """Let others in: what is being stored takes room as what waits does."""
        with self._wake:
            self._held_bytes -= sum(request.held_bytes for request in requests)

    def _settle(self, requests: list[_Request]) -> None:
        """Store requests slice for slice, and answer each after its last one."""
        unanswered = deque(requests)
        fates: list[Fate] = []
        try:
            for part in self._slices(requests):
                fates += self._stored(part)
                _answer(_whole(unanswered, fates))
        except (StorageUnavailable, StorageRejected, SchemaMismatch) as error:
            self._let_go()
            measures.RETRIES.labels("storage_unavailable").inc()
            _log.warning("database away, requests are refused", reason=str(error), requests=len(unanswered))
            _answer([(request, StorageUnavailable(str(error))) for request in unanswered])
        except Exception as error:  # noqa: BLE001  # top of the thread: a defect costs these requests, told and logged
            self._let_go()
            _log.exception("requests could not be stored")
            _answer([(request, error) for request in unanswered])

    def _slices(self, requests: list[_Request]) -> Iterator[list[Message]]:
        # Put apart before they are decoded, which would else make other messages of them than those that are asked for.
        arrivals = Arrivals()
        part: list[Message] = []
        size = 0
        for message in chain.from_iterable(request.messages for request in requests):
            if part and (len(part) >= self._settings.batch_size or size + len(message.payload) > _SLICE_BYTES):
                yield part
                part, size = [], 0
            part.append(arrivals.apart(message))
            size += len(message.payload)
        if part:
            yield part

    def _stored(self, messages: list[Message]) -> list[Fate]:
        writer = self._connected()
        self._live.refresh(writer.connection)
        self._told.clear()
        started = time.monotonic()
        report = self._pipeline.store(writer, messages)
        measures.BATCH_SECONDS.observe(time.monotonic() - started)
        _count(report)
        fates = _fates(messages, self._told)
        refused = [row for settled in self._told for row in settled.refused]
        if refused:
            with writer.connection.transaction():
                numbers = quarantine.ids_of(writer.connection, refused)
            self._add_refused(messages, fates, refused, numbers)
        return fates

    def _add_refused(
        self, messages: list[Message], fates: list[Fate], refused: Sequence[Quarantined], numbers: Sequence[int]
    ) -> None:
        """A quarantine row is told of by what it holds: equal messages have one, and all are told."""
        limit = self._settings.payload_limit_bytes
        by_content: dict[tuple[str, bytes, str | None], dict[int, Refusal]] = {}
        for row, number in zip(refused, numbers, strict=True):
            refusal = Refusal(reason=row.reason, detail=row.detail, id=number)
            content = (row.topic, row.payload, row.sender_organisation)
            by_content.setdefault(content, {}).setdefault(number, refusal)
        for message, fate in zip(messages, fates, strict=True):
            content = (message.topic, message.payload[:limit], message.sender_organisation)
            fate.refused += by_content.get(content, {}).values()

    def _look_around(self) -> None:
        """Keep the sources fresh while nothing comes: a request names one before it is stored."""
        try:
            self._live.refresh(self._connected().connection)
        except (StorageUnavailable, StorageRejected, SchemaMismatch) as error:
            self._let_go()
            _log.debug("database away", reason=str(error))

    def _connected(self) -> IntakeWriter:
        if time.monotonic() > self._forget_at:
            self._names.forget()
            self._forget_at = time.monotonic() + _REMEMBER_SECONDS
        if self._writer is None:
            self._writer = IntakeWriter(self._settings.dsn, "veldwatch-http-intake")
        return self._writer

    def _let_go(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None
            self._names.forget()


def _fates(messages: list[Message], told: list[Settled]) -> list[Fate]:
    fates = {id(message): Fate() for message in messages}
    for settled in told:
        columns = (settled.readings.tolist(), settled.positions.tolist(), settled.events.tolist())
        for item, readings, positions, events in zip(settled.known, *columns, strict=True):
            fate = fates[id(item.message)]
            fate.readings, fate.positions, fate.events = tuple(readings), tuple(positions), tuple(events)
    return [fates[id(message)] for message in messages]


def _bytes_of(messages: Sequence[Message]) -> int:
    return sum(_MESSAGE_BYTES + len(message.topic) + len(message.payload) for message in messages)


def _whole(unanswered: deque[_Request], fates: list[Fate]) -> list[tuple[_Request, list[Fate]]]:
    """Take out those of which all is stored, with the fates of their messages."""
    whole: list[tuple[_Request, list[Fate]]] = []
    while unanswered and len(unanswered[0].messages) <= len(fates):
        request = unanswered.popleft()
        count = len(request.messages)
        whole.append((request, fates[:count]))
        del fates[:count]
    return whole


def _answer(pairs: Sequence[tuple[_Request, list[Fate] | Exception]]) -> None:
    """Answer requests in their own event loops, in one call for each loop."""
    answers: dict[asyncio.AbstractEventLoop, list[tuple[_Request, list[Fate] | Exception]]] = {}
    for request, result in pairs:
        answers.setdefault(request.loop, []).append((request, result))
    for loop, own in answers.items():
        loop.call_soon_threadsafe(_resolve, own)


def _resolve(pairs: list[tuple[_Request, list[Fate] | Exception]]) -> None:
    for request, result in pairs:
        if request.answer.done():
            continue  # the sender has gone
        if isinstance(result, Exception):
            request.answer.set_exception(result)
        else:
            request.answer.set_result(result)


def _count(report: Report) -> None:
    measures.MESSAGES.inc(report.messages)
    measures.READINGS.inc(report.readings)
    measures.POSITIONS.inc(report.positions)
    measures.EVENTS.inc(report.events)
