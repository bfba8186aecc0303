"""Pictures of readings over HTTP: several series at once, as finely as there is room, with what was chosen."""

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.integration.api import world
from tests.integration.api.conftest import As
from tests.integration.api.world import World
from veldwatch.storage import maintenance
from veldwatch.storage.connection import Connection

START = datetime(2026, 3, 1, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def draw(client: TestClient, since: datetime, until: datetime, **query: Any) -> dict[str, Any]:  # noqa: ANN401  # parameters
    asked = {"from": since.isoformat(), "to": until.isoformat(), **query}
    answer = client.get("/v1/readings/window", params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture
def counting(connection: Connection, made: World) -> World:
    """Make a register that counts 0.1 m3 every quarter of an hour and a pressure of every ten minutes, for a year."""
    connection.execute("UPDATE series SET kind = 'counter' WHERE id = %s", (made.volume,))
    world.add_readings(connection, made.volume, [(START + n * 15 * MINUTE, 100 + n / 10) for n in range(4 * 24 * 40)])
    world.add_readings(
        connection, made.pressure, [(START + n * 10 * MINUTE, 3 + n % 144 / 100) for n in range(144 * 40)]
    )
    maintenance.run_once(connection, START)
    return made


def test_a_picture_says_how_it_was_made_and_holds_every_figure(operator: TestClient, counting: World) -> None:
    drawn = draw(operator, START, START + 2 * HOUR, series_id=f"{counting.volume},{counting.pressure}", points=12)
    assert {name: drawn[name] for name in ("since", "until", "source", "step_seconds", "time_zone", "shape")} == {
        "since": "2026-03-01T00:00:00Z",
        "until": "2026-03-01T02:00:00Z",
        "source": "raw",
        "step_seconds": 600.0,
        "time_zone": "UTC",
        "shape": "band",
    }
    volume, pressure = drawn["series"]
    assert (volume["device"], volume["metric"], volume["unit"], volume["kind"]) == ("m-1", "volume", "m3", "counter")
    assert volume["at"][:2] == ["2026-03-01T00:00:00Z", "2026-03-01T00:15:00Z"]
    assert volume["last"][:2] == [100.0, 100.1]
    assert volume["consumption"]["amount"] == [pytest.approx(0.1)] * 8
    assert volume["consumption"]["step_seconds"] is None
    assert pressure["average"][:3] == [3.0, 3.01, 3.02]
    assert (pressure["readings"], pressure["sources"], pressure["implausible"]) == ([1] * 12, ["raw"], 0)
    assert (pressure["last"], pressure["consumption"]) == (None, None)


@pytest.mark.usefixtures("counting")
def test_a_longer_range_is_drawn_from_hours_and_days_with_the_same_extremes(operator: TestClient) -> None:
    for points, source, step in ((1000, "hour", HOUR), (80, "hour", 12 * HOUR), (20, "day", 2 * DAY)):
        drawn = draw(operator, START, START + 40 * DAY, device="p-1", points=points)
        assert (drawn["source"], drawn["step_seconds"]) == (source, step.total_seconds())
        pressure = drawn["series"][0]
        assert sum(pressure["readings"]) == 144 * 40
        assert (min(pressure["minimum"]), max(pressure["maximum"])) == (3.0, 4.43)
        assert (pressure["sources"], pressure["implausible"]) == ([source], None)


def test_what_registers_counted_adds_up_also_where_maintenance_has_not_been(
    operator: TestClient, connection: Connection, counting: World
) -> None:
    end = START + 40 * DAY
    world.add_readings(connection, counting.volume, [(end + n * 15 * MINUTE, 484 + n / 10) for n in range(5 * 4)])
    drawn = draw(operator, START, end + 5 * HOUR, device="m-1", points=60)
    amounts = drawn["series"][0]["consumption"]
    assert sum(amounts["amount"]) == pytest.approx(384 + 1.9)
    assert amounts["until"][-1] == "2026-04-11T00:00:00Z"
    assert amounts["step_seconds"] == 86_400.0
    assert drawn["series"][0]["last"][-1] == pytest.approx(485.9)


def test_days_are_those_of_the_zone(operator: TestClient, counting: World) -> None:
    drawn = draw(operator, START, START + 39 * DAY, points=39, device_id=counting.meter, time_zone="Africa/Lusaka")
    assert (drawn["source"], drawn["time_zone"]) == ("hour", "Africa/Lusaka")
    volume = drawn["series"][0]
    assert volume["at"][1] == "2026-03-01T22:00:00Z"
    assert volume["consumption"]["begin"][1] == "2026-03-01T22:00:00Z"
    assert volume["consumption"]["amount"][1] == pytest.approx(9.6)


def test_single_readings_keep_the_shape_and_dropped_ones_are_hours(
    operator: TestClient, connection: Connection, counting: World
) -> None:
    asked = {"series_id": counting.pressure, "shape": "lttb", "points": 100}
    drawn = draw(operator, START, START + 40 * DAY, **asked)
    pressure = drawn["series"][0]
    assert (drawn["shape"], drawn["source"], len(pressure["at"])) == ("lttb", "raw", 100)
    assert pressure["minimum"] == pressure["average"] == pressure["maximum"]
    connection.execute("DELETE FROM reading_raw WHERE observed_at < %s", (START + DAY,))
    connection.commit()
    pressure = draw(operator, START, START + 2 * DAY, **asked)["series"][0]
    assert (pressure["sources"], pressure["at"][0], pressure["readings"][0]) == (
        ["hour", "raw"],
        "2026-03-01T00:00:00Z",
        6,
    )


def test_a_late_reading_hides_no_hour_of_what_was_dropped(
    operator: TestClient, connection: Connection, counting: World
) -> None:
    connection.execute("DELETE FROM reading_raw WHERE observed_at < %s", (START + DAY,))
    connection.commit()
    world.add_readings(connection, counting.pressure, [(START + 5 * MINUTE, 3.0), (START + 5 * HOUR + MINUTE, 9.0)])
    for shape in ("band", "lttb"):
        asked = {"series_id": counting.pressure, "shape": shape, "points": 288}
        pressure = draw(operator, START, START + DAY, **asked)["series"][0]
        drawn = [at for at, readings in zip(pressure["at"], pressure["readings"], strict=True) if readings]
        assert drawn == sorted(drawn)
        assert [readings for readings in pressure["readings"] if readings] == [1] + [6] * 4 + [1] + [6] * 18


def test_what_was_validated_counts_and_what_was_measured_is_told(
    operator: TestClient, connection: Connection, counting: World
) -> None:
    for at, value in ((START + 10 * MINUTE, 9.0), (START + 14 * MINUTE, 5.0)):
        connection.execute(
            "INSERT INTO validated_reading (series_id, observed_at, value, method, author, reason)"
            " VALUES (%s, %s, %s, 'interpolated', 'desk', 'x')",
            (counting.pressure, at, value),
        )
    connection.commit()
    for shape in ("band", "lttb"):
        pressure = draw(operator, START, START + HOUR, series_id=counting.pressure, shape=shape)["series"][0]
        assert pressure["average"][:4] == [3.0, 9.0, 5.0, 3.02]
        assert pressure["corrections"] == {
            "at": ["2026-03-01T00:10:00Z", "2026-03-01T00:14:00Z"],
            "value": [9.0, 5.0],
            "raw_value": [3.01, None],
            "method": ["interpolated"] * 2,
            "author": ["desk"] * 2,
        }


@pytest.mark.usefixtures("counting")
def test_the_table_has_a_row_for_each_point_and_each_bucket_of_consumption(operator: TestClient) -> None:
    asked = {"from": START.isoformat(), "to": (START + 3 * HOUR).isoformat(), "points": 3, "format": "csv"}
    rows = list(csv.DictReader(io.StringIO(operator.get("/v1/readings/window", params=asked).text)))
    assert [row["metric"] for row in rows] == ["volume"] * 6 + ["pressure"] * 3
    assert (rows[0]["at"], rows[0]["readings"], rows[0]["last"]) == ("2026-03-01T00:00:00Z", "4", "100.3")
    assert (rows[4]["at"], float(rows[4]["amount"]), rows[4]["codes"]) == (
        "2026-03-01T01:00:00Z",
        pytest.approx(0.4),
        "",
    )


def test_who_may_not_see_a_series_is_told_that_there_is_none(bearing: As, counting: World) -> None:
    client = bearing("wildlife viewer")
    for series_id in (counting.pressure, 2_000_000):
        answer = client.get("/v1/readings/window", params={"series_id": series_id})
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert client.get("/v1/readings/window", params={"device": "p-1"}).json()["series"] == []


def test_without_a_range_it_is_the_last_day(operator: TestClient, counting: World) -> None:
    drawn = operator.get("/v1/readings/window", params={"series_id": counting.pressure}).json()
    assert datetime.fromisoformat(drawn["until"]) - datetime.fromisoformat(drawn["since"]) == DAY
    assert drawn["series"][0]["at"] == []


@pytest.mark.parametrize(
    "query",
    [
        {"from": "2026-03-02T00:00:00Z", "to": "2026-03-01T00:00:00Z"},
        {"points": "0"},
        {"series_id": "1,x"},
        {"shape": "circle"},
        {"time_zone": "Mars/Olympus"},
        {"bucket": "hour"},
    ],
)
def test_what_makes_no_sense_is_refused(operator: TestClient, query: dict[str, str]) -> None:
    answer = operator.get("/v1/readings/window", params=query)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
