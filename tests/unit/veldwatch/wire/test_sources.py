"""Which decoder reads which topic."""

import pytest

from veldwatch.config import DEFAULT_SOURCES, Source
from veldwatch.errors import ConfigurationInvalid
from veldwatch.wire.sources import Sources


@pytest.mark.parametrize(
    ("topic", "name"),
    [
        ("veldwatch/v1/demo/m1/readings", "veldwatch"),
        ("wmbusmeters/Cellar", "wmbusmeters"),
        ("application/a/device/b/event/up", "chirpstack"),
        ("owntracks/a/b", "owntracks"),
        ("owntracks/a/b/event", "owntracks"),
        ("tele/x/SENSOR", None),
        ("", None),
    ],
)
def test_the_default_sources_take_their_topics(topic: str, name: str | None) -> None:
    route = Sources(DEFAULT_SOURCES).route(topic)
    assert (None if route is None else route.source.name) == name


def test_the_first_match_wins() -> None:
    first = Source(name="first", topic_filter="a/#", decoder="owntracks")
    second = Source(name="second", topic_filter="a/b", decoder="veldwatch")
    route = Sources((first, second)).route("a/b")
    assert route is not None
    assert route.source is first


@pytest.mark.parametrize(
    "source",
    [
        Source(name="x", topic_filter="a", decoder="unheard-of"),
        Source(name="x", topic_filter="a#", decoder="veldwatch"),
        Source(name="x", topic_filter="a", decoder="veldwatch", options={"unheard": "of"}),
    ],
)
def test_a_source_that_cannot_work_is_refused_at_once(source: Source) -> None:
    with pytest.raises(ConfigurationInvalid):
        Sources((source,))
