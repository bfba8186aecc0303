"""Topics and topic filters."""

import pytest

from veldwatch.errors import ConfigurationInvalid, MessageRejected
from veldwatch.wire.topics import Kind, check_filter, matches, names_in, parse_own_topic, pattern_of, topic_for


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


@pytest.mark.parametrize(
    ("topic", "device", "form"),
    [
        ("veldwatch/v1/town-2/pump/readings", None, "veldwatch/v1/town-2/+/readings"),
        ("v3/app@tenant/devices/eui-70b3d57ed005/up", None, "v3/app@tenant/devices/+/up"),
        ("wmbusmeters/kitchen", "kitchen", "wmbusmeters/+"),
        ("wmbusmeters/kitchen", None, "wmbusmeters/kitchen"),
        (f"a/{'x' * 41}", None, "a/+"),
        ("1/2/3/4/5/6/7/8/9/10", None, "+/+/+/+/+/+/+/+/#"),
        ("", None, ""),
    ],
)
def test_topics_of_many_devices_share_a_form(topic: str, device: str | None, form: str) -> None:
    assert pattern_of(topic, device) == form


@pytest.mark.parametrize(
    ("topic", "names"),
    [
        ("veldwatch/v1/town/m-1/readings", ("town", "m-1")),
        ("veldwatch/v1/town/m-1/nonsense", ("town", "m-1")),
        ("veldwatch/v1/Town/m-1/readings", None),
        ("veldwatch/v1/town/m-1", None),
        ("other/v1/town/m-1/readings", None),
    ],
)
def test_a_topic_of_our_own_names_organisation_and_device(topic: str, names: tuple[str, str] | None) -> None:
    assert names_in(topic) == names
