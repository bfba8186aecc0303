"""From a body to messages, within what a body may ask for."""

import json
import tracemalloc
from datetime import UTC, datetime

import pytest

from ingest.http.access import Sender
from ingest.http.addressing import messages_of
from veldwatch.errors import RequestInvalid
from veldwatch.wire.topics import Kind

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
METER = Sender(name="m1", organisation="demo", device="m1")


@pytest.mark.parametrize("item", [b"{}", b"0", b"[]"])
def test_a_body_of_very_many_items_is_refused_before_they_take_room(item: bytes) -> None:
    body = b"[" + (item + b",") * 10**6 + item + b"]"
    tracemalloc.start()
    try:
        with pytest.raises(RequestInvalid):
            messages_of(body, Kind.READINGS, METER, NOW)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10 * 2**20


def test_a_long_body_of_few_items_is_read() -> None:
    items = [{"observed_at": n, "readings": {"x": 1}, "note": "x" * 300} for n in range(10_000)]
    body = json.dumps(items).encode()
    assert len(body) > 3 * 2**20
    assert [json.loads(message.payload) for message in messages_of(body, Kind.READINGS, METER, NOW)] == items
