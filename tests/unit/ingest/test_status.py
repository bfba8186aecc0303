"""What `veldwatch ingest status` says."""

from datetime import UTC, datetime, timedelta

import pytest

from ingest.status import document, lines
from veldwatch.storage.ingestors import IngestorState, SourceState, queue_delay

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


def state(**said: object) -> IngestorState:
    usual = IngestorState(
        name="veldwatch-ingest",
        started_at=NOW - timedelta(hours=3),
        seen_at=NOW - timedelta(seconds=2),
        protocol="3.1.1",
        shared=False,
        in_flight=12,
        oldest_unacknowledged_at=NOW - timedelta(seconds=4),
        probed_at=NOW - timedelta(seconds=5),
        queue_delay_seconds=0.25,
        sources=(SourceState("veldwatch", 1000, 2, 16.6, NOW - timedelta(seconds=1), 3600.0 * 30),),
    )
    return usual._replace(**said)


def test_a_person_is_told_all_that_the_object_holds() -> None:
    text = "\n".join(lines([state()], NOW - timedelta(seconds=1), NOW))
    for said in ("0.2 s", "running", "unacknowledged 12", "4.0 s ago", "1000", "16.6", "30 h"):
        assert said in text
    found = document([state()], NOW, NOW)
    assert found["ingestors"][0]["oldest_unacknowledged_seconds"] == 4.0
    assert found["ingestors"][0]["sources"][0]["messages"] == 1000
    assert found["queue_delay_seconds"] == 0.25


def test_who_has_not_told_of_itself_is_called_silent_and_its_figures_count_no_more() -> None:
    old = state(seen_at=NOW - timedelta(minutes=5))
    assert any("SILENT: told of itself 5 min ago" in line for line in lines([old], None, NOW))
    assert document([old], None, NOW)["queue_delay_seconds"] is None


@pytest.mark.parametrize(
    ("probed_seconds_ago", "delay", "told"),
    [(5, 0.25, 0.25), (5, 40.0, 40.0), (100, 0.25, 90.0), (12, 0.25, 2.0)],
)
def test_a_probe_that_does_not_come_back_is_a_delay_too(probed_seconds_ago: int, delay: float, told: float) -> None:
    mine = state(probed_at=NOW - timedelta(seconds=probed_seconds_ago), queue_delay_seconds=delay)
    assert queue_delay([mine], NOW, 10.0) == told


def test_of_a_shared_subscription_the_newest_probe_counts_whoever_got_it() -> None:
    other = state(probed_at=NOW - timedelta(seconds=300), queue_delay_seconds=9.0)
    assert queue_delay([other, state()], NOW, 10.0) == 0.25
    assert queue_delay([state(probed_at=None)], NOW, 10.0) is None
