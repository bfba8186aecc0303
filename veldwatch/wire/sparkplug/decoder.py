"""Sparkplug B: edge nodes and their devices, on `spBv1.0/GROUP/TYPE/EDGE[/DEVICE]`.

The device is GROUP/EDGE/DEVICE, the edge node itself GROUP/EDGE; a metric keeps its name. A birth certificate (NBIRTH,
DBIRTH) says names, datatypes and aliases; data after it may carry the alias only. A death (NDEATH, DDEATH) is a contact
that says offline, and an event; an edge node's death is that of its devices too. What cannot be read without a birth
that we did not see is `unknown_alias`, and the edge node is asked for a rebirth: then, after lost messages, and when
data come before a birth; at most once in a while. A broker that knows Sparkplug keeps births and gives them to who
subscribes, under `$sparkplug/certificates/` and the birth's own topic. Commands and the state of host applications are
no device's words.

Source: Eclipse Sparkplug Specification 3.0.0.
"""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec
from google.protobuf.message import DecodeError

from veldwatch.errors import ConfigurationInvalid, MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import Decoded, Event, Reply
from veldwatch.wire.options import Decoder, read_options
from veldwatch.wire.sparkplug import memory
from veldwatch.wire.sparkplug.memory import UNBORN, Birth, EdgeNode, Session
from veldwatch.wire.sparkplug.metrics import Said, born, read_metrics
from veldwatch.wire.sparkplug.payload_pb2 import Payload
from veldwatch.wire.sparkplug.sequence import follow
from veldwatch.wire.sparkplug.topic import (
    NOT_OF_DEVICES,
    Kind,
    SparkplugTopic,
    external_id,
    parse_topic,
    rebirth_topic,
)
from veldwatch.wire.sparkplug.values import DataType, milliseconds
from veldwatch.wire.stateful import Changes, StatefulDecoder
from veldwatch.wire.times import checked
from veldwatch.wire.values import attributes

MOST_BIRTHS = 10_000
"""Of one edge node: whoever may publish could name as many devices as he likes."""

_BD_SEQ = "bdSeq"
_SESSIONS = 256
_NO_BIRTH = "data before a birth certificate"


class SparkplugOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a source may tell the decoder.

    Attributes:
        rebirth: False: edge nodes are never asked, and whoever administers them has to.
        rebirth_seconds: an edge node is asked at most once in so many.
        reorder_seconds: how long a message may be missing before it counts as lost; 0: one ingestor alone, whose
            messages come in order; 2 or more where several share them.
    """

    rebirth: bool = True
    rebirth_seconds: float = 60.0
    reorder_seconds: float = 0.0


class _Message(NamedTuple):
    """One message with its payload read."""

    topic: SparkplugTopic
    payload: Payload
    received_at: datetime

    @property
    def device(self) -> str:
        return self.topic.external_id

    @property
    def sent_at(self) -> int | None:
        return self.payload.timestamp or None  # 0: a clock that was never set

    @property
    def seq(self) -> int | None:
        return self.payload.seq if self.payload.HasField("seq") else None

    def moment(self) -> datetime:
        """Tell when it was sent, or where its clock says nothing that can be, when it came."""
        with suppress(MessageRejected):
            if self.sent_at is not None:
                return checked(milliseconds(self.sent_at), self.received_at)[0]
        return self.received_at


def configure(given: Mapping[str, object]) -> Decoder:
    """Make the decoder of a source.

    Raises:
        ConfigurationInvalid: an option is unknown, or a time is negative.
    """
    options = read_options(SparkplugOptions, given)
    if options.rebirth_seconds < 0 or options.reorder_seconds < 0:
        raise ConfigurationInvalid("bad options: a time is negative (expected seconds, 0 or more)")
    return SparkplugDecoder(options)


class SparkplugDecoder(StatefulDecoder[EdgeNode]):
    """Reads the messages of edge nodes; a memory is that of one edge node, GROUP/EDGE."""

    name = "sparkplug"

    def __init__(self, options: SparkplugOptions) -> None:
        self._options = options
        self._patience = timedelta(seconds=options.reorder_seconds)

    def memory_name(self, topic: str) -> str | None:
        """Name the edge node."""
        parsed = parse_topic(topic)
        return None if parsed.kind in NOT_OF_DEVICES else parsed.node

    def blank(self) -> EdgeNode:
        """Know nothing of an edge node."""
        return memory.BLANK

    def changes(self, before: EdgeNode, after: EdgeNode) -> Changes:
        """Write session and new births."""
        return memory.changes(before, after)

    def restore(self, head: bytes, parts: Mapping[str, bytes]) -> EdgeNode:
        """Read session and births."""
        return memory.restore(head, parts)

    def decode(self, memory: EdgeNode, topic: str, payload: bytes, received_at: datetime) -> tuple[EdgeNode, Decoded]:
        """Read one message."""
        parsed = parse_topic(topic)
        if parsed.kind in NOT_OF_DEVICES:
            return memory, Decoded(None)
        message = _Message(parsed, _read(payload), received_at)
        after, decoded = self._decoded(memory, message)
        return self._asking(after, decoded, parsed, received_at)

    def _decoded(self, node: EdgeNode, message: _Message) -> tuple[EdgeNode, Decoded]:
        match message.topic.kind:
            case _ if message.topic.certificate:
                return _certificate(node, message)
            case Kind.NODE_BIRTH:
                return _node_birth(node, message)
            case Kind.NODE_DEATH:
                return _node_death(node, message)
            case Kind.DEVICE_BIRTH:
                return _device_birth(self._counted(node, message), message)
            case Kind.DEVICE_DEATH:
                return _device_death(self._counted(node, message), message)
            case _:
                return _data(self._counted(node, message), message)

    def _counted(self, node: EdgeNode, message: _Message) -> EdgeNode:
        """Take the message's number, and notice that it came before any birth."""
        session = follow(node.session, message.seq, message.sent_at, message.received_at, self._patience)
        return _wanting(node._replace(session=session), _NO_BIRTH if session.born_at is None else "")

    def _asking(
        self, node: EdgeNode, decoded: Decoded, topic: SparkplugTopic, now: datetime
    ) -> tuple[EdgeNode, Decoded]:
        """Ask for a rebirth where something is unclear and the edge node was not asked of late."""
        session = node.session
        if not session.rebirth_wanted or not self._options.rebirth:
            return node, decoded
        if session.asked_at is not None and abs(now - session.asked_at).total_seconds() < self._options.rebirth_seconds:
            return node, decoded
        node = node._replace(session=msgspec.structs.replace(session, asked_at=now))
        return node, decoded._replace(replies=(Reply(rebirth_topic(topic.node), rebirth_request(now)),))


def rebirth_request(now: datetime) -> bytes:
    """Write the command that makes an edge node say its births again."""
    moment = round(now.timestamp() * 1000)
    metric = Payload.Metric(
        name="Node Control/Rebirth", timestamp=moment, datatype=DataType.BOOLEAN, boolean_value=True
    )
    return Payload(timestamp=moment, metrics=[metric]).SerializeToString()


def _read(payload: bytes) -> Payload:
    try:
        return Payload.FromString(payload)
    except DecodeError as error:
        raise MessageRejected(Reason.MALFORMED_PAYLOAD, f"no payload of Sparkplug B: {error}"[:200]) from error


def _node_birth(node: EdgeNode, message: _Message) -> tuple[EdgeNode, Decoded]:
    birth, bd_seq = born(message.payload), _bd_seq(message.payload)
    decoded = _with_event(_said(message, birth), message, "birth", bd_seq, online=True)
    if _is_past(node.session, message.sent_at, bd_seq):
        return node, decoded._replace(online=None)
    session = Session(
        born_at=round(message.received_at.timestamp() * 1000) if message.sent_at is None else message.sent_at,
        bd_seq=bd_seq,
        seq=message.seq or 0,
        sent_at=message.sent_at,
        asked_at=node.session.asked_at,
    )
    return EdgeNode(session, _with(_ended(node), "", birth)), decoded


def _is_past(session: Session, sent_at: int | None, bd_seq: int | None) -> bool:
    """Tell a birth that came twice or late from one of an edge node whose clock was set back: that counts on."""
    if None in (session.born_at, session.bd_seq, sent_at, bd_seq):
        return False
    newer = (sent_at or 0) > (session.born_at or 0)
    return not newer and ((bd_seq or 0) - (session.bd_seq or 0)) % _SESSIONS in (0, *range(_SESSIONS // 2, _SESSIONS))


def _certificate(node: EdgeNode, message: _Message) -> tuple[EdgeNode, Decoded]:
    """The broker kept a birth and says it again, to who subscribes: what it says holds, its sender may be gone."""
    birth, bd_seq = born(message.payload), _bd_seq(message.payload)
    decoded = _with_event(_said(message, birth), message, "birth", bd_seq, online=None)
    born_at, sent_at = node.session.born_at, message.sent_at or 0
    if message.topic.kind is Kind.DEVICE_BIRTH:
        if sent_at < (born_at or 0):
            return node, decoded
        return node._replace(births=_with(node, message.topic.device, birth)), decoded
    if born_at is not None and sent_at <= born_at:
        return node, decoded
    session = Session(born_at=sent_at, bd_seq=bd_seq, sent_at=sent_at or None, asked_at=node.session.asked_at)
    return EdgeNode(session, _with(node if born_at is None else _ended(node), "", birth)), decoded


def _node_death(node: EdgeNode, message: _Message) -> tuple[EdgeNode, Decoded]:
    """The broker says it, in words from the time of connection: so it happened when it came."""
    bd_seq = _bd_seq(message.payload)
    if None not in (bd_seq, node.session.bd_seq) and bd_seq != node.session.bd_seq:
        return node, Decoded(None)  # of a session before this one: the edge node is back already
    devices = [external_id(message.topic.node, device) for device in sorted({"", *_living(node)})]
    events = tuple(Event(device, message.received_at, "death", _session_attributes(bd_seq)) for device in devices)
    session = Session(asked_at=node.session.asked_at)
    return EdgeNode(session, _ended(node).births), Decoded(None, events=events, heard=tuple(devices), online=False)


def _device_birth(node: EdgeNode, message: _Message) -> tuple[EdgeNode, Decoded]:
    birth = born(message.payload)
    decoded = _with_event(_said(message, birth), message, "birth", None, online=True)
    if 0 < (message.sent_at or 0) < (node.session.born_at or 0):
        return node, decoded  # of the session before: it came late
    return node._replace(births=_with(node, message.topic.device, birth)), decoded


def _with(node: EdgeNode, device: str, birth: Birth) -> dict[str, Birth]:
    known = node.births.get(device)
    births = {**node.births, device: birth if known is None else known.replaced_by(birth)}
    if len(births) > MOST_BIRTHS:
        # The one that is missed least: ended, else said longest ago; if its device speaks, a rebirth is asked for.
        del births[min(births.keys() - {"", device}, key=lambda one: (not births[one].ended, births[one].sent_at, one))]
    return births


def _ended(node: EdgeNode) -> EdgeNode:
    return node._replace(births={device: birth.end() for device, birth in node.births.items()})


def _living(node: EdgeNode) -> set[str]:
    return {device for device, birth in node.births.items() if not birth.ended}


def _device_death(node: EdgeNode, message: _Message) -> tuple[EdgeNode, Decoded]:
    decoded = _with_event(Decoded(None, heard=(message.device,)), message, "death", None, online=False)
    known = node.births.get(message.topic.device)
    return node if known is None else node._replace(births={**node.births, message.topic.device: known.end()}), decoded


def _data(node: EdgeNode, message: _Message) -> tuple[EdgeNode, Decoded]:
    decoded = _said(message, node.births.get(message.topic.device, UNBORN).at(message.sent_at))
    unknown = next((each.detail for each in decoded.rejections if each.reason is Reason.UNKNOWN_ALIAS), "")
    birth = node.births.get(message.topic.device, UNBORN)
    without_birth = _NO_BIRTH if birth is UNBORN or birth.ended else ""
    return _wanting(node, unknown or without_birth), decoded


def _said(message: _Message, birth: Birth) -> Decoded:
    said: Said = read_metrics(message.payload, birth, message.device, message.received_at)
    return Decoded(
        None,
        readings=tuple(said.readings),
        events=tuple(said.events),
        rejections=tuple(said.rejections),
        heard=(message.device,),
    )


def _with_event(decoded: Decoded, message: _Message, kind: str, bd_seq: int | None, *, online: bool | None) -> Decoded:
    event = Event(message.device, message.moment(), kind, _session_attributes(bd_seq))
    return decoded._replace(events=(*decoded.events, event), online=online)


def _session_attributes(bd_seq: int | None) -> str:
    return attributes({} if bd_seq is None else {_BD_SEQ: bd_seq})


def _wanting(node: EdgeNode, why: str) -> EdgeNode:
    if not why or node.session.rebirth_wanted:
        return node
    return node._replace(session=msgspec.structs.replace(node.session, rebirth_wanted=why))


def _bd_seq(payload: Payload) -> int | None:
    for metric in payload.metrics:
        if metric.name == _BD_SEQ and metric.WhichOneof("value") in ("int_value", "long_value"):
            return metric.long_value or metric.int_value
    return None
