"""The boundary around decoders."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from ingest.decoding import Decoding
from tests.unit.veldwatch.wire.golden import CASES, RECEIVED_AT, Case
from veldwatch.config import Source
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import Decoded, Message
from veldwatch.wire import sources
from veldwatch.wire.options import without_options
from veldwatch.wire.sources import Sources
from veldwatch.wire.veldwatch_json import encode_readings

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


def broken(topic: str, payload: bytes, received_at: datetime) -> Decoded:
    raise ZeroDivisionError(topic, payload, received_at)


@pytest.fixture
def decoding(monkeypatch: pytest.MonkeyPatch) -> Decoding:
    monkeypatch.setitem(sources._OWN, "broken", without_options(broken))  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # as an entry point would
    listed = (
        Source(name="ours", topic_filter="veldwatch/v1/#", decoder="veldwatch"),
        Source(name="faulty", topic_filter="faulty/#", decoder="broken"),
        Source(name="lists", topic_filter="zigbee2mqtt/bridge/devices", decoder="ignored"),
        Source(name="zigbee", topic_filter="zigbee2mqtt/#", decoder="zigbee2mqtt"),
    )
    return Decoding(Sources(listed), payload_limit_bytes=1000, default_organisation="default")


@pytest.mark.parametrize(
    ("topic", "payload", "reason"),
    [
        ("elsewhere", b"{}", Reason.NO_SOURCE),
        ("faulty/x", b"{}", Reason.DECODER_FAILED),
        ("veldwatch/v1/demo/m/readings", b"[" * 900, Reason.MALFORMED_PAYLOAD),
        ("veldwatch/v1/demo/m/readings", b"x" * 1001, Reason.PAYLOAD_TOO_LARGE),
        ("veldwatch/v1/demo//readings", b"{}", Reason.MALFORMED_TOPIC),
        ("zigbee2mqtt/" + "x" * 1013, b'{"x":1}', Reason.MALFORMED_TOPIC),
        ("zigbee2mqtt/" + "é" * 507, b'{"x":1}', Reason.MALFORMED_TOPIC),
    ],
)
def test_each_way_to_fail_has_its_reason_and_its_bytes(
    decoding: Decoding, topic: str, payload: bytes, reason: Reason
) -> None:
    outcome = decoding.decode([Message(topic, payload, NOW)])
    assert [(row.reason, row.topic, row.payload) for row in outcome.quarantined] == [(reason, topic, payload[:1000])]
    assert outcome.understood == []


def test_one_message_never_costs_another(decoding: Decoding) -> None:
    good = Message("veldwatch/v1/demo/m/readings", encode_readings(NOW, {"a": 1}), NOW)
    outcome = decoding.decode([Message("faulty/x", b"", NOW), good, Message("elsewhere", b"", NOW)])
    assert [item.message for item in outcome.understood] == [good]
    assert len(outcome.quarantined) == 2


def test_rejected_parts_are_one_row_for_each_reason(decoding: Decoding) -> None:
    payload = b'{"observed_at":1772366400,"readings":{"good":1,"a":true,"b":null,"":3}}'
    outcome = decoding.decode([Message("veldwatch/v1/demo/m/readings", payload, NOW)])
    assert sorted(row.reason for row in outcome.quarantined) == [Reason.BAD_VALUE, Reason.MALFORMED_PAYLOAD]
    assert len(outcome.understood) == 1


def zigbee(payload: bytes, *, retained: bool = False) -> Message:
    return Message("zigbee2mqtt/store", payload, NOW, retained)


def test_messages_without_a_time_that_came_at_once_are_told_apart(decoding: Decoding) -> None:
    messages = [zigbee(b'{"occupancy":true}'), zigbee(b'{"occupancy":false}')]
    understood = decoding.decode(messages).understood
    times = [item.decoded.readings[0].observed_at for item in understood]
    assert times == [NOW, NOW + timedelta(microseconds=1)]
    assert [item.message.received_at for item in understood] == times


def test_a_retained_message_without_a_time_stores_no_value(decoding: Decoding) -> None:
    """The broker gives it at each subscription, however old it is."""
    said = b'{"temperature":20.5,"action":"single"}'
    outcome = decoding.decode([zigbee(said, retained=True)])
    (item,) = outcome.understood
    assert (item.decoded.readings, item.decoded.events, outcome.quarantined) == ((), (), [])
    assert item.decoded.heard == ("store",)


def test_a_retained_message_with_a_time_is_stored(decoding: Decoding) -> None:
    (item,) = decoding.decode([zigbee(b'{"temperature":20.5,"last_seen":1772366400000}', retained=True)]).understood
    assert [reading.value for reading in item.decoded.readings] == [20.5]


def test_what_is_ignored_may_be_of_any_length(decoding: Decoding) -> None:
    outcome = decoding.decode([Message("zigbee2mqtt/bridge/devices", b"x" * 5000, NOW)])
    assert outcome.quarantined == []
    assert [item.decoded for item in outcome.understood] == [Decoded(None)]


@pytest.mark.parametrize("decoder", sorted(folder.name for folder in CASES.iterdir() if folder.is_dir()))
def test_no_decoder_lets_a_sender_write_for_another_organisation_than_its_own(decoder: str) -> None:
    cases = [Case(folder) for folder in sorted((CASES / decoder).iterdir()) if (folder / "topic").is_file()]
    assert cases
    for case in cases:
        source = Source(name="s", topic_filter="#", decoder=decoder, organisation="theirs", options=case.options)
        decoding = Decoding(Sources([source]), payload_limit_bytes=10**6, default_organisation="default")
        anybody = Message(case.topic, case.payload, RECEIVED_AT)
        (named,) = {item.organisation for item in decoding.decode([anybody]).understood} or {"theirs"}
        for sender in ("theirs", "others", named):
            outcome = decoding.decode([anybody._replace(sender_organisation=sender)])
            assert {item.organisation for item in outcome.understood} <= {sender}, case.name
            assert {row.organisation for row in outcome.quarantined} <= {sender}, case.name


def test_what_one_message_becomes_is_bounded() -> None:
    entities = [{"id": f"e{n}", "type": "t", "x": [0] * 900} for n in range(30)]
    source = Source(name="s", topic_filter="#", decoder="ngsi", organisation="demo")
    decoding = Decoding(Sources([source]), payload_limit_bytes=10**6, default_organisation="default")
    outcome = decoding.decode([Message("x", json.dumps(entities).encode(), NOW)])
    assert [len(item.decoded.readings) for item in outcome.understood] == [20_000]
    assert [row.reason for row in outcome.quarantined] == [Reason.PAYLOAD_TOO_LARGE]


def test_what_is_wrong_with_a_message_is_not_held_for_the_batch() -> None:
    source = Source(name="s", topic_filter="#", decoder="senml", organisation="demo")
    decoding = Decoding(Sources([source]), payload_limit_bytes=10**6, default_organisation="default")
    records = [{"n": "pump:level", "v": 1}, *({"n": f"pump:m{n}"} for n in range(5000))]
    outcome = decoding.decode([Message("x", json.dumps(records).encode(), NOW)])
    ((reason, detail),) = [(row.reason, row.detail) for row in outcome.quarantined]
    assert reason is Reason.BAD_VALUE
    assert (detail.count("neither a value nor a sum"), detail.endswith("; and others")) == (20, True)
    assert [(len(item.decoded.readings), item.decoded.rejections) for item in outcome.understood] == [(1, ())]
