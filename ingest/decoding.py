"""From bytes to values: find a message's source, and let its decoder read it behind a boundary.

Whatever a decoder does, one outcome comes of each message: what it says, or a reason why it cannot be stored.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import structlog

from ingest import measures
from ingest.memories import Memories, Work
from veldwatch.errors import MessageRejected, StorageError
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import Decoded, Message, Quality, Rejection, Scan
from veldwatch.storage.connection import Connection
from veldwatch.storage.quarantine import Quarantined
from veldwatch.wire.sources import Route, Sources
from veldwatch.wire.topics import LONGEST_TOPIC_BYTES, is_too_long, names_in

_IGNORED = "ignored"
"""The decoder that reads nothing, however long it is."""
_MOST_READINGS = 20_000
"""Of one message in the general form: real ones of the usual length hold fewer, and each may be made of two bytes."""
_MOST_SENTENCES = 20
"""Of one reason, in the words of its quarantine."""
_MICROSECOND = timedelta(microseconds=1)
_NOTHING = Decoded(None)
_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


DeviceName = tuple[str, str]
"""(organisation, external id)."""


class Understood(NamedTuple):
    """A message that a decoder has read.

    Attributes:
        organisation: slug that its devices belong to.
        scans: all that it says, where it is a usual message; `decoded` is empty then.
    """

    message: Message
    route: Route
    organisation: str
    decoded: Decoded
    scans: tuple[Scan, ...] = ()

    @property
    def device(self) -> DeviceName | None:
        """The first device that it tells of; None: it tells of none."""
        if self.scans:
            return self.organisation, self.scans[0].device
        said = self.decoded
        for row in (*said.readings[:1], *said.positions[:1], *said.events[:1]):
            return self.organisation, row.device
        return (self.organisation, said.heard[0]) if said.heard else None


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What became of some messages, in order.

    Attributes:
        work: what stateful decoders are to remember of them; stored with the last of them.
    """

    understood: list[Understood]
    quarantined: list[Quarantined]
    work: Work | None = None


class Decoding:
    """Reads messages by the configured sources.

    Args:
        payload_limit_bytes: a longer payload is not read.
        default_organisation: slug for sources that name none.
        learns: stateful decoders remember these messages; False: messages of the past, which are replayed.
    """

    def __init__(
        self, sources: Sources, *, payload_limit_bytes: int, default_organisation: str, learns: bool = True
    ) -> None:
        self._sources = sources
        self._limit = payload_limit_bytes
        self._default = default_organisation
        self._learns = learns
        self._memories = Memories()
        self._work: Work | None = None

    def decode(self, messages: list[Message], connection: Connection | None = None) -> Outcome:
        """Read messages; their rejected parts are among the quarantined.

        Args:
            connection: where stateful decoders' memories are; None: each message is read by itself.

        Raises:
            StorageUnavailable: a memory that is needed cannot be loaded now.
        """
        work = self._work = None if connection is None else Work(self._memories, connection, learns=self._learns)
        outcome = Outcome(understood=[], quarantined=[], work=work)
        arrivals = Arrivals()
        for message in messages:
            if is_too_long(message.topic):
                detail = f"longer than {LONGEST_TOPIC_BYTES} bytes: only the beginning is kept"
                outcome.quarantined.append(self.refused(message, Reason.MALFORMED_TOPIC, detail))
                continue
            route = self._sources.route(message.topic)
            # What is replayed was put apart when it came: it must get the same time again.
            usual = (route is not None and route.scans is not None) or message.replay_of is not None
            told_apart = message if usual else arrivals.apart(message)
            if route is None:
                outcome.quarantined.append(self.refused(told_apart, Reason.NO_SOURCE, "no source takes this topic"))
                continue
            try:
                self._read(told_apart, route, outcome)
            except MessageRejected as error:
                outcome.quarantined.append(self.refused(told_apart, error.reason, error.detail, route))
        return outcome

    def end(self) -> None:
        """Let other ingestors decode by what is remembered: what was decoded last is stored, or given up."""
        if self._work is not None:
            self._work.end()

    def forget(self) -> None:
        """Load again what stateful decoders remember: somebody else changed it."""
        self._memories.forget()

    def refused(
        self,
        message: Message,
        reason: Reason,
        detail: str,
        route: Route | None = None,
        device: DeviceName | None = None,
    ) -> Quarantined:
        """Make the row of a message that is not stored; its payload is cut to the limit.

        Args:
            device: the one that it is of, where that is known.
        """
        source = None if route is None else route.source
        organisation, external_id = device or names_in(message.topic) or (None, None)
        return Quarantined(
            message.received_at,
            "" if source is None else source.name,
            message.topic,
            message.payload[: self._limit],
            reason,
            detail,
            organisation=message.sender_organisation
            or organisation
            or (None if source is None else source.organisation),
            device=external_id,
            cut=len(message.payload) > self._limit,
            retained=message.retained,
            replay_of=message.replay_of,
            sender_organisation=message.sender_organisation,
        )

    def refused_part(self, item: Understood, reason: Reason, detail: str) -> Quarantined:
        """Make the row of a message of which the rest is stored."""
        return self.refused(item.message, reason, detail, item.route, item.device)._replace(heard=True)

    def _read(self, message: Message, route: Route, outcome: Outcome) -> None:
        if len(message.payload) > self._limit and route.source.decoder != _IGNORED:
            raise MessageRejected(Reason.PAYLOAD_TOO_LARGE, f"longer than {self._limit} bytes")
        try:
            scans = () if route.scans is None else route.scans(message.topic, message.payload, message.received_at)
            decoded = _NOTHING if scans else _decode(route, message, outcome.work)
        except (MessageRejected, StorageError):
            raise
        except Exception as error:  # a decoder is a plug-in: its defect may cost its message, never the others
            _log.exception("decoder failed", source=route.source.name, topic=message.topic)
            raise MessageRejected(Reason.DECODER_FAILED, f"{type(error).__name__}: {error}") from error
        named = scans[0].organisation if scans else decoded.organisation
        organisation = named or route.source.organisation or self._default
        if message.sender_organisation not in (None, organisation):
            raise MessageRejected(
                Reason.UNKNOWN_ORGANISATION,
                f"it is of organisation {organisation!r}, and its sender may write for"
                f" {message.sender_organisation!r} alone",
            )
        item = Understood(message, route, organisation, decoded, scans)
        if decoded.rejections:
            outcome.quarantined += self._parts(item)
            # They are told now. A message may have tens of thousands, and a batch many such messages.
            item = item._replace(decoded=decoded._replace(rejections=()))
        outcome.understood.append(item)

    def _parts(self, item: Understood) -> list[Quarantined]:
        by_reason: dict[Reason, list[str]] = {}
        for rejection in item.decoded.rejections:
            by_reason.setdefault(rejection.reason, []).append(rejection.detail)
        return [self.refused_part(item, reason, _sentences(said)) for reason, said in by_reason.items()]


class Arrivals:
    """Puts a microsecond between messages that were read from the socket at once.

    Arrival is the time of what says none, and one device's values of one time would be conflicts. What was put apart
    once stays as it is.
    """

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last = datetime.min.replace(tzinfo=UTC)

    def apart(self, message: Message) -> Message:
        """Give the message, later than the one before."""
        if message.received_at <= self._last:
            message = message._replace(received_at=self._last + _MICROSECOND)
        self._last = message.received_at
        return message


def _sentences(said: list[str]) -> str:
    # Not how many others: of very many, decoders themselves keep only the first.
    others = ["and others"] if len(said) > _MOST_SENTENCES else []
    return "; ".join([*said[:_MOST_SENTENCES], *others])


def _without_arrivals(decoded: Decoded, received_at: datetime) -> Decoded:
    """Leave what a retained message says without a time: the broker kept it since nobody knows when."""
    kept = decoded._replace(
        readings=tuple(row for row in decoded.readings if not row.quality & Quality.TIME_OF_ARRIVAL),
        positions=tuple(row for row in decoded.positions if not row.quality & Quality.TIME_OF_ARRIVAL),
        events=tuple(row for row in decoded.events if row.observed_at != received_at),
    )
    left = sum(
        len(before) - len(after)
        for before, after in (
            (decoded.readings, kept.readings),
            (decoded.positions, kept.positions),
            (decoded.events, kept.events),
        )
    )
    measures.UNDATED.inc(left)
    return kept


def _decode(route: Route, message: Message, work: Work | None) -> Decoded:
    if route.stateful is None or work is None:
        decoded = route.decode(message.topic, message.payload, message.received_at)
    else:
        decoded = work.decode(route.stateful, message)
    if len(decoded.readings) > _MOST_READINGS:
        left = Rejection(Reason.PAYLOAD_TOO_LARGE, f"more than {_MOST_READINGS} readings: the rest is not stored")
        readings, rejections = decoded.readings[:_MOST_READINGS], (*decoded.rejections, left)
        decoded = decoded._replace(readings=readings, rejections=rejections)
    return _without_arrivals(decoded, message.received_at) if message.retained else decoded
