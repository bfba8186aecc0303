"""What an account may publish and hear: a device only as itself, a gateway what it was given.

A filter of our own topics names an organisation and nothing wider, so that no credential of one organisation reaches
into another.
"""

from typing import NamedTuple

from veldwatch.errors import RequestInvalid
from veldwatch.wire import topics
from veldwatch.wire.topics import ROOT, Kind

_OWN_LEVELS = ROOT.split("/")
_LONGEST_FILTER = 512


class Grants(NamedTuple):
    """Topic filters: what may be published, what may be heard."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]


def device_grants(organisation: str, device: str) -> Grants:
    """Give what a device may do on our own topics: say what it measures, and hear its own commands.

    A device whose name cannot be a level of a topic (it has `/`, `+` or `#`) has no topics.
    """
    if not device or set(device) & set("/+#\0"):
        return Grants((), ())
    own = f"{ROOT}/{organisation}/{device}"
    return Grants(tuple(f"{own}/{kind.value}" for kind in Kind), (f"{own}/commands", f"{own}/commands/#"))


def check_grant(topic_filter: str, organisation: str) -> None:
    """Refuse a filter that a credential of an organisation cannot have.

    Raises:
        RequestInvalid: it is no topic filter, it is a broker's own (`$`), or it reaches our own topics of others.
        ConfigurationInvalid: MQTT forbids it.
    """
    topics.check_filter(topic_filter)
    if topic_filter.startswith("$") or len(topic_filter) > _LONGEST_FILTER or not topic_filter.isprintable():
        raise RequestInvalid(
            f"bad topic filter: {topic_filter[:80]!r} (expected up to {_LONGEST_FILTER} printable"
            " characters, not `$` first)"
        )
    levels = topic_filter.split("/")
    if _may_be_ours(levels) and levels[:3] != [*_OWN_LEVELS, organisation]:
        raise RequestInvalid(
            f"bad topic filter: {topic_filter!r} (it reaches topics of other organisations; expected"
            f" {ROOT}/{organisation}/... or topics of another root)"
        )


def is_foreign(topic_filter: str) -> bool:
    """Tell whether a filter is of other topics than our own: whose they are cannot be told from their names."""
    return not _may_be_ours(topic_filter.split("/"))


def allows(filters: tuple[str, ...], topic: str) -> bool:
    """Tell whether one of some filters takes a topic."""
    return any(topics.matches(topic_filter, topic) for topic_filter in filters)


def _may_be_ours(levels: list[str]) -> bool:
    for place, own in enumerate(_OWN_LEVELS):
        if place >= len(levels):
            return False
        if levels[place] == "#":
            return True
        if levels[place] not in ("+", own):
            return False
    return True
