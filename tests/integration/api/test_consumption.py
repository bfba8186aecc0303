"""What registers counted, by device and by subject, in the hours and days of a time zone."""

import csv
import io
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.integration.api import world
from tests.integration.api.conftest import As
from tests.integration.api.world import World
from veldwatch.model.identifiers import SeriesId
from veldwatch.model.register import Device, Subject
from veldwatch.storage import consumption as stored
from veldwatch.storage import maintenance, register
from veldwatch.storage.connection import Connection

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def consumption(client: TestClient, **query: str | float) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = client.get("/v1/consumption", params={**query, **cursor})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        items += page["items"]
        if page["next"] is None:
            return items
        cursor = {"cursor": page["next"]}


def amounts(items: list[dict[str, Any]]) -> list[float]:
    return [item["amount"] for item in items]


def deploy_meters(connection: Connection, made: World, at: datetime) -> SeriesId:
    """Put the world's meter on a service point, and another one in its place from a time on."""
    plot = register.ensure_subject(
        connection, Subject(organisation_id=made.water, slug="plot-12", name="Plot 12", kind="service_point")
    )
    other = register.ensure_device(
        connection, Device(organisation_id=made.water, external_id="m-2", source="veldwatch")
    )
    series = register.ensure_series(connection, [(other, "volume", "m3")])[other, "volume"].series_id
    register.deploy(connection, made.meter, plot, START - timedelta(days=30))
    connection.execute(
        "UPDATE deployment SET during = tstzrange(lower(during), %s) WHERE device_id = %s", (at, made.meter)
    )
    register.deploy(connection, other, plot, at)
    connection.commit()
    return series


def test_an_hour_is_told_with_all_that_belongs_to_it(operator: TestClient, connection: Connection, made: World) -> None:
    world.add_readings(connection, made.volume, [(START, 1204.5), (START + HOUR, 1204.9)])
    assert operator.get("/v1/consumption", params={"device": "m-1", "metric": "volume"}).json() == {
        "items": [
            {
                "bucket": "2026-03-01T00:00:00Z",
                "until": "2026-03-01T01:00:00Z",
                "device": "m-1",
                "device_id": made.meter,
                "series_id": made.volume,
                "subject": None,
                "metric": "volume",
                "unit": "m3",
                "amount": 0.4,
                "excess": 0.0,
                "codes": ["gap"],
                "readings": 1,
            }
        ],
        "next": None,
    }


@pytest.mark.parametrize("maintained", [False, True])
def test_pages_and_time_ranges_tell_the_same_amounts(
    operator: TestClient, connection: Connection, made: World, maintained: bool
) -> None:
    rows = [(START + n * timedelta(minutes=30), round(n * 0.3, 1)) for n in range(200)]
    rows[80] = (rows[80][0], 0.0)
    world.add_readings(connection, made.volume, rows)
    if maintained:
        connection.execute("UPDATE series SET kind = 'counter' WHERE id = %s", (made.volume,))
        connection.commit()
        maintenance.run_once(connection, START)
    everything = consumption(operator, device="m-1", metric="volume")
    assert sum(amounts(everything)) == pytest.approx(199 * 0.3)
    assert consumption(operator, device="m-1", metric="volume", limit=7) == everything
    part = consumption(
        operator, series_id=made.volume, **{"from": "2026-03-03T00:00:00Z", "to": "2026-03-03T07:00:00Z"}
    )
    assert part == everything[48:55]
    half = consumption(
        operator, series_id=made.volume, **{"from": "2026-03-03T00:15:00Z", "to": "2026-03-03T01:15:00Z"}
    )
    assert amounts(half) == [pytest.approx(0.45), pytest.approx(0.15)]
    assert [item["codes"] for item in half] == [["gap", "estimated"], ["gap", "estimated"]]


def test_a_page_costs_what_it_holds_and_not_what_lies_behind_it(
    operator: TestClient, connection: Connection, made: World
) -> None:
    deploy_meters(connection, made, START)
    connection.execute(
        "UPDATE deployment SET during = tstzrange(NULL, upper(during)) WHERE device_id = %s", (made.meter,)
    )
    connection.commit()
    first = datetime(1901, 1, 1, tzinfo=UTC)
    world.add_readings(connection, made.volume, [(first, 0.0), (START, 1000.0)])
    query = {"series_id": made.volume, "limit": 2}
    began = time.monotonic()
    page = operator.get("/v1/consumption", params=query).json()
    assert [item["bucket"] for item in page["items"]] == ["1901-01-01T00:00:00Z", "1901-01-01T01:00:00Z"]
    page = operator.get("/v1/consumption", params={**query, "cursor": page["next"]}).json()
    assert [item["bucket"] for item in page["items"]] == ["1901-01-01T02:00:00Z", "1901-01-01T03:00:00Z"]
    assert time.monotonic() - began < 1.5
    refused = operator.get("/v1/consumption", params={"subject": "plot-12", "metric": "volume"})
    assert refused.status_code == 422
    assert "buckets are needed" in refused.json()["detail"]
    months = {"subject": "plot-12", "metric": "volume", "interval": "month"}
    assert sum(amounts(consumption(operator, **months))) == pytest.approx(1000)


def test_pages_of_several_registers_hold_the_first_of_all(
    operator: TestClient, connection: Connection, made: World
) -> None:
    other = deploy_meters(connection, made, START)
    world.add_readings(connection, made.volume, [(START + n * HOUR, n) for n in range(30)])
    world.add_readings(connection, other, [(START + n * HOUR, n) for n in range(9, 40)])
    whole = consumption(operator, metric="volume")
    assert [(item["bucket"], item["series_id"]) for item in whole] == sorted(
        (item["bucket"], item["series_id"]) for item in whole
    )
    assert len(whole) == 29 + 30
    for limit in (1, 2, 7):
        assert consumption(operator, metric="volume", limit=limit) == whole


def test_a_day_of_a_clock_change_has_23_hours_and_the_repeated_hour_is_two(
    operator: TestClient, connection: Connection, made: World
) -> None:
    spring = datetime(2026, 3, 28, 23, tzinfo=UTC)  # midnight in Madrid
    autumn = datetime(2026, 10, 24, 22, tzinfo=UTC)
    for since in (spring, autumn):
        rows = [(since + n * HOUR, float(since.month * 1000 + n)) for n in range(49)]
        world.add_readings(connection, made.volume, rows)
    asked = {"series_id": made.volume, "time_zone": "Europe/Madrid"}
    range_ = {"from": spring.isoformat(), "to": (spring + 47 * HOUR).isoformat()}
    assert amounts(consumption(operator, interval="day", **asked, **range_)) == [23.0, 24.0]
    range_ = {"from": autumn.isoformat(), "to": (autumn + 49 * HOUR).isoformat()}
    assert amounts(consumption(operator, interval="day", **asked, **range_))[0] == 25.0
    hours = consumption(operator, interval="hour", **asked, **range_)
    assert amounts(hours)[:25] == [1.0] * 25
    months = consumption(operator, interval="month", **asked, **range_)
    assert [item["bucket"] for item in months] == ["2026-10-24T22:00:00Z"]


def test_the_register_s_width_can_be_told_with_the_request(
    operator: TestClient, connection: Connection, made: World
) -> None:
    world.add_readings(connection, made.volume, [(START + n * HOUR, v) for n, v in enumerate([98.0, 99.0, 1.0])])
    plain = consumption(operator, series_id=made.volume)
    assert amounts(plain) == [1.0, 1.0]
    assert plain[1]["codes"] == ["reset", "gap"]
    told = consumption(operator, series_id=made.volume, register_modulus=100)
    assert amounts(told) == [1.0, 2.0]
    assert told[1]["codes"] == ["rollover", "gap"]


def test_from_reading_to_reading(operator: TestClient, connection: Connection, made: World) -> None:
    rows = [(START + timedelta(minutes=n * 7), v) for n, v in enumerate([10.0, 9.99, 10.01])]
    world.add_readings(connection, made.volume, rows)
    steps = consumption(operator, series_id=made.volume, interval="reading")
    assert [(step["bucket"], step["amount"], step["codes"]) for step in steps] == [
        ("2026-03-01T00:00:00Z", 0.0, ["fall"]),
        ("2026-03-01T00:07:00Z", 0.01, []),
    ]


def test_a_subject_keeps_its_consumption_when_its_meter_is_exchanged_at_noon(
    operator: TestClient, connection: Connection, made: World
) -> None:
    noon = START + 12 * HOUR
    second = deploy_meters(connection, made, noon)
    world.add_readings(connection, made.volume, [(START + n * HOUR, 5000.0 + n) for n in range(13)])
    world.add_readings(connection, second, [(noon + n * HOUR, 3.0 + 2 * n) for n in range(13)])
    # The meter that was taken away goes on reporting from the shelf.
    world.add_readings(connection, made.volume, [(noon + 3 * HOUR, 5012.0)])
    asked = {"subject": "plot-12", "metric": "volume"}
    hours = consumption(operator, **asked)
    assert amounts(hours) == [1.0] * 12 + [2.0] * 12
    assert ["exchange" in item["codes"] for item in hours] == [n == 12 for n in range(24)]
    days = consumption(operator, interval="day", **asked)
    assert [(item["amount"], item["codes"], item["subject"], item["device"]) for item in days] == [
        (36.0, ["exchange", "gap"], "plot-12", None)
    ]


def test_an_exchange_within_an_interval_is_shared_out_and_the_hole_is_marked(
    operator: TestClient, connection: Connection, made: World
) -> None:
    noon = START + 12 * HOUR
    second = deploy_meters(connection, made, noon)
    late = timedelta(minutes=30)
    world.add_readings(connection, made.volume, [(START + late + n * HOUR, 5000.0 + n) for n in range(13)])
    world.add_readings(connection, second, [(noon + late + n * HOUR, 0.5 + n) for n in range(4)])
    hours = consumption(operator, subject="plot-12", metric="volume")
    assert sum(amounts(hours)) == pytest.approx(11.5 + 3)
    assert "exchange" in hours[12]["codes"]
    assert "gap" in hours[12]["codes"]


def test_csv_has_a_header_and_the_codes_in_one_column(
    operator: TestClient, connection: Connection, made: World
) -> None:
    world.add_readings(connection, made.volume, [(START + n * HOUR, v) for n, v in enumerate([98.0, 99.0, 1.0])])
    answer = operator.get("/v1/consumption", params={"series_id": made.volume, "format": "csv", "limit": 1})
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["bucket"], row["amount"], row["codes"]) for row in rows] == [("2026-03-01T00:00:00Z", "1.0", "gap")]
    assert answer.headers["Veldwatch-Next"]


def test_others_consumption_is_not_there(bearing: As, connection: Connection, made: World) -> None:
    deploy_meters(connection, made, START)
    world.add_readings(connection, made.volume, [(START, 1.0), (START + HOUR, 2.0)])
    client = bearing("wildlife viewer")
    assert consumption(client, metric="volume") == []
    assert client.get("/v1/consumption", params={"subject": "plot-12", "metric": "volume"}).status_code == 404


@pytest.mark.parametrize(
    "query",
    [
        {"time_zone": "Mars/Olympus"},
        {"time_zone": "../../etc/passwd"},
        {"interval": "year"},
        {"subject": "plot-12"},
        {"register_modulus": "-1"},
        {"cursor": "nonsense"},
    ],
)
def test_what_makes_no_sense_is_refused(operator: TestClient, query: dict[str, str]) -> None:
    assert operator.get("/v1/consumption", params=query).status_code == 422


def test_twenty_years_of_hours_are_answered_page_by_page_and_no_more_rows_than_fit(
    operator: TestClient, connection: Connection, made: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.add_readings(connection, made.volume, [(START - timedelta(days=20 * 365), 1.0), (START, 2.0)])
    asked = {"device": "m-1", "metric": "volume"}
    page = operator.get("/v1/consumption", params={**asked, "limit": 10}).json()
    assert (len(page["items"]), page["next"] is None) == (10, False)
    monkeypatch.setattr(stored, "MOST_ROWS", 5)
    answer = operator.get("/v1/consumption", params={**asked, "limit": 10})
    assert (answer.status_code, "longer interval" in answer.text) == (422, True)
    monkeypatch.undo()
    assert len(consumption(operator, **asked, interval="month")) == 240
