"""A page of consumption: the first buckets of what all of the time holds, and no more of it judged than they take."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from tests.integration.veldwatch.storage.telemetry import microseconds
from veldwatch.errors import RequestInvalid
from veldwatch.model.local_buckets import Interval
from veldwatch.model.register import Device
from veldwatch.storage import consumption, log, register
from veldwatch.storage.connection import Connection
from veldwatch.storage.consumption import Asked, list_consumption
from veldwatch.storage.intake import IntakeWriter
from veldwatch.storage.readings import ReadingFilter

BEGIN = datetime(2026, 3, 25, tzinfo=UTC)
VOLUMES = ReadingFilter(metric="volume")


@pytest.fixture
def meters(connection: Connection) -> list[int]:
    organisation = register.ensure_organisation(connection, "demo")
    series: list[int] = []
    for name in ("m1", "m2", "m3"):
        device = register.ensure_device(connection, Device(organisation_id=organisation, external_id=name, source="s"))
        series += [known.series_id for known in register.ensure_series(connection, [(device, "volume", "m3")]).values()]
    connection.commit()
    return series


@pytest.fixture
def writer(dsn: str) -> Iterator[IntakeWriter]:
    opened = IntakeWriter(dsn)
    yield opened
    opened.close()


def store(writer: IntakeWriter, series: int, values: list[tuple[datetime, float]]) -> None:
    rows = np.array([(series, microseconds(at), microseconds(at), value, 0) for at, value in values], log.READINGS)
    writer.make_room("reading_raw", rows["observed_at"])
    with writer.connection.transaction():
        writer.store_readings(rows)


def history(chance: random.Random, minutes: int) -> list[tuple[datetime, float]]:
    """Make a register that is read now and then, stands still, begins anew, errs, and is silent for days."""
    at, level, values = BEGIN + timedelta(minutes=chance.randrange(3000)), 0.0, list[tuple[datetime, float]]()
    for _ in range(600):
        at += timedelta(minutes=chance.choice((minutes, minutes, minutes + 7)))
        if chance.random() < 0.01:
            at += timedelta(days=chance.randrange(1, 9))
        level = 0.0 if chance.random() < 0.005 else level + chance.choice((0.0, 0.01, 0.25))
        values.append((at, round(level + (5000.0 if chance.random() < 0.005 else 0.0), 2)))
    return values


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize(
    ("interval", "zone"),
    [
        (None, "UTC"),
        (Interval.HOUR, "UTC"),
        (Interval.HOUR, "Australia/Lord_Howe"),
        (Interval.DAY, "Europe/Berlin"),
        (Interval.MONTH, "Africa/Lusaka"),
    ],
)
def test_a_page_is_the_beginning_of_what_all_of_the_time_holds(
    connection: Connection, writer: IntakeWriter, meters: list[int], interval: Interval | None, zone: str, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311  # no secret
    for series, minutes in zip(meters, (15, 60, 300), strict=True):
        store(writer, series, history(chance, minutes))
    for since in (None, BEGIN + timedelta(hours=30, minutes=7)):
        whole = Asked(since=since, until=None, interval=interval, zone=ZoneInfo(zone))
        rows = list_consumption(connection, None, VOLUMES, whole)
        for most in (1, 2, 7, 40, 300, 5000, 20_000):
            asked = Asked(since=since, until=None, interval=interval, zone=ZoneInfo(zone), most=most)
            page = list_consumption(connection, None, VOLUMES, asked)
            assert page[:most] == rows[:most], (since, most)
            assert page == rows[: len(page)]


def test_a_page_needs_no_more_readings_than_its_buckets_have(
    connection: Connection, writer: IntakeWriter, meters: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumption, "MOST_READINGS", 1500)
    store(writer, meters[0], [(BEGIN + timedelta(minutes=15 * n), n / 4) for n in range(3000)])
    asked = Asked(since=None, until=None, interval=Interval.HOUR, zone=ZoneInfo("UTC"), most=100)
    page = list_consumption(connection, None, VOLUMES, asked)
    assert [row["bucket"] for row in page] == [BEGIN + timedelta(hours=n) for n in range(100)]
    with pytest.raises(RequestInvalid, match="more than 1500 readings"):
        list_consumption(connection, None, VOLUMES, replace(asked, most=None))
