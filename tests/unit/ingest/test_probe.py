"""Probes among the packets."""

from ingest.probe import payload, told_apart, topic
from ingest.receive import Packet


def packet(topic: bytes, content: bytes) -> Packet:
    return Packet(topic, content, 1, duplicate=False, retained=False)


def test_a_probe_is_told_from_what_devices_say() -> None:
    reading = packet(b"veldwatch/v1/demo/m1/readings", b"{}")
    probe = packet(b"veldwatch/probe/veldwatch-ingest", payload(1_795_000_000.25))
    assert told_apart([reading, probe]) == ([reading], [1_795_000_000.25])
    assert told_apart([reading]) == ([reading], [])


def test_a_probe_does_not_tell_the_client_id() -> None:
    assert "secret" not in topic("secret")
    assert topic("secret") == topic("secret") != topic("other")


def test_what_somebody_else_writes_there_is_no_figure() -> None:
    for content in (b"", b"now", b"nan", b"-1", b"1e300", b"\xff"):
        assert told_apart([packet(b"veldwatch/probe/x", content)]) == ([], [])
