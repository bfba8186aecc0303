"""Registers that others recorded, the whole way: published or imported, stored, judged, read out by the API."""

import csv
import itertools
import json
from collections import defaultdict
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from ingest.imports.csv_file import CsvReader
from ingest.imports.job import FileImport, ImportReport
from ingest.imports.mapping import Mapping, ValueColumn
from tests.databases import await_log
from tests.integration.ingest.conftest import eventually, publishing, running
from veldwatch.config import Settings
from veldwatch.model.register import Device, Profile, ProfileMetric
from veldwatch.storage import maintenance, register
from veldwatch.storage.connection import Connection
from veldwatch.storage.tokens import Role, create_token
from veldwatch.wire.topics import topic_for

MADRID = ZoneInfo("Europe/Madrid")
NOW = datetime.now(UTC)


@pytest.fixture
def client(settings: Settings, connection: Connection) -> Generator[TestClient]:
    token = create_token(connection, name="tests", role=Role.VIEWER)
    connection.commit()
    with TestClient(create_app(settings), headers={"Authorization": f"Bearer {token}"}) as opened:
        yield opened


def consumption(client: TestClient, **query: str | int) -> list[dict[str, Any]]:
    answer = client.get("/v1/consumption", params={"limit": 10_000, **query})
    assert answer.status_code == 200, answer.text
    assert answer.json()["next"] is None
    return answer.json()["items"]


def register_counter(connection: Connection, device: str, metric: str, register_max: float | None) -> None:
    """Register a device whose register shows at most that figure: one step further it begins again."""
    modulus = None
    if register_max is not None:
        shown = Decimal(str(register_max))
        modulus = float(shown + Decimal(1).scaleb(min(0, int(shown.as_tuple().exponent))))
    counter = ProfileMetric(metric=metric, unit="", kind="counter", register_modulus=modulus)
    profile = Profile(slug=device.replace("_", "-"), name=device, kind="meter", metrics=(counter,))
    organisation = register.ensure_organisation(connection, "water")
    profile_id = register.ensure_profile(connection, profile)
    register.ensure_device(
        connection,
        Device(organisation_id=organisation, external_id=device, source="veldwatch", profile_id=profile_id),
    )
    connection.commit()


def sequences(samples: Path) -> list[dict[str, Any]]:
    lines = (samples / "adversarial" / "sequences.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_each_sequence_comes_out_as_expected(
    live: Settings, connection: Connection, samples: Path, client: TestClient
) -> None:
    known = sequences(samples)
    for sequence in known:
        register_counter(connection, sequence["name"], sequence["metric"], sequence.get("register_max"))
    messages = [
        (sequence["name"], {"observed_at": one["ts"], "readings": {sequence["metric"]: one["value"]}})
        for sequence in known
        for one in sequence["messages"]
    ]
    with running(live) as worker, publishing(live) as publisher:
        for device, message in messages:
            publisher.send(topic_for("water", device, "readings"), json.dumps(message).encode())
        publisher.flush()
        eventually(lambda: worker.total.messages >= len(messages))
    await_log(connection)
    maintenance.run_once(connection, NOW)
    for sequence in known:
        expect, asked = sequence["expect"], {"device": sequence["name"], "metric": sequence["metric"]}
        stored = client.get("/v1/readings", params=asked).json()["items"]
        assert len(stored) == expect["stored"], sequence["name"]
        hours = consumption(client, **asked)
        assert all(hour["amount"] >= 0 for hour in hours)
        if "consumption" in expect:
            assert sum(hour["amount"] for hour in hours) == pytest.approx(expect["consumption"], abs=1e-9)
        if "per_hour" in expect:
            assert [hour["amount"] for hour in hours] == expect["per_hour"]
        if expect.get("no_negative_delta_flag"):
            assert [hour["codes"] for hour in hours] == [[]] * len(hours)
        kept = connection.execute(
            "SELECT sum(c.amount) FROM consumption_hourly c JOIN series s ON s.id = c.series_id"
            " JOIN device d ON d.id = s.device_id WHERE d.external_id = %s",
            (sequence["name"],),
        ).fetchone()
        connection.rollback()
        assert kept == (pytest.approx(sum(hour["amount"] for hour in hours)) if hours else None,)


def as_read(samples: Path) -> dict[str, dict[datetime, float]]:
    """Read the registers with the hour that a clock change repeats told apart, by their order in the file."""
    found: dict[str, dict[datetime, float]] = defaultdict(dict)
    last: dict[str, datetime] = {}
    with (samples / "daiad-water-meters" / "4meters.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            local = datetime.fromisoformat(row["local_time"])
            again = row["meter_id"] in last and local <= last[row["meter_id"]]
            last[row["meter_id"]] = local
            at = local.replace(tzinfo=MADRID, fold=int(again)).astimezone(UTC)
            found[row["meter_id"]][at] = float(row["reading_litres"])
    return found


def import_meters(settings: Settings, samples: Path) -> ImportReport:
    path = samples / "daiad-water-meters" / "4meters.csv"
    mapping = Mapping(
        device_column="meter_id",
        time_column="local_time",
        time_zone="Europe/Madrid",
        values=(ValueColumn(column="reading_litres", metric="volume", unit="L"),),
    )
    *_, report = FileImport(settings, path, "water", CsvReader(path, mapping), restart=True).run()
    return report


def test_real_meters_count_what_their_registers_moved_by(settings: Settings, samples: Path, client: TestClient) -> None:
    report = import_meters(settings, samples)
    meters = as_read(samples)
    assert (report.stored.readings, report.stored.quarantined) == (sum(map(len, meters.values())), 0)
    for meter, readings in meters.items():
        asked: dict[str, str | int] = {"device": meter, "metric": "volume", "time_zone": "Europe/Madrid"}
        values = [readings[at] for at in sorted(readings)]
        falls = sum(1 for before, after in itertools.pairwise(values) if after < before)
        steps = consumption(client, interval="reading", **asked)
        assert [step["amount"] for step in steps if step["amount"] < 0] == []
        assert sum(1 for step in steps if "fall" in step["codes"]) == falls
        # Every fall in these registers is taken back: the total is that of the register itself.
        for interval in ("reading", "hour", "day", "month"):
            total = sum(part["amount"] for part in consumption(client, interval=interval, **asked))
            assert total == pytest.approx(values[-1] - values[0], abs=1e-6), (meter, interval)
        highest = max(step["amount"] for step in steps)
        assert highest < 1000, f"{meter} counted {highest} litres in an hour"


def test_the_hour_that_the_clock_change_repeats_is_counted_once(
    settings: Settings, samples: Path, client: TestClient
) -> None:
    import_meters(settings, samples)
    repeated = datetime(2016, 10, 30, 0, tzinfo=UTC)
    asked = {"metric": "volume", "time_zone": "Europe/Madrid", "from": repeated.isoformat()}
    for meter, readings in as_read(samples).items():
        near = sorted(at for at in readings if abs(at - repeated) < timedelta(hours=30))
        if not near:
            continue
        hours = consumption(client, device=meter, to=(repeated + timedelta(hours=2)).isoformat(), **asked)
        assert [hour["bucket"] for hour in hours] == ["2016-10-30T00:00:00Z", "2016-10-30T01:00:00Z"]
        before = max(at for at in near if at <= repeated)
        after = min(at for at in near if at >= repeated + timedelta(hours=2))
        assert sum(hour["amount"] for hour in hours) <= readings[after] - readings[before]
        day = datetime(2016, 10, 30, tzinfo=MADRID).astimezone(UTC)
        days = consumption(
            client,
            device=meter,
            metric="volume",
            time_zone="Europe/Madrid",
            interval="day",
            **{"from": day.isoformat(), "to": (day + timedelta(hours=25)).isoformat()},
        )
        assert len(days) == 1
        assert days[0]["until"] == "2016-10-30T23:00:00Z"
