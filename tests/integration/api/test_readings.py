"""Readings, raw and rolled up, page by page."""

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.api import world
from tests.integration.api.world import BEGIN, World
from veldwatch.storage import maintenance
from veldwatch.storage.connection import Connection


def _all(client: TestClient, path: str, **query: str | int) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = client.get(path, params={**query, **cursor}).json()
        items += page["items"]
        if page["next"] is None:
            return items
        cursor = {"cursor": page["next"]}


def test_a_reading_is_told_with_all_that_belongs_to_it(
    operator: TestClient, connection: Connection, made: World
) -> None:
    world.add_readings(connection, made.volume, [(BEGIN, 1204.5)])
    assert operator.get("/v1/readings", params={"device": "m-1"}).json() == {
        "items": [
            {
                "observed_at": "2026-11-01T10:00:00Z",
                "received_at": "2026-11-01T10:00:05Z",
                "device": "m-1",
                "device_id": made.meter,
                "series_id": made.volume,
                "metric": "volume",
                "unit": "m3",
                "value": 1204.5,
                "quality": 0,
            }
        ],
        "next": None,
    }


def test_pages_of_any_size_in_either_order_tell_each_reading_once(
    operator: TestClient, connection: Connection, made: World
) -> None:
    # Both series at the same times, over two months: ties and partitions.
    times = [BEGIN + timedelta(days=5 * n) for n in range(10)]
    world.add_readings(connection, made.volume, [(at, n) for n, at in enumerate(times)])
    world.add_readings(connection, made.pressure, [(at, -n) for n, at in enumerate(times)])
    expected = [(at.isoformat(), series) for at in times for series in (made.volume, made.pressure)]

    @settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(limit=st.integers(1, 25), order=st.sampled_from(["asc", "desc"]))
    def check(limit: int, order: str) -> None:
        items = _all(operator, "/v1/readings", limit=limit, order=order)
        told = [(item["observed_at"].replace("Z", "+00:00"), item["series_id"]) for item in items]
        assert told == (expected if order == "asc" else expected[::-1])

    check()


def test_a_time_range_begins_with_its_first_instant_and_ends_before_its_last(
    operator: TestClient, connection: Connection, made: World
) -> None:
    world.add_readings(connection, made.volume, [(BEGIN + timedelta(hours=n), n) for n in range(4)])

    def values(**query: str) -> list[float]:
        return [item["value"] for item in operator.get("/v1/readings", params=query).json()["items"]]

    from_, to = BEGIN + timedelta(hours=1), BEGIN + timedelta(hours=3)
    assert values(**{"from": from_.isoformat(), "to": to.isoformat()}) == [1, 2]
    assert values(**{"from": str(int(from_.timestamp())), "to": str(int(to.timestamp() * 1000))}) == [1, 2]
    assert values(**{"from": "2026-11-01 13:00"}) == [3]
    assert values(to="2026-11-01T12:00:00+01:00") == [0]
    assert values(**{"from": "2026-11-02"}) == []


def test_readings_are_found_by_series_metric_and_number(
    operator: TestClient, connection: Connection, made: World
) -> None:
    world.add_readings(connection, made.volume, [(BEGIN, 1)])
    world.add_readings(connection, made.pressure, [(BEGIN, 2)])
    for query, value in (({"series_id": made.pressure}, 2), ({"metric": "volume"}, 1), ({"device_id": made.logger}, 2)):
        items = operator.get("/v1/readings", params=query).json()["items"]
        assert [item["value"] for item in items] == [value]
    assert len(operator.get("/v1/readings").json()["items"]) == 2


def test_hours_and_days_are_told_as_the_rollups_hold_them(
    operator: TestClient, connection: Connection, made: World
) -> None:
    world.add_readings(connection, made.volume, [(BEGIN + timedelta(minutes=20 * n), n) for n in range(6)])
    maintenance.run_once(connection, datetime.now(UTC))
    hours = _all(operator, "/v1/readings", device="m-1", bucket="hour", limit=1)
    assert [hour["bucket"] for hour in hours] == ["2026-11-01T10:00:00Z", "2026-11-01T11:00:00Z"]
    assert {name: hours[0][name] for name in ("count", "minimum", "maximum", "average", "first", "last")} == {
        "count": 3,
        "minimum": 0,
        "maximum": 2,
        "average": 1,
        "first": 0,
        "last": 2,
    }
    newest = operator.get("/v1/readings", params={"bucket": "hour", "order": "desc", "limit": 1}).json()["items"]
    assert newest[0]["first"] == 3
    days = operator.get("/v1/readings", params={"bucket": "day"}).json()["items"]
    assert [(day["bucket"], day["count"]) for day in days] == [("2026-11-01T00:00:00Z", 6)]


def test_csv_has_the_same_rows_and_runs_no_formulas(operator: TestClient, connection: Connection, made: World) -> None:
    world.add_readings(connection, made.volume, [(BEGIN + timedelta(hours=n), -n) for n in range(3)])
    connection.execute("UPDATE series SET unit = '=cmd()' WHERE id = %s", (made.volume,))
    connection.commit()
    answer = operator.get("/v1/readings", params={"format": "csv", "limit": 2})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["observed_at"], row["value"], row["unit"]) for row in rows] == [
        ("2026-11-01T10:00:00Z", "0.0", "'=cmd()"),
        ("2026-11-01T11:00:00Z", "-1.0", "'=cmd()"),
    ]
    rest = operator.get("/v1/readings", params={"cursor": answer.headers["veldwatch-next"]}).json()["items"]
    assert [item["value"] for item in rest] == [-2]


def test_what_cannot_be_asked_is_a_problem_that_says_why(operator: TestClient) -> None:
    wrong: list[tuple[dict[str, str | int], str]] = [
        ({"limit": 10_001}, "query.limit"),
        ({"limit": 0}, "query.limit"),
        ({"from": "yesterday"}, "query.from"),
        ({"from": "99999-01-01"}, "query.from"),
        ({"to": "0001-01-01T00:00:00+14:00"}, "query.to"),
        ({"bucket": "week"}, "query.bucket"),
        ({"limt": 5}, "query.limt"),
        ({"device_id": 2**31}, "query.device_id"),
        ({"device": "a\x00b"}, "query.device"),
        ({"cursor": "abc"}, "cursor"),
        ({"cursor": "W10"}, "cursor"),
        ({"cursor": "\N{SNOWMAN}"}, "cursor"),
    ]
    for query, about in wrong:
        answer = operator.get("/v1/readings", params=query)
        assert answer.status_code == 422, query
        problem = answer.json()
        assert problem["type"] == "urn:veldwatch:problem:unprocessable-content"
        assert about in problem["detail"], query


def test_too_many_series_are_refused_with_advice(operator: TestClient, connection: Connection, made: World) -> None:
    connection.execute(
        "INSERT INTO series (device_id, metric) SELECT %s, 'm' || n FROM generate_series(1, 501) n", (made.meter,)
    )
    connection.commit()
    answer = operator.get("/v1/readings", params={"device": "m-1"})
    assert answer.status_code == 422
    assert "name a device, a series" in answer.json()["detail"]
    assert operator.get("/v1/readings", params={"device": "m-1", "metric": "m7"}).json()["items"] == []


def test_a_page_is_read_through_the_index_whatever_the_history(connection: Connection, made: World) -> None:
    world.add_readings(connection, made.volume, [(BEGIN + timedelta(minutes=n), n) for n in range(3000)])
    connection.execute("ANALYZE")
    connection.commit()
    from veldwatch.storage.queries import load_queries  # noqa: PLC0415  # only this test looks at plans

    query = load_queries("readings")["raw_desc"]
    values = {"series": [made.volume], "since": None, "until": None, "after": None, "after_id": None, "limit": 10}
    rows = connection.execute(b"EXPLAIN (ANALYZE, BUFFERS OFF, TIMING OFF, COSTS OFF) " + query, values).fetchall()
    plan = "\n".join(row[0] for row in rows)
    assert "Index Scan" in plan
    assert "Seq Scan" not in plan
    assert "rows=3000" not in plan
