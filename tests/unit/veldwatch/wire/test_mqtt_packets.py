"""Packets in a buffer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veldwatch.wire.mqtt_packets import bounds


def length_of(number: int) -> bytes:
    """Write a length as MQTT does, by the pseudo-code of MQTT 5.0, section 1.5.5."""
    written = bytearray()
    while True:
        number, byte = divmod(number, 128)
        written.append(byte | (128 if number else 0))
        if not number:
            return bytes(written)


@given(st.binary(max_size=20), st.binary(max_size=300), st.binary(max_size=20))
def test_a_whole_packet_is_found_wherever_it_lies(before: bytes, content: bytes, after: bytes) -> None:
    packet = b"\x30" + length_of(len(content)) + content
    found = bounds(before + packet + after, len(before))
    assert found is not None
    begin, end = found
    assert (before + packet + after)[begin:end] == content


@given(st.binary(min_size=1, max_size=300), st.data())
def test_a_packet_that_has_not_come_whole_is_none_yet(content: bytes, drawn: st.DataObject) -> None:
    packet = b"\x30" + length_of(len(content)) + content
    assert bounds(packet[: drawn.draw(st.integers(0, len(packet) - 1))], 0) is None


@pytest.mark.parametrize("length", [0, 127, 128, 16_383, 16_384, 2_097_151])
def test_lengths_at_which_a_byte_is_added(length: int) -> None:
    packet = b"\x40" + length_of(length) + bytes(length)
    assert bounds(packet, 0) == (len(packet) - length, len(packet))
