"""Real payloads: what is decoded equals what is expected of each, and hostile ones meet a decision."""

import base64
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from veldwatch.config import DEFAULT_SOURCES
from veldwatch.errors import MessageRejected
from veldwatch.model.telemetry import Decoded
from veldwatch.wire.sources import Route, Sources, find_decoder
from veldwatch.wire.veldwatch_json import decode

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
GAS = "0-1:24.2.1"
OTHERS = ("senml",)
"""Formats whose samples are a test of their own."""
# "metric": NAME, "value": VALUE, with "unit": CODE after it or not, whatever bytes the value is made of.
_METRIC = re.compile(rb'"metric": ?("[^"]*"), ?"value": ?("[^"]*"|[^,}]*)(?:(, ?"unit": ?"[^"]*"))?')
_WORDS = (
    (b'"device_id"', b'"device"'),
    (b'"ts"', b'"observed_at"'),
    (b'"lat"', b'"latitude"'),
    (b'"lon"', b'"longitude"'),
)


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_every_sample_of_our_formats_is_decoded_as_expected(samples: Path) -> None:
    sources = Sources(DEFAULT_SOURCES)
    memories: dict[str | None, Any] = {}
    decoded = 0
    for sample in lines(samples / "payloads" / "payloads.jsonl"):
        route = sources.route(sample["topic"])
        if sample["format"].startswith(OTHERS):
            continue
        assert route is not None, sample["topic"]
        expected = sample["expected"]
        found = decoded_in_order(route, sample, memories)
        stored = {reading.metric: reading for reading in found.readings}
        values = {name: _stored(value) for name, value in expected.get("values", {}).items() if value is not None}
        said = {name: reading.value for name, reading in stored.items()} | told(found)
        assert {name: said[name] for name in values} == pytest.approx(values)
        assert not (expected.get("values", {}).keys() - values.keys()) & stored.keys()
        assert {name: stored[name].unit for name in expected.get("units", {})} == expected.get("units", {})
        rows = (*found.readings, *found.positions)
        assert {row.observed_at for row in rows if row is not stored.get(GAS)} <= {_time(expected)}
        assert {row.device for row in (*rows, *found.events)} <= {expected["device"]}
        assert expected["device"] in found.heard or not found.heard
        if "lat" in expected:
            assert [(p.latitude, p.longitude) for p in found.positions] == [(expected["lat"], expected["lon"])]
        assert {event.kind for event in found.events} >= set(expected.get("alarms", ()))
        assert not found.rejections
        decoded += 1
    assert decoded


def decoded_in_order(route: Route, sample: dict[str, Any], memories: dict[str | None, Any]) -> Decoded:
    """Decode a sample by what those before it said."""
    payload = base64.b64decode(sample["payload"]) if sample["encoding"] == "base64" else sample["payload"].encode()
    if route.stateful is None:
        return route.decode(sample["topic"], payload, NOW)
    name = route.stateful.memory_name(sample["topic"])
    before = memories.get(name, route.stateful.blank())
    memories[name], found = route.stateful.decode(before, sample["topic"], payload, NOW)
    return found


def told(found: Decoded) -> dict[str, Any]:
    """Give values that are text: attributes of events."""
    return {name: value for event in found.events for name, value in json.loads(event.attributes).items()}


def test_every_hostile_case_meets_the_decision_that_it_must(samples: Path) -> None:
    cases = [case for case in lines(samples / "adversarial" / "cases.jsonl") if case["layer"] != "json"]
    for case in cases:
        kind = "positions" if case["layer"] == "position" else "readings"
        payload = _as_ours(base64.b64decode(case["bytes_base64"]))
        try:
            found = decode(f"veldwatch/v1/demo/d1/{kind}", payload, NOW)
            verdict = "accept" if found.readings or found.positions else "reject"
        except MessageRejected:
            verdict = "reject"
        assert case["must"] in (verdict, "either"), case["name"]
    assert cases


def test_documents_that_are_json_and_nothing_of_ours_are_refused(samples: Path) -> None:
    for case in lines(samples / "adversarial" / "cases.jsonl"):
        if case["layer"] == "json":
            with pytest.raises(MessageRejected):
                decode("veldwatch/v1/demo/d1/readings", base64.b64decode(case["bytes_base64"]), NOW)


def test_the_gas_meter_of_a_telegram_has_a_time_of_its_own(samples: Path) -> None:
    telegrams = [s for s in lines(samples / "payloads" / "payloads.jsonl") if s["format"] == "dsmr-p1"]
    for telegram in telegrams:
        found = find_decoder("dsmr", {})(telegram["topic"], telegram["payload"].encode(), NOW)
        times = {reading.metric: reading.observed_at for reading in found.readings}
        assert GAS not in times or times[GAS] != times["1-0:1.8.1"]
    assert telegrams


def test_a_local_time_counts_where_the_source_says_its_zone(samples: Path) -> None:
    local = [s for s in lines(samples / "payloads" / "payloads.jsonl") if "local_time" in s["expected"]]
    for sample in local:
        decode_in = find_decoder(sample["format"], {"time_zone": "Africa/Lusaka"})
        said = datetime.fromisoformat(sample["expected"]["local_time"]) - timedelta(hours=2)
        found = decode_in(sample["topic"], sample["payload"].encode(), NOW)
        assert {r.observed_at for r in found.readings} == {said.replace(tzinfo=UTC)}
    assert local


def _stored(value: object) -> object:
    """A flag is stored as 0 or 1."""
    return float(value) if isinstance(value, bool) else value


def _time(expected: dict[str, Any]) -> datetime:
    """Without a time of its own, a message is of the time of arrival."""
    return NOW if expected["time"] is None else datetime.fromisoformat(expected["time"])


def _as_ours(payload: bytes) -> bytes:
    """Put the cases' neutral words into ours, as text, so that bytes that are no JSON stay as they are."""
    for theirs, ours in _WORDS:
        payload = payload.replace(theirs, ours)
    return _METRIC.sub(rb'"readings":{\1:{"value":\2\3}}', payload)
