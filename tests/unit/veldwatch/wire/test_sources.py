"""Which decoder reads which topic."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from veldwatch.config import DEFAULT_SOURCES, Source
from veldwatch.errors import ConfigurationInvalid, MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import Decoded
from veldwatch.wire import sources as wire_sources
from veldwatch.wire.options import Decoder
from veldwatch.wire.sources import Sources


@pytest.mark.parametrize(
    ("topic", "name"),
    [
        ("veldwatch/v1/demo/m1/readings", "veldwatch"),
        ("wmbusmeters/Cellar", "wmbusmeters"),
        ("application/a/device/b/event/up", "chirpstack"),
        ("owntracks/a/b", "owntracks"),
        ("owntracks/a/b/event", "owntracks"),
        ("spBv1.0/g/DDATA/e/d", "sparkplug"),
        ("spBv1.0/STATE/h", "sparkplug"),
        ("$sparkplug/certificates/spBv1.0/g/NBIRTH/e", "sparkplug-certificates"),
        ("v3/app@ttn/devices/d/up", "things-stack"),
        ("v3/app/devices/d/down/ack", "things-stack"),
        ("tele/x/SENSOR", "tasmota"),
        ("stat/x/RESULT", "tasmota-answers"),
        ("cmnd/x/POWER", "tasmota-commands"),
        ("tasmota/discovery/AABBCCDDEEFF/config", "tasmota-discovery"),
        ("homeassistant/sensor/x/config", "home-assistant-discovery"),
        ("zigbee2mqtt/house/lamp", "zigbee2mqtt"),
        ("zigbee2mqtt/bridge/devices", "zigbee2mqtt-devices"),
        ("zigbee2mqtt/bridge/state", "zigbee2mqtt"),
        ("shellyplus1-aabbccddeeff/status/switch:0", "shelly"),
        ("shellyplus1-aabbccddeeff/events/rpc", "shelly-notifications"),
        ("shellyplus1-aabbccddeeff/online", "shelly-online"),
        ("shellies/pump/status/switch:0", "shellies"),
        ("shellies/pump/events/rpc", "shellies-notifications"),
        ("shellies/pump/online", "shellies-online"),
        ("shellies/pump/relay/0", None),
        ("dsmr/raw", "dsmr"),
        ("ngsi/WeatherObserved", "ngsi"),
        ("gundi/observations", "gundi"),
        ("earthranger/observations", "earthranger"),
        ("rtl_433/roof/events", "rtl-433"),
        ("msh/US/2/json/LongFast/!a1b2c3d4", "meshtastic"),
        ("factory/line/4/status", None),
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
        Source(name="x", topic_filter="a", decoder="veldwatch", organisation="No Slug"),
    ],
)
def test_a_source_that_cannot_work_is_refused_at_once(source: Source) -> None:
    with pytest.raises(ConfigurationInvalid):
        Sources((source,))


def test_sources_that_are_replaced_take_the_next_message() -> None:
    sources = Sources(DEFAULT_SOURCES)
    before = sources.route("a/b")
    sources.replace([Source(name="mine", topic_filter="a/#", decoder="owntracks")])
    after = sources.route("a/b")
    assert before is None
    assert after is not None
    assert after.source.name == "mine"
    assert sources.route("wmbusmeters/Cellar") is None


@pytest.mark.parametrize(
    "bad",
    [
        Source(name="bad", topic_filter="a/+", decoder="uninstalled"),
        Source(name="bad", topic_filter="a/+", decoder="veldwatch", options={"unheard": "of"}),
        Source(name="bad", topic_filter="a/+", decoder="veldwatch", organisation="No Slug"),
    ],
)
def test_a_source_that_stopped_to_work_refuses_its_messages_and_stops_no_other(bad: Source) -> None:
    good = Source(name="good", topic_filter="#", decoder="owntracks")
    sources = Sources(())
    assert [fault.source for fault in sources.replace([bad, good])] == ["bad"]
    refusing, working = sources.route("a/b"), sources.route("other")
    assert refusing is not None
    assert working is not None
    assert working.source is good
    with pytest.raises(MessageRejected) as caught:
        refusing.decode("a/b", b"{}", datetime(2026, 11, 22, tzinfo=UTC))
    assert caught.value.reason is Reason.SOURCE_INVALID
    assert "'bad'" in caught.value.detail


def test_a_source_whose_filter_is_none_takes_nothing() -> None:
    sources = Sources(())
    faults = sources.replace([Source(name="bad", topic_filter="a/#/b", decoder="veldwatch")])
    assert "bad topic filter: 'a/#/b'" in faults[0].detail
    assert sources.route("a/x/b") is None


def test_a_source_keeps_its_decoder_until_that_is_told_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    def configure(options: Mapping[str, object]) -> Decoder:
        def decode(topic: str, payload: bytes, received_at: datetime) -> Decoded:
            raise MessageRejected(Reason.NOTHING_TO_STORE, f"{options, topic, payload, received_at}")

        return decode

    monkeypatch.setitem(wire_sources._OWN, "remembering", configure)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # as an entry point would
    first = Source(name="s", topic_filter="a/#", decoder="remembering")
    sources = Sources([first])
    decoders: list[Decoder] = []
    for source in (
        first,
        first.model_copy(update={"topic_filter": "a/b/#", "organisation": "other"}),
        first.model_copy(update={"options": {"x": 1}}),
    ):
        sources.replace([source])
        route = sources.route("a/b")
        assert route is not None
        decoders.append(route.decode)
    assert decoders[0] is decoders[1]
    assert decoders[1] is not decoders[2]


def test_long_topics_are_found_and_not_remembered() -> None:
    sources = Sources([Source(name="s", topic_filter="a/#", decoder="ignored")])
    for length in (10, 256, 257, 1000):
        topic = "a/".ljust(length, "x")
        assert sources.route(topic) is sources.route(topic) is not None
    known = sources._table._known  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    assert sorted(map(len, known)) == [10, 256]
