"""A packet that several gateways of a mesh pass on is one."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest

from tests.unit.veldwatch.wire.golden import RECEIVED_AT
from veldwatch.errors import MessageRejected
from veldwatch.model.telemetry import Decoded
from veldwatch.wire.meshtastic import MeshtasticDecoder

CHANNEL = "msh/EU_868/2/json/LongFast"
NODE = "!7efeee00"
SECOND = timedelta(seconds=1)


class Mesh:
    """Messages one after the other, with the memory written and read between any two of them."""

    def __init__(self) -> None:
        self.decoder = MeshtasticDecoder()
        self.memory = self.decoder.blank()

    def say(
        self, gateway: str, packet: Mapping[str, object], at: datetime = RECEIVED_AT, channel: str = CHANNEL
    ) -> Decoded:
        said = {"from": int(NODE[1:], 16), "timestamp": int(at.timestamp()), **packet}
        before = self.memory
        after, decoded = self.decoder.decode(before, f"{channel}/{gateway}", json.dumps(said).encode(), at)
        changes = self.decoder.changes(before, after)
        assert changes.parts == {}
        self.memory = self.decoder.restore(changes.head, {})
        assert self.memory == after
        return decoded


def text(number: object, words: str = "SOS") -> dict[str, object]:
    return {"id": number, "type": "text", "payload": {"text": words}}


def test_the_first_gateway_s_copy_is_stored_and_another_s_tells_that_the_node_was_heard() -> None:
    mesh = Mesh()
    first, second = mesh.say("!aaaaaaaa", text(7)), mesh.say("!bbbbbbbb", text(7), RECEIVED_AT + SECOND)
    assert [event.kind for event in first.events] == ["text"]
    assert second == Decoded(None, heard=(NODE,))


def test_readings_of_a_packet_are_at_one_time_only() -> None:
    mesh = Mesh()
    packet = {"id": 8, "type": "telemetry", "payload": {"battery_level": 90, "voltage": 4.1}}
    assert len(mesh.say("!aaaaaaaa", packet).readings) == 2
    assert mesh.say("!bbbbbbbb", packet, RECEIVED_AT + SECOND).readings == ()


def test_the_same_gateway_s_message_once_more_is_read_as_it_was() -> None:
    # It may come again because its device was unknown the first time.
    mesh = Mesh()
    assert mesh.say("!aaaaaaaa", text(7)) == mesh.say("!aaaaaaaa", text(7))


@pytest.mark.parametrize("number", [None, 0, True, "7", 7.5])
def test_packets_without_a_number_are_each_its_own(number: object) -> None:
    mesh = Mesh()
    assert mesh.say("!aaaaaaaa", text(number)).events
    assert mesh.say("!bbbbbbbb", text(number)).events
    assert mesh.memory == {}


def test_other_numbers_other_nodes_and_later_ones_are_no_copies() -> None:
    mesh = Mesh()
    mesh.say("!aaaaaaaa", text(7))
    assert mesh.say("!bbbbbbbb", text(8)).events
    assert mesh.say("!bbbbbbbb", text(7) | {"from": 1}).events
    assert mesh.say("!bbbbbbbb", text(7), RECEIVED_AT + timedelta(minutes=11)).events


def test_only_so_many_packets_are_remembered() -> None:
    mesh = Mesh()
    for number in range(1, 600):
        mesh.say("!aaaaaaaa", text(number))
    assert len(mesh.memory) == 500
    assert mesh.say("!bbbbbbbb", text(99)).events
    assert not mesh.say("!bbbbbbbb", text(599)).events


def test_what_is_refused_is_not_remembered() -> None:
    mesh = Mesh()
    with pytest.raises(MessageRejected):
        mesh.say("!aaaaaaaa", {"id": 7, "type": None})
    assert mesh.memory == {}


@pytest.mark.parametrize(
    ("topic", "name"),
    [
        (f"{CHANNEL}/!aaaaaaaa", CHANNEL),
        ("msh/EU_868/2/e/LongFast/!aaaaaaaa", None),
        ("msh/EU_868/2/stat/!aaaaaaaa", None),
        ("msh/2/json/stat/!aaaaaaaa", None),
        ("msh", None),
    ],
)
def test_a_channel_is_remembered_by_its_name(topic: str, name: str | None) -> None:
    assert MeshtasticDecoder().memory_name(topic) == name


def test_a_memory_in_another_form_is_blank() -> None:
    assert MeshtasticDecoder().restore(b"\x00", {}) == {}
