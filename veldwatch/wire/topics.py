"""Topics: which filter takes which, and the shape of our own.

Source: MQTT 5.0, section 4.7 (levels, wildcards, names that begin with `$`).
"""

import re
from enum import StrEnum
from typing import NamedTuple

from veldwatch.errors import ConfigurationInvalid, MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.wire.values import LONGEST_NAME, shown

ROOT = "veldwatch/v1"
LONGEST_TOPIC_BYTES = 1024
"""MQTT allows 64 kB. Whatever is kept of a message has its topic, often many times."""

_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}", re.ASCII)
_DIGIT = re.compile(r"\d")
_VERSION = re.compile(r"v\d{1,2}", re.ASCII)
_PATTERN_LEVELS = 8
_LONG_LEVEL = 40


class Kind(StrEnum):
    """The last level of our own topics."""

    READINGS = "readings"
    POSITIONS = "positions"
    EVENTS = "events"
    STATUS = "status"


_KINDS = {kind.value: kind for kind in Kind}


class OwnTopic(NamedTuple):
    """A topic of our own, taken apart."""

    organisation: str
    device: str
    kind: Kind


def topic_for(organisation: str, device: str, kind: Kind | str) -> str:
    """Write a topic of our own; a device name with `/`, `+` or `#` cannot be a topic level."""
    topic = f"{ROOT}/{organisation}/{device}/{Kind(kind).value}"
    if parse_own_topic(topic) != (organisation, device, kind) or set(device) & set("+#"):
        raise MessageRejected(Reason.MALFORMED_TOPIC, f"{shown(device)} cannot be a level of a topic")
    return topic


def parse_own_topic(topic: str) -> OwnTopic:
    """Take a topic of our own apart.

    Raises:
        MessageRejected: a level is missing, empty, too long or not what it should be.
    """
    levels = topic.split("/")
    kind = _KINDS.get(levels[-1])
    if len(levels) != 5 or kind is None:
        raise MessageRejected(
            Reason.MALFORMED_TOPIC,
            f"{shown(topic)} (expected {ROOT}/{{organisation}}/{{device}}/{{readings|positions|events|status}})",
        )
    if not is_slug(levels[2]):
        raise MessageRejected(Reason.MALFORMED_TOPIC, f"{shown(levels[2])} is not the slug of an organisation")
    return OwnTopic(levels[2], device_level(levels[3]), kind)


def is_too_long(topic: str) -> bool:
    """Tell whether a topic is longer than what is taken."""
    return len(topic) > LONGEST_TOPIC_BYTES or (
        not topic.isascii() and len(topic.encode(errors="replace")) > LONGEST_TOPIC_BYTES
    )


def names_in(topic: str) -> tuple[str, str] | None:
    """Give organisation and device of a topic of our own, whatever else is wrong with it; None: it names none."""
    levels = topic.split("/")
    if len(levels) < 5 or not topic.startswith(f"{ROOT}/") or not is_slug(levels[2]):
        return None
    return levels[2], levels[3]


def device_level(level: str) -> str:
    """Take the level of a topic that names a device."""
    if not 1 <= len(level) <= LONGEST_NAME or "\0" in level:
        raise MessageRejected(
            Reason.MALFORMED_TOPIC, f"bad device: {shown(level)} (expected 1 to {LONGEST_NAME} characters)"
        )
    return level


def pattern_of(topic: str, device: str | None = None) -> str:
    """Give the form that a topic shares with those of other devices: a level that names one is `+`.

    A level names a device where it is `device`, has a digit (but is not a version, `v1`), or is long; in our own topics
    it is the fourth. Levels after the eighth are `#`.
    """
    levels = topic.split("/")
    own = topic.startswith(f"{ROOT}/")
    formed = [
        "+" if (own and place == 3) or level == device or (not (own and place == 2) and _names_one(level)) else level
        for place, level in enumerate(levels[:_PATTERN_LEVELS])
    ]
    return "/".join([*formed, "#"] if len(levels) > _PATTERN_LEVELS else formed)


def _names_one(level: str) -> bool:
    return len(level) > _LONG_LEVEL or (_DIGIT.search(level) is not None and _VERSION.fullmatch(level) is None)


def is_slug(text: str) -> bool:
    """Tell whether text can be an organisation's slug."""
    return _SLUG.fullmatch(text) is not None


def matches(topic_filter: str, topic: str) -> bool:
    """Tell whether a topic filter takes a topic."""
    wanted, levels = topic_filter.split("/"), topic.split("/")
    if topic.startswith("$") and wanted[0] in {"+", "#"}:
        return False
    for place, level in enumerate(wanted):
        if level == "#":
            return True
        if place >= len(levels) or (level not in ("+", levels[place])):
            return False
    return len(wanted) == len(levels)


def is_filter(topic_filter: str) -> bool:
    """Tell whether MQTT allows a topic filter."""
    levels = topic_filter.split("/")
    stray = any(len(level) > 1 and ("+" in level or "#" in level) for level in levels)
    return bool(topic_filter) and "\0" not in topic_filter and not stray and "#" not in levels[:-1]


def check_filter(topic_filter: str) -> None:
    """Refuse a topic filter that MQTT forbids.

    Raises:
        ConfigurationInvalid: a wildcard is not alone in its level, or `#` is not last.
    """
    if not is_filter(topic_filter):
        raise ConfigurationInvalid(
            f"bad topic filter: {topic_filter!r} (expected levels, `+` alone in a level, `#` only as the last one)"
        )
