"""Topics of Sparkplug B: `spBv1.0/GROUP/TYPE/EDGE[/DEVICE]`, and `spBv1.0/STATE/HOST` of host applications.

Source: Eclipse Sparkplug Specification 3.0.0, section 4 (topics).
"""

from enum import StrEnum
from typing import NamedTuple

from veldwatch.errors import MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.wire.topics import device_level
from veldwatch.wire.values import shown

NAMESPACE = "spBv1.0"
CERTIFICATES = "$sparkplug/certificates/"
"""Before the topic of a birth that a Sparkplug-aware broker keeps.

Source: Eclipse Sparkplug Specification 3.0.0, section 10 (conformance of a Sparkplug Aware MQTT Server).
"""


class Kind(StrEnum):
    """The type of a message: of an edge node (N) or of a device below it (D), or of a host application."""

    NODE_BIRTH = "NBIRTH"
    NODE_DATA = "NDATA"
    NODE_DEATH = "NDEATH"
    NODE_COMMAND = "NCMD"
    DEVICE_BIRTH = "DBIRTH"
    DEVICE_DATA = "DDATA"
    DEVICE_DEATH = "DDEATH"
    DEVICE_COMMAND = "DCMD"
    STATE = "STATE"


NOT_OF_DEVICES = frozenset({Kind.NODE_COMMAND, Kind.DEVICE_COMMAND, Kind.STATE})
"""What host applications say, we among them: no device said it, and nothing of it is stored."""

_BIRTHS = (Kind.NODE_BIRTH, Kind.DEVICE_BIRTH)
_KINDS = {kind.value: kind for kind in Kind}


class SparkplugTopic(NamedTuple):
    """A topic taken apart.

    Attributes:
        node: GROUP/EDGE; of a STATE message the host's id.
        device: DEVICE; empty for the edge node itself.
        certificate: a birth that the broker kept and says again.
    """

    kind: Kind
    node: str
    device: str
    certificate: bool = False

    @property
    def external_id(self) -> str:
        """Name the device as the register does: GROUP/EDGE/DEVICE, or GROUP/EDGE."""
        return external_id(self.node, self.device)


def external_id(node: str, device: str) -> str:
    """Name a device of an edge node, or with an empty `device` the edge node itself."""
    return f"{node}/{device}" if device else node


def parse_topic(topic: str) -> SparkplugTopic:
    """Take a topic apart.

    Raises:
        MessageRejected: another namespace, an unknown type, or a level too many or too few.
    """
    certificate = topic.startswith(CERTIFICATES)
    levels = topic.removeprefix(CERTIFICATES).split("/")
    if levels[0] == NAMESPACE and len(levels) == 3 and levels[1] == Kind.STATE:
        return SparkplugTopic(Kind.STATE, levels[2], "")
    kind = _KINDS.get(levels[2]) if len(levels) in (4, 5) and levels[0] == NAMESPACE else None
    if (
        kind is None
        or len(levels) != (4 if kind.value[0] == "N" else 5)
        or "" in levels
        or (certificate and kind not in _BIRTHS)
    ):
        raise MessageRejected(
            Reason.MALFORMED_TOPIC,
            f"{shown(topic)} (expected {NAMESPACE}/GROUP/TYPE/EDGE, with a TYPE of a device .../EDGE/DEVICE)",
        )
    parsed = SparkplugTopic(kind, f"{levels[1]}/{levels[3]}", levels[4] if len(levels) == 5 else "", certificate)
    device_level(parsed.external_id)
    return parsed


def rebirth_topic(node: str) -> str:
    """Name the topic on which an edge node takes commands."""
    group, _, edge = node.partition("/")
    return f"{NAMESPACE}/{group}/{Kind.NODE_COMMAND}/{edge}"
