"""Real packs: each record, resolved by somebody else, is a reading, a part of a fix, or told in an event."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from veldwatch.config import DEFAULT_SOURCES
from veldwatch.model.telemetry import Decoded
from veldwatch.wire.senml.names import split_name
from veldwatch.wire.senml.units import ucum
from veldwatch.wire.sources import Sources

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


def test_every_record_of_the_samples_is_stored(samples: Path) -> None:
    sources = Sources(DEFAULT_SOURCES)
    lines = (samples / "payloads" / "payloads.jsonl").read_text(encoding="utf-8").splitlines()
    packs = [pack for pack in map(json.loads, lines) if pack["format"].startswith("senml")]
    for pack in packs:
        route = sources.route(pack["topic"])
        assert route is not None
        found = route.decode(pack["topic"], pack["payload"].encode(), NOW)
        assert found.rejections == ()
        timed = any("bt" in record or record.get("t", 0) >= 2**28 for record in json.loads(pack["payload"]))
        for record in pack["expected"]["records"]:
            assert is_stored(found, record, timed=timed), record
        numbers = [
            r for r in pack["expected"]["records"] if r.get("u") not in ("lat", "lon") and ("v" in r or "vb" in r)
        ]
        assert len(found.readings) == len(numbers)
    assert packs


def is_stored(found: Decoded, record: dict[str, Any], *, timed: bool) -> bool:
    """Find a record; `timed` False: its time is that of resolving."""
    device, metric = split_name(record["n"])
    if record.get("u") in ("lat", "lon"):
        return any(
            record["v"] == (fix.latitude if record["u"] == "lat" else fix.longitude)
            for fix in found.positions
            if fix.device == device and is_at(fix.observed_at, record, timed=timed)
        )
    if "v" not in record and "vb" not in record:
        return any(
            record.get("vs", record.get("vd")) in json.loads(event.attributes).values() for event in found.events
        )
    return any(
        reading.value == pytest.approx(float(record["v" if "v" in record else "vb"]))
        and reading.unit == ucum(record.get("u"))
        and (reading.device, reading.metric) == (device, metric or record.get("u", "value"))
        and is_at(reading.observed_at, record, timed=timed)
        for reading in found.readings
    )


def is_at(moment: datetime, record: dict[str, Any], *, timed: bool) -> bool:
    return not timed or abs(moment.timestamp() - record["t"]) < 1e-6
