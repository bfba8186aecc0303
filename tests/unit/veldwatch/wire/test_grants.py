import pytest

from veldwatch.errors import ConfigurationInvalid, RequestInvalid
from veldwatch.wire.grants import allows, check_grant, device_grants, is_foreign


def test_a_device_may_say_four_things_and_hear_its_commands() -> None:
    grants = device_grants("kasama-water", "meter-1")
    own = "veldwatch/v1/kasama-water/meter-1"
    assert grants.publish == (f"{own}/readings", f"{own}/positions", f"{own}/events", f"{own}/status")
    assert grants.subscribe == (f"{own}/commands", f"{own}/commands/#")


@pytest.mark.parametrize("name", ["", "a/b", "+", "#", "a+", "a\0"])
def test_a_name_that_is_no_level_of_a_topic_has_no_topics(name: str) -> None:
    assert device_grants("kasama-water", name) == ((), ())


@pytest.mark.parametrize(
    "topic_filter",
    [
        "application/#",
        "owntracks/anna/phone",
        "veldwatch/v1/kasama-water/#",
        "veldwatch/v1/kasama-water/+/readings",
        "+",
    ],
)
def test_a_filter_of_the_own_organisation_or_of_another_root_is_taken(topic_filter: str) -> None:
    check_grant(topic_filter, "kasama-water")


@pytest.mark.parametrize(
    "topic_filter",
    [
        "#",
        "+/#",
        "+/+/+/meter-1/readings",
        "veldwatch/#",
        "veldwatch/v1/#",
        "veldwatch/v1/+/meter-1/readings",
        "veldwatch/v1/luangwa/#",
        "veldwatch/v1/kasama-water-2/#",
        "+/v1/kasama-water/#",
        "veldwatch/v1",
        "$SYS/#",
        "$share/all/#",
        "a\nuser ingest",
        "a\ttopic readwrite b",
        "x" * 513,
    ],
)
def test_a_filter_that_reaches_further_is_refused(topic_filter: str) -> None:
    with pytest.raises(RequestInvalid):
        check_grant(topic_filter, "kasama-water")


@pytest.mark.parametrize("topic_filter", ["", "a/#/b", "a+/b", "a\0b"])
def test_what_mqtt_forbids_is_refused(topic_filter: str) -> None:
    with pytest.raises(ConfigurationInvalid):
        check_grant(topic_filter, "kasama-water")


def test_foreign_is_what_no_organisation_is_named_in() -> None:
    assert is_foreign("application/#")
    assert is_foreign("+")
    assert not is_foreign("veldwatch/v1/kasama-water/#")


def test_a_topic_is_allowed_by_any_of_the_filters() -> None:
    filters = device_grants("kasama-water", "meter-1").publish
    assert allows(filters, "veldwatch/v1/kasama-water/meter-1/events")
    assert not allows(filters, "veldwatch/v1/kasama-water/meter-1/commands")
    assert not allows((), "veldwatch/v1/kasama-water/meter-1/events")
