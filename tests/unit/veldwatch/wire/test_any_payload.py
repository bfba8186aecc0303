"""Whatever a message holds, a decoder gives values or a reason, and nothing else."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.veldwatch.wire.golden import all_cases
from veldwatch.errors import MessageRejected
from veldwatch.model.telemetry import LARGEST_VALUE, Quality
from veldwatch.wire.sources import find_decoder
from veldwatch.wire.units import is_known

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
CASES = [(case.decoder, case.topic, case.payload) for case in all_cases()]
DECODERS = {decoder: find_decoder(decoder, {}) for decoder, _, _ in CASES}
Path = tuple[str | int, ...]

hostile: st.SearchStrategy[object] = st.sampled_from(
    [0, -1, 10**400, "0", "1e999", "\0", "NaN", "2026-03-01", "0001-01-01T00:00:00Z", "x" * 300]
)
documents: st.SearchStrategy[object] = st.recursive(
    hostile | st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def topics(decoder: str) -> st.SearchStrategy[str]:
    anything = st.lists(st.text(max_size=6), min_size=1, max_size=7).map("/".join)
    return st.sampled_from([topic for name, topic, _ in CASES if name == decoder]) | anything


def as_json(document: object) -> bytes:
    return json.dumps(document).encode("utf-8", "surrogatepass")


def check(decoder: str, topic: str, payload: bytes) -> None:
    try:
        found = DECODERS[decoder](topic, payload, NOW)
    except MessageRejected:
        return
    for reading in found.readings:
        assert abs(reading.value) <= LARGEST_VALUE
        assert reading.unit is None or is_known(reading.unit)
        assert 1 <= len(reading.metric) <= 256
        assert "\0" not in reading.metric
    for row in (*found.readings, *found.positions, *found.events):
        assert 1 <= len(row.device) <= 256
        assert row.observed_at.tzinfo is UTC
    for row in (*found.readings, *found.positions):
        assert row.quality in range(int(Quality.CLOCK_AHEAD | Quality.TIME_OF_ARRIVAL | Quality.IMPLAUSIBLE) + 1)
    for event in found.events:
        assert isinstance(json.loads(event.attributes), dict)
    assert all(rejection.detail for rejection in found.rejections)


@pytest.mark.parametrize("decoder", DECODERS)
@given(st.data())
def test_bytes_give_values_or_a_reason(decoder: str, data: st.DataObject) -> None:
    check(decoder, data.draw(topics(decoder)), data.draw(st.binary(max_size=60)))


@pytest.mark.parametrize("decoder", DECODERS)
@given(st.data())
def test_documents_give_values_or_a_reason(decoder: str, data: st.DataObject) -> None:
    check(decoder, data.draw(topics(decoder)), as_json(data.draw(documents)))


@pytest.mark.parametrize("decoder", DECODERS)
@given(st.data())
def test_a_message_with_a_part_replaced_gives_values_or_a_reason(decoder: str, data: st.DataObject) -> None:
    topic, payload = data.draw(st.sampled_from([(topic, payload) for name, topic, payload in CASES if name == decoder]))
    try:
        document: object = json.loads(payload)
    except ValueError:
        changed = bytearray(payload or b" ")
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
        check(decoder, topic, bytes(changed))
        return
    path = data.draw(st.sampled_from(list(paths(document))))
    check(decoder, topic, as_json(replaced(document, path, data.draw(documents))))


def paths(node: object, path: Path = ()) -> Iterator[Path]:
    """Yield the way to every part of a document, the whole first."""
    yield path
    for name, value in members(node).items():
        yield from paths(value, (*path, name))


def replaced(node: object, path: Path, other: object) -> object:
    """Give a document with another part in one place."""
    if not path:
        return other
    copy = members(node)
    copy[path[0]] = replaced(copy[path[0]], path[1:], other)
    return list(copy.values()) if isinstance(node, list) else copy


def members(node: object) -> dict[str | int, object]:
    if isinstance(node, list):
        return dict(enumerate(cast("list[object]", node)))
    return dict(cast("dict[str | int, object]", node)) if isinstance(node, dict) else {}
