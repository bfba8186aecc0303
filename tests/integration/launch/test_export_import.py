"""What is exported and imported into an empty database is what it was: commands of two programs, as one runs them."""

import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import NewDatabase
from veldwatch.model.register import Subject
from veldwatch.storage import partitions, register
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.intake import IntakeWriter
from veldwatch.storage.log import POSITIONS, READINGS

READINGS_AS_THEY_ARE = (
    "SELECT external_id, metric, unit, observed_at, value, quality, received_at FROM reading r"
    " JOIN series s ON s.id = r.series_id JOIN device d ON d.id = s.device_id ORDER BY 1, 2, 4"
)
FIXES_AS_THEY_ARE = (
    "SELECT external_id, observed_at, p.longitude, p.latitude, altitude, accuracy, speed, heading, quality, received_at"
    " FROM position p JOIN device d ON d.id = p.device_id ORDER BY 1, 2"
)
TRACKS_AS_THEY_ARE = (
    "SELECT external_id, observed_at, p.longitude, p.latitude, altitude, speed, heading"
    " FROM position_raw p JOIN device d ON d.id = p.device_id WHERE quality & 4 = 0 ORDER BY 1, 2"
)
NAMES = ["m1", 'odd, "quoted"\nname', "Zähler ü", " blank "]
FIRST = np.datetime64("2025-12-31T23:00:00.000001", "us").astype(np.int64)


@pytest.fixture
def other_dsn(new_database: NewDatabase) -> Generator[str]:
    with new_database() as address:
        yield address


def veldwatch(dsn: str, *words: str) -> "subprocess.CompletedProcess[str]":
    environment = {"VELDWATCH_DSN": dsn, "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-m", "launch", *words, "--organisation", "water"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True)


def ask(dsn: str, query: str) -> list[tuple[Any, ...]]:
    with connect(dsn) as connection:
        return connection.execute(query.encode()).fetchall()


def fill(dsn: str, count: int) -> None:
    """Store readings and fixes of some devices, values and parts of every size, late, early and of every quality."""
    random = np.random.default_rng(7)
    writer = IntakeWriter(dsn)
    connection = writer.connection
    with connection.transaction():
        organisation = register.ensure_organisation(connection, "water")
        made = register.register_unknown(connection, organisation, NAMES, "test")
        devices = [made[name] for name in NAMES]
        wanted = [(device, metric, unit) for device in devices for metric, unit in (("volume", "m3"), ("a,b", ""))]
        series = [known.series_id for known in register.ensure_series(connection, wanted).values()]
    readings, fixes = np.empty(count, READINGS), np.empty(count, POSITIONS)
    for rows, ids, name in ((readings, series, "series_id"), (fixes, devices, "device_id")):
        rows[name] = random.choice(np.array(ids), count)
        rows["observed_at"] = FIRST + np.arange(count) * 61_000_007
        rows["received_at"] = rows["observed_at"] + random.integers(-3600, 10**6, count) * 1_000_000
        rows["quality"] = random.integers(0, 8, count)
        early = rows["received_at"] < rows["observed_at"] - 60_000_000
        rows["quality"][early] |= 1  # as any intake marks it
    readings["value"] = random.standard_normal(count) * 10.0 ** random.integers(-12, 12, count)
    fixes["longitude"], fixes["latitude"] = random.uniform(-180, 180, count), random.uniform(-90, 90, count)
    for name, most in (("altitude", 4000), ("accuracy", 100), ("speed", 30), ("heading", 360)):
        fixes[name] = np.where(random.random(count) < 0.3, np.nan, random.uniform(0, most, count))
    _store(writer, readings, fixes)
    _deploy(connection, devices[0])
    writer.close()


def _store(writer: IntakeWriter, readings: Any, fixes: Any) -> None:  # noqa: ANN401  # arrays
    connection = writer.connection
    partitions.ensure_for(connection, "reading_raw", readings["observed_at"])
    partitions.ensure_for(connection, "position_raw", fixes["observed_at"])
    with connection.transaction():
        writer.store_readings(readings)
        writer.store_positions(fixes)


def _deploy(connection: Connection, device: Any) -> None:  # noqa: ANN401  # a device's id
    with connection.transaction():
        organisation = register.ensure_organisation(connection, "water")
        subject = Subject(organisation_id=organisation, slug="Nala", name="Nala", kind="animal", species="Panthera leo")
        ((since,),) = connection.execute("SELECT min(observed_at) FROM position_raw").fetchall()
        register.deploy(connection, device, register.ensure_subject(connection, subject), since)


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_readings_come_back_as_they_were(dsn: str, other_dsn: str, tmp_path: Path, form: str) -> None:
    fill(dsn, 3000)
    path = tmp_path / f"readings.{form}"
    veldwatch(dsn, "export", form, "--output", str(path))
    said = veldwatch(other_dsn, "import", form, str(path)).stdout
    assert said == "3000 rows: 3000 new readings, 0 new fixes, 0 in quarantine\n"
    before = ask(dsn, READINGS_AS_THEY_ARE)
    assert len(before) == 3000
    assert ask(other_dsn, READINGS_AS_THEY_ARE) == before
    veldwatch(other_dsn, "export", form, "--output", str(tmp_path / "again"))
    assert (tmp_path / "again").read_bytes() == path.read_bytes()


def test_fixes_come_back_as_they_were_from_movebank_s_form(dsn: str, other_dsn: str, tmp_path: Path) -> None:
    fill(dsn, 3000)
    path = tmp_path / "study.csv"
    veldwatch(dsn, "export", "movebank", "--output", str(path))
    veldwatch(other_dsn, "import", "movebank", str(path))
    before = ask(dsn, FIXES_AS_THEY_ARE)
    assert len(before) == 3000
    assert ask(other_dsn, FIXES_AS_THEY_ARE) == before
    animals = (
        "SELECT external_id, s.name, species FROM deployment"
        " JOIN subject s ON s.id = subject_id JOIN device d ON d.id = device_id"
    )
    assert ask(other_dsn, animals) == ask(dsn, animals) == [("m1", "Nala", "Panthera leo")]


def test_tracks_come_back_as_they_were_from_gpx(dsn: str, other_dsn: str, tmp_path: Path) -> None:
    fill(dsn, 2000)
    with connect(dsn) as connection:  # what GPX cannot hold: its readers trim names and hold no time of arrival
        connection.execute("UPDATE device SET external_id = trim(external_id)")
        connection.execute("UPDATE device SET external_id = 'a & <b>' WHERE external_id LIKE 'odd%'")
    path = tmp_path / "tracks.gpx"
    veldwatch(dsn, "export", "gpx", "--output", str(path))
    veldwatch(other_dsn, "import", "gpx", str(path))
    before = ask(dsn, TRACKS_AS_THEY_ARE)
    assert 900 < len(before) < 1100
    assert ask(other_dsn, TRACKS_AS_THEY_ARE) == before


def test_an_export_may_be_of_one_device_one_metric_and_a_time(dsn: str, tmp_path: Path) -> None:
    fill(dsn, 2000)
    path = tmp_path / "part.csv"
    words = ["--device", "m1", "--metric", "a,b", "--from", "2026-01-01", "--to", "2026-01-01T12:00:00Z"]
    veldwatch(dsn, "export", "csv", "--output", str(path), *words)
    lines = path.read_text(encoding="utf-8").splitlines()
    ((expected,),) = ask(
        dsn,
        "SELECT count(*) FROM reading JOIN series s ON s.id = series_id JOIN device d ON d.id = device_id"
        " WHERE metric = 'a,b' AND external_id = 'm1'"
        " AND observed_at >= '2026-01-01' AND observed_at < '2026-01-01 12:00'",
    )
    assert lines[0] == "device,metric,unit,observed_at,value,quality,received_at"
    assert len(lines) - 1 == expected > 0
    assert {line.split(" ")[0] for line in lines[1:]} == {'"m1","a,b",,2026-01-01'}


def test_an_empty_export_is_a_file_that_can_be_imported(dsn: str, other_dsn: str, tmp_path: Path) -> None:
    _register_organisation(dsn)
    for form in ("csv", "parquet", "movebank", "gpx"):
        path = tmp_path / f"none.{form}"
        veldwatch(dsn, "export", form, "--output", str(path))
        assert veldwatch(other_dsn, "import", form, str(path)).stdout.startswith("0 rows")


def test_an_export_of_what_is_not_there_is_refused(dsn: str, tmp_path: Path) -> None:
    words = ("export", "csv", "--output", str(tmp_path / "x.csv"))
    with pytest.raises(subprocess.CalledProcessError, match="status 2") as failed:
        veldwatch(dsn, *words)
    assert "no organisation 'water'" in failed.value.stderr
    fill(dsn, 10)
    with pytest.raises(subprocess.CalledProcessError, match="status 2") as failed:
        veldwatch(dsn, *words, "--device", "typo")
    assert "no device 'typo'" in failed.value.stderr
    assert list(tmp_path.iterdir()) == []


def test_numbers_in_gpx_have_no_exponent(dsn: str, tmp_path: Path) -> None:
    fill(dsn, 10)
    with connect(dsn) as connection:
        connection.execute("UPDATE position_raw SET latitude = 0.00002, longitude = -1e-13, quality = 0")
    path = tmp_path / "tracks.gpx"
    veldwatch(dsn, "export", "gpx", "--output", str(path))
    assert '<trkpt lat="0.00002" lon="-0.0000000000001">' in path.read_text(encoding="utf-8")


def test_a_file_that_cannot_be_written_is_told_and_nothing_is_left(dsn: str, tmp_path: Path) -> None:
    _register_organisation(dsn)
    with pytest.raises(subprocess.CalledProcessError) as failed:
        veldwatch(dsn, "export", "csv", "--output", str(tmp_path / "nowhere" / "x.csv"))
    assert "bad --output" in failed.value.stderr
    assert list(tmp_path.iterdir()) == []


def _register_organisation(dsn: str) -> None:
    with connect(dsn) as connection:
        register.ensure_organisation(connection, "water")
