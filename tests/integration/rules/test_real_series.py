"""Real input: water meters whose continuous runs are known, and a collar's fixes that came days late."""

import csv
import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from tests.integration.rules.feed import Engineer, Feed, Final
from veldwatch.model.conditions.flow import ContinuousFlow
from veldwatch.model.conditions.movement import Geofence, GeofenceEvent, Immobility
from veldwatch.model.notifications import Channel
from veldwatch.model.rule import Rule, Severity
from veldwatch.storage.connection import Connection
from veldwatch.storage.receivers import NewReceiver, add_receiver
from veldwatch.storage.rules import save_rule

LATER = datetime(2026, 11, 22, tzinfo=UTC)
LEAK = Rule(
    id="leak",
    title="Leak",
    severity=Severity.MAJOR,
    condition=ContinuousFlow(metric="reading_litres", duration=timedelta(hours=24)),
)
# A box around the middle of the elephant's range: it goes in and out.
BOX = '{"coordinates":[[[-2.25,15.6],[-2.17,15.6],[-2.17,15.68],[-2.25,15.68],[-2.25,15.6]]],"type":"Polygon"}'
TRACK_RULES = (
    Rule(
        id="exit",
        title="Left",
        severity=Severity.CRITICAL,
        condition=Geofence(event=GeofenceEvent.EXIT, polygon=BOX),
    ),
    Rule(
        id="enter",
        title="Came",
        severity=Severity.INFO,
        condition=Geofence(event=GeofenceEvent.ENTER, polygon=BOX),
        hold_for=timedelta(hours=2),
    ),
    Rule(id="still", title="Still", severity=Severity.MAJOR, condition=Immobility(radius_metres=60)),
)


def meters(samples: Path) -> list[tuple[str, datetime, float]]:
    """Read the registers; of the hour that a clock change repeats the first reading counts, as in storage."""
    first: dict[tuple[str, datetime], float] = {}
    path = samples / "daiad-water-meters" / "4meters.csv"
    with path.open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            at = datetime.fromisoformat(row["local_time"]).replace(tzinfo=UTC)
            first.setdefault((row["meter_id"], at), float(row["reading_litres"]))
    return [(meter, at, value) for (meter, at), value in first.items()]


def expected_runs(samples: Path) -> Final:
    listed = json.loads((samples / "daiad-water-meters" / "4meters_continuous_flow.json").read_text(encoding="utf-8"))
    return {
        (
            run["meter_id"],
            "resolved",
            datetime.fromisoformat(run["start"]).replace(tzinfo=UTC),
            None,
            datetime.fromisoformat(run["end"]).replace(tzinfo=UTC),
        )
        for run in listed
    }


def without_firing(final: Final) -> Final:
    return {(device, state, opened, None, resolved) for device, state, opened, _, resolved in final}


@pytest.mark.parametrize("order", ["as written", "shuffled"])
def test_a_day_of_continuous_flow_is_found_exactly(
    samples: Path, feed: Feed, engineer: Engineer, connection: Connection, order: str
) -> None:
    kept = meters(samples)
    for meter in sorted({meter for meter, _, _ in kept}):
        feed.device(meter, ["reading_litres"])
    with connection.transaction():
        save_rule(connection, LEAK, "tests")
    if order == "shuffled":
        random.Random(7).shuffle(kept)  # noqa: S311  # a shuffle that is the same each time
    for start in range(0, len(kept), 400):
        feed.readings("reading_litres", kept[start : start + 400])
        engineer.settle(LATER)
    assert without_firing(engineer.final()) == expected_runs(samples)


def arrivals(samples: Path) -> Iterator[tuple[datetime, list[tuple[str, datetime, float, float]]]]:
    """Read the fixes in the groups in which they arrived."""
    path = samples / "wildlife-tracks" / "elephant_arrivals_first1500.csv"
    with path.open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    for arrived, group in groupby(rows, key=lambda row: row["arrival-timestamp"]):
        fixes = [
            (
                row["tag-local-identifier"],
                datetime.fromisoformat(row["timestamp"]).replace(tzinfo=UTC),
                float(row["location-long"]),
                float(row["location-lat"]),
            )
            for row in group
        ]
        yield datetime.fromisoformat(arrived).replace(tzinfo=UTC), fixes


def follow(
    feed: Feed, engineer: Engineer, batches: list[tuple[datetime, list[tuple[str, datetime, float, float]]]]
) -> Final:
    for arrived, fixes in batches:
        feed.fixes(fixes, received_at=arrived)
        engineer.settle(arrived)
    engineer.settle(LATER)
    return engineer.final()


def told_as_news_though_old(engineer: Engineer) -> list[tuple[Any, ...]]:
    """Find alerts recorded more than six hours after they fired that are not marked late, or are told as firing now.

    That one is over is news of its own, and judged by its own time.
    """
    return engineer.connection.execute(
        b"SELECT a.id, a.fired_at, a.recorded_at FROM alert a"
        b" LEFT JOIN outbox o ON o.alert_id = a.id AND o.message ->> 'kind' = 'firing'"
        b" WHERE a.recorded_at - a.fired_at > interval '6 hours'"
        b" AND (NOT a.late OR NOT coalesce((o.message ->> 'late')::boolean, true))"
    ).fetchall()


def test_fixes_in_order_of_arrival_leave_the_alerts_of_the_order_of_time(
    samples: Path, feed: Feed, engineer: Engineer, connection: Connection
) -> None:
    with connection.transaction():
        for rule in TRACK_RULES:
            save_rule(connection, rule, "tests")
        add_receiver(connection, NewReceiver(slug="desk", channel=Channel.EMAIL, address="desk@reserve.example"))
    feed.device("T5HS-2017")
    by_arrival = list(arrivals(samples))
    late = follow(feed, engineer, by_arrival)
    assert told_as_news_though_old(engineer) == []
    (told_late,) = engineer.connection.execute(
        b"SELECT count(*) FROM outbox WHERE (message ->> 'late')::boolean"
    ).fetchall()
    assert told_late[0] > 20
    ordered = sorted((fix for _, fixes in by_arrival for fix in fixes), key=lambda fix: fix[1])
    engineer.connection.execute(
        b"TRUNCATE alert, alert_transition, outbox, alert_comment, attempt, fold, fold_checkpoint, position_raw, batch,"
        b" log_cursor, incident, incident_part, incident_entry, incident_link, incident_merge, incident_apart"
    )
    engineer.restart()
    groups = [ordered[start : start + 25] for start in range(0, len(ordered), 25)]
    in_order = follow(feed, engineer, [(group[-1][1] + timedelta(minutes=1), group) for group in groups])
    assert late == in_order
    assert len({device for device, *_ in late}) == 1
    assert len(late) > 20
