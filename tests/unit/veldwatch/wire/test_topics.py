"""Topics and topic filters."""

import pytest

from veldwatch.errors import ConfigurationInvalid, MessageRejected
from veldwatch.wire.topics import Kind, check_filter, matches, parse_own_topic, topic_for


@pytest.mark.parametrize(
    ("topic_filter", "topic", "taken"),
    [
        ("#", "a", True),
        ("#", "$SYS/broker", False),
        ("+/b", "a/b", True),
        ("+/b", "$a/b", False),
        ("a/#", "a", True),
        ("a/#", "a/b/c", True),
        ("a/+", "a", False),
        ("a/+", "a/", True),
        ("a/+", "a/b/c", False),
        ("a/b", "a/b", True),
        ("a/b", "a/b/c", False),
    ],
)
def test_a_filter_takes_what_mqtt_says(topic_filter: str, topic: str, *, taken: bool) -> None:
    assert matches(topic_filter, topic) is taken


@pytest.mark.parametrize("topic_filter", ["", "a#", "a/#/b", "a+/b", "\0"])
def test_a_filter_that_mqtt_forbids_is_refused(topic_filter: str) -> None:
    with pytest.raises(ConfigurationInvalid):
        check_filter(topic_filter)


@pytest.mark.parametrize(
    "topic",
    [
        "veldwatch/v1/demo/x/unknown",
        "veldwatch/v1/demo/readings",
        "veldwatch/v1//x/readings",
        "veldwatch/v1/demo//readings",
        "veldwatch/v1/Demo/x/readings",
        "veldwatch/v1/demo/" + "x" * 10_000 + "/readings",
        "veldwatch/v1/demo/a/b/readings",
        "veldwatch/v1",
        "",
    ],
)
def test_a_topic_of_ours_that_is_wrong_is_refused(topic: str) -> None:
    with pytest.raises(MessageRejected):
        parse_own_topic(topic)


def test_a_topic_that_is_written_is_read() -> None:
    assert parse_own_topic(topic_for("demo", "collar 7", Kind.POSITIONS)) == ("demo", "collar 7", Kind.POSITIONS)


@pytest.mark.parametrize("device", ["a/b", "a+b", "#", ""])
def test_a_device_that_cannot_be_a_level_is_refused(device: str) -> None:
    with pytest.raises(MessageRejected):
        topic_for("demo", device, "readings")
