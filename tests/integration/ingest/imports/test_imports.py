"""Files into the database."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ingest.imports.csv_file import CsvReader
from ingest.imports.job import FileImport, ImportReport
from ingest.imports.mapping import Mapping, ValueColumn, value_column
from ingest.imports.movebank import MovebankReader
from veldwatch.config import Settings
from veldwatch.errors import ConfigurationInvalid
from veldwatch.storage import quarantine
from veldwatch.storage.connection import Connection


def rows(connection: Connection, query: str) -> list[tuple[Any, ...]]:
    found = connection.execute(query.encode()).fetchall()
    connection.rollback()
    return found


def movebank(settings: Settings, path: Path) -> ImportReport:
    *_, report = FileImport(settings, path, "reserve", MovebankReader(path), restart=True).run()
    return report


def table(settings: Settings, path: Path, mapping: Mapping) -> ImportReport:
    *_, report = FileImport(settings, path, "water", CsvReader(path, mapping), restart=True).run()
    return report


@pytest.mark.parametrize("name", ["coati_bci_panama", "buffalo_w_park_niger", "elephant_arrivals_first1500"])
def test_a_movebank_study_is_imported_once(
    settings: Settings, connection: Connection, samples: Path, name: str
) -> None:
    path = samples / "wildlife-tracks" / f"{name}.csv"
    lines = len(path.read_text(encoding="utf-8").splitlines()) - 1
    first, again = movebank(settings, path), movebank(settings, path)
    assert (first.rows, first.stored.positions, first.stored.quarantined) == (lines, lines, 0)
    assert (again.stored.positions, again.stored.quarantined) == (0, 0)
    assert rows(connection, "SELECT count(*) FROM position") == [(lines,)]


def test_arrivals_are_contacts_and_animals_are_subjects(
    settings: Settings, connection: Connection, samples: Path
) -> None:
    movebank(settings, samples / "wildlife-tracks" / "elephant_arrivals_first1500.csv")
    ((arrived,),) = rows(connection, "SELECT received_at FROM position ORDER BY observed_at LIMIT 1")
    assert arrived == datetime(2008, 4, 5, 22, 52, 15, tzinfo=UTC)
    ((heard, arrivals),) = rows(
        connection, "SELECT count(*), (SELECT count(DISTINCT received_at) FROM position) FROM contact"
    )
    assert heard == arrivals > 1
    found = rows(
        connection,
        "SELECT external_id, s.name, species, kind, upper_inf(during) FROM deployment"
        " JOIN subject s ON s.id = subject_id JOIN device d ON d.id = device_id",
    )
    assert found == [("T5HS-2017", "Salif Keita", "Loxodonta africana", "animal", True)]


def test_outliers_are_implausible_and_bad_fixes_quarantined_by_line(
    settings: Settings, connection: Connection, tmp_path: Path
) -> None:
    path = tmp_path / "study.csv"
    path.write_text(
        "visible,timestamp,location-long,location-lat,tag-local-identifier\n"
        "true,2010-03-15 15:47:31.997,31.5,-24.9,c1\n"
        "false,2010-03-15 16:47:31.997,99,-24.9,c1\n"
        "true,2010-03-15 17:47:31.997,,,c1\n"
        "true,yesterday,31.5,-24.9,c1\n"
        "true,2010-03-15 18:47:31.997,31.5,-24.9,\n",
        encoding="utf-8",
    )
    report = movebank(settings, path)
    assert (report.rows, report.stored.positions, report.stored.quarantined) == (5, 2, 3)
    assert rows(connection, "SELECT quality FROM position ORDER BY observed_at") == [(0,), (4,)]
    found = {row.detail.partition(":")[0]: row.reason for row in quarantine.newest(connection)}
    assert {row.why_not for row in quarantine.newest(connection)} == {
        "it is a line of a file: mend the file, and import it again"
    }
    assert found == {"line 4": "bad_position", "line 5": "bad_time", "line 6": "malformed_payload"}
    assert rows(connection, "SELECT count(*) FROM contact") == [(0,)]


def test_a_wide_table_in_a_time_zone(settings: Settings, connection: Connection, samples: Path) -> None:
    path = samples / "daiad-water-meters" / "4meters.csv"
    mapping = Mapping(
        device_column="meter_id",
        time_column="local_time",
        time_zone="Europe/Madrid",
        values=(ValueColumn(column="reading_litres", metric="volume", unit="L"),),
    )
    lines = len(path.read_text(encoding="utf-8").splitlines()) - 1
    first, again = table(settings, path, mapping), table(settings, path, mapping)
    assert (first.stored.readings + first.stored.quarantined, again.stored.readings) == (lines, 0)
    assert rows(connection, "SELECT DISTINCT unit FROM series") == [("L",)]
    ((moment, value),) = rows(connection, "SELECT observed_at, value FROM reading ORDER BY observed_at LIMIT 1")
    assert (moment.tzinfo, value > 0) == (UTC, True)
    assert rows(connection, "SELECT count(*) FROM contact") == [(0,)]


def test_a_long_table_with_arrivals(settings: Settings, connection: Connection, tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_text(
        "device,time,arrived,metric,value,unit\n"
        "m1,2026-03-01T12:00:00Z,2026-03-01T12:00:05Z,volume,1.5,m3\n"
        "m1,2026-03-01T13:00:00Z,2026-03-01T13:00:05Z,volume,2500,L\n"
        "m1,2026-03-01T14:00:00Z,2026-03-01T14:00:05Z,volume,many,L\n"
        "m1,2026-03-01T15:00:00Z,2026-03-01T15:00:05Z,volume,1,bananas\n"
        "m1,2026-03-01T16:00:00Z,2026-03-01T16:00:05Z,volume,,\n",
        encoding="utf-8",
    )
    mapping = Mapping(
        device_column="device",
        time_column="time",
        received_column="arrived",
        metric_column="metric",
        value_column="value",
        unit_column="unit",
    )
    report = table(settings, path, mapping)
    assert (report.stored.readings, report.stored.quarantined) == (2, 3)
    assert rows(connection, "SELECT value FROM reading ORDER BY observed_at") == [(1.5,), (2.5,)]
    assert rows(connection, "SELECT count(*) FROM contact") == [(2,)]
    found = {row.detail.partition(":")[0]: row.reason for row in quarantine.newest(connection)}
    assert found == {"line 4": "bad_value", "line 5": "unit_mismatch", "line 6": "nothing_to_store"}


@pytest.mark.parametrize(
    "mapping",
    [
        Mapping(time_column="time", values=(ValueColumn(column="value", metric="x"),)),
        Mapping(time_column="nowhere", device="m1", values=(ValueColumn(column="value", metric="x"),)),
        Mapping(time_column="time", device="m1"),
    ],
)
def test_a_mapping_that_says_too_little_is_refused_at_once(tmp_path: Path, mapping: Mapping) -> None:
    path = tmp_path / "some.csv"
    path.write_text("time,value\n", encoding="utf-8")
    with pytest.raises(ConfigurationInvalid):
        CsvReader(path, mapping)


@pytest.mark.parametrize("text", ["", "a", "a=", "=b", "a=b:bananas"])
def test_a_column_that_is_written_wrong_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationInvalid):
        value_column(text)


def test_no_file_and_another_file_are_refused_at_once(tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n", encoding="utf-8")
    for path in (tmp_path / "none.csv", other):
        with pytest.raises(ConfigurationInvalid):
            MovebankReader(path)


def test_an_arrival_in_a_time_to_come_or_before_anything_arrived_is_refused(
    settings: Settings, connection: Connection, tmp_path: Path
) -> None:
    path = tmp_path / "arrived.csv"
    path.write_text(
        "meter,time,arrived,volume\n"
        "m1,2199-01-01T00:00:00Z,2199-01-01T00:00:05Z,1\n"
        "m2,2026-11-01T00:00:00Z,9999-12-31T00:00:00Z,2\n"
        "m3,2026-11-01T00:00:00Z,1970-01-01T00:00:00Z,3\n"
        "m4,2026-11-01T00:00:00Z,2026-11-01T00:00:09Z,4\n",
        encoding="utf-8",
    )
    mapping = Mapping(
        time_column="time", device_column="meter", received_column="arrived",
        values=(ValueColumn(column="volume", metric="volume"),),
    )  # fmt: skip
    report = table(settings, path, mapping)
    assert (report.stored.readings, report.stored.quarantined) == (1, 3)
    assert rows(connection, "SELECT value FROM reading") == [(4.0,)]
    assert rows(connection, "SELECT left(convert_from(payload, 'UTF8'), 2), reason FROM quarantine ORDER BY 1") == [
        ("m1", "future_time"), ("m2", "future_time"), ("m3", "bad_time")
    ]  # fmt: skip
    assert rows(connection, "SELECT count(*) FROM contact WHERE received_at > now() + interval '1 day'") == [(0,)]


def test_a_line_with_several_values_that_conflict_is_one_in_quarantine(
    settings: Settings, connection: Connection, tmp_path: Path
) -> None:
    mapping = Mapping(
        time_column="time", device_column="meter",
        values=tuple(ValueColumn(column=name, metric=name) for name in ("a", "b", "c")),
    )  # fmt: skip
    path = tmp_path / "conflicts.csv"
    for values in ("1,2,3", "4,5,6"):
        path.write_text(f"meter,time,a,b,c\nm1,2026-11-01T00:00:00Z,{values}\n", encoding="utf-8")
        report = table(settings, path, mapping)
    assert report.stored.quarantined == 1
    assert rows(connection, "SELECT reason, count, array_length(string_to_array(detail, '; '), 1) FROM quarantine") == [
        ("conflicting_duplicate", 1, 3)
    ]
