"""What would come of a message, without a database."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from veldwatch.config import Source
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import Decoded
from veldwatch.wire.preview import Preview, preview_of
from veldwatch.wire.sources import Route, check_source

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
METRICS = [{"name": "x", "value": "@.v", "implausible": [85]}]


def preview(document: object, options: dict[str, Any], organisation: str | None = None) -> Preview:
    source = Source(name="s", topic_filter="#", decoder="mapping", options=options, organisation=organisation)
    route = Route(source=source, decode=check_source(source))
    return preview_of(route, "a/m1", json.dumps(document).encode(), NOW, limit=200, organisation="default")


def test_what_would_be_stored_is_told_with_its_quality_in_words() -> None:
    document = preview({"v": 85}, {"metrics": METRICS}).document()
    assert document["outcome"] == "stored"
    assert document["organisation"] == "default"
    assert document["devices"] == [{"device": "a/m1", "state": "not_checked"}]
    assert document["readings"] == [
        {
            "device": "a/m1",
            "metric": "x",
            "observed_at": NOW,
            "value": 85.0,
            "unit": None,
            "quality": ["time_of_arrival", "implausible"],
        }
    ]


def test_a_part_that_would_be_in_quarantine_is_told_with_its_reason() -> None:
    found = preview({"v": "x", "w": 1}, {"metrics": [*METRICS, {"name": "y", "value": "$.w"}]}, "town")
    assert (found.outcome, found.organisation, found.rejections[0].reason) == (
        "stored_in_part",
        "town",
        Reason.BAD_VALUE,
    )


def test_a_message_that_cannot_be_read_would_be_in_quarantine() -> None:
    found = preview({"w": 1}, {"metrics": METRICS})
    assert (found.outcome, found.rejections[0].reason) == ("quarantined", Reason.NOTHING_TO_STORE)
    assert preview({"v": "x" * 300}, {"metrics": METRICS}).rejections[0].reason is Reason.PAYLOAD_TOO_LARGE


def test_two_values_of_one_metric_at_one_time_are_the_conflict_that_they_would_be() -> None:
    found = preview([{"v": 1}, {"v": 1}, {"v": 2}], {"items": "$", "metrics": METRICS})
    assert [reading.value for reading in found.readings] == [1]
    assert [rejection.reason for rejection in found.rejections] == [Reason.CONFLICTING_DUPLICATE]


def test_a_decoder_that_breaks_is_a_reason_too() -> None:
    def broken(topic: str, payload: bytes, received_at: datetime) -> Decoded:
        raise ZeroDivisionError(topic, payload, received_at + timedelta(0))

    source = Source(name="s", topic_filter="#", decoder="x")
    found = preview_of(Route(source=source, decode=broken), "t", b"", NOW, limit=9, organisation="o")
    assert found.rejections[0].reason is Reason.DECODER_FAILED


@pytest.mark.parametrize("decoder", ["wmbusmeters", "owntracks", "chirpstack", "veldwatch"])
def test_every_decoder_can_be_tried(decoder: str) -> None:
    source = Source(name="s", topic_filter="#", decoder=decoder)
    found = preview_of(Route(source=source, decode=check_source(source)), "t", b"{}", NOW, limit=9, organisation="o")
    assert found.outcome == "quarantined"
