"""Real payloads: what is decoded equals what is expected of each, and hostile ones meet a decision."""

import base64
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from veldwatch.config import DEFAULT_SOURCES
from veldwatch.errors import MessageRejected
from veldwatch.model.telemetry import Decoded
from veldwatch.wire.sources import Route, Sources
from veldwatch.wire.veldwatch_json import decode

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
OURS = ("wmbusmeters", "chirpstack-v4", "owntracks", "sparkplug-b")
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
        assert (route is not None) == sample["format"].startswith(OURS)
        if route is None:
            continue
        expected = sample["expected"]
        found = decoded_in_order(route, sample, memories)
        stored = {reading.metric: reading for reading in found.readings}
        values = {name: reading.value for name, reading in stored.items()} | told(found)
        assert {name: values[name] for name in expected.get("values", {})} == expected.get("values", {})
        assert {name: stored[name].unit for name in expected.get("units", {})} == expected.get("units", {})
        times = {row.observed_at for row in (*found.readings, *found.positions)}
        assert times <= {datetime.fromisoformat(expected["time"])}
        assert {row.device for row in (*found.readings, *found.positions)} <= {expected["device"]}
        if expected["class"] == "position":
            assert [(p.latitude, p.longitude) for p in found.positions] == [(expected["lat"], expected["lon"])]
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


def _as_ours(payload: bytes) -> bytes:
    """Put the cases' neutral words into ours, as text, so that bytes that are no JSON stay as they are."""
    for theirs, ours in _WORDS:
        payload = payload.replace(theirs, ours)
    return _METRIC.sub(rb'"readings":{\1:{"value":\2\3}}', payload)
