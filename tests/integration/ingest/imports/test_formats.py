"""Parquet, GPX, Movebank's measurements, and what spreadsheets do to CSV."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import pyarrow
import pyarrow.parquet
import pytest

from ingest.imports.csv_file import CsvReader
from ingest.imports.gpx import GpxReader
from ingest.imports.mapping import Mapping, ValueColumn
from ingest.imports.movebank import MovebankReader
from ingest.imports.parquet import ParquetReader
from tests.integration.ingest.imports.files import METERS, csv, meters, rows, run
from veldwatch.config import Settings
from veldwatch.errors import ConfigurationInvalid
from veldwatch.storage.connection import Connection

pa, pq = cast("Any", pyarrow), cast("Any", pyarrow.parquet)

FLOW = ValueColumn(column="flow", metric="flow_rate", unit="L/h")
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", ["UTC", "Africa/Lusaka", None])
def test_timestamps_of_any_unit_and_zone(
    settings: Settings, connection: Connection, tmp_path: Path, unit: str, zone: str | None
) -> None:
    path = tmp_path / "flow.parquet"
    moments = pa.array([NOON.replace(tzinfo=None)], pa.timestamp("us")).cast(pa.timestamp(unit, zone))
    pq.write_table(pa.table({"time": moments, "flow": pa.array([1.5], pa.float32())}), path)
    mapping = Mapping(time_column="time", device="m1", values=(FLOW,), time_zone="" if zone else "Africa/Lusaka")
    assert run(settings, path, ParquetReader(path, mapping)).stored.readings == 1
    expected = NOON if zone else NOON.replace(hour=10)
    assert rows(connection, "SELECT observed_at, value FROM reading") == [(expected, 1.5)]


@pytest.mark.parametrize("times_a_second", [1, 10**3, 10**6, 10**9])
def test_whole_numbers_since_1970(
    settings: Settings, connection: Connection, tmp_path: Path, times_a_second: int
) -> None:
    path = tmp_path / "flow.parquet"
    pq.write_table(pa.table({"time": [int(NOON.timestamp()) * times_a_second], "flow": [7]}), path)
    run(settings, path, ParquetReader(path, Mapping(time_column="time", device="m1", values=(FLOW,))))
    assert rows(connection, "SELECT observed_at, value FROM reading") == [(NOON, 7.0)]


def test_a_wide_frame_with_gaps(settings: Settings, connection: Connection, tmp_path: Path) -> None:
    path = tmp_path / "flow.parquet"
    frame = pd.DataFrame(
        {
            "meter": pd.Categorical(["a", "a", "b", None]),
            "time": pd.date_range(NOON, periods=4, freq="h"),
            "flow": [1.0, np.nan, 3.0, 4.0],
            "battery": [90, 91, 92, 93],
        }
    )
    frame.to_parquet(path, row_group_size=2)
    values = (FLOW, ValueColumn(column="battery", metric="battery", unit="%"))
    report = run(settings, path, ParquetReader(path, Mapping(time_column="time", device_column="meter", values=values)))
    assert (report.rows, report.stored.readings, report.stored.quarantined) == (4, 5, 1)
    assert rows(connection, "SELECT topic, reason FROM quarantine") == [("file/flow.parquet#4", "malformed_payload")]
    again = run(settings, path, ParquetReader(path, Mapping(time_column="time", device_column="meter", values=values)))
    assert (again.behind, again.rows) == (4, 0)


def test_what_is_no_number_and_no_time_in_parquet_is_told(
    settings: Settings, connection: Connection, tmp_path: Path
) -> None:
    path = tmp_path / "flow.parquet"
    table = pa.table(
        {
            "time": pa.array(["2026-03-01T12:00:00Z", "never", None, "2026-03-01T13:00:00Z"]),
            "flow": pa.array([float("inf"), 1.0, 2.0, float("nan")]),
        }
    )
    pq.write_table(table, path)
    run(settings, path, ParquetReader(path, Mapping(time_column="time", device="m1", values=(FLOW,))))
    assert rows(connection, "SELECT topic, reason FROM quarantine ORDER BY topic") == [
        ("file/flow.parquet#1", "bad_value"),
        ("file/flow.parquet#2", "bad_time"),
        ("file/flow.parquet#3", "missing_time"),
        ("file/flow.parquet#4", "bad_value"),
    ]


def test_a_parquet_file_that_is_none_or_lacks_columns_is_refused(tmp_path: Path) -> None:
    mapping = Mapping(time_column="time", device="m1", values=(FLOW,))
    (tmp_path / "text.parquet").write_text("time,flow\n", encoding="utf-8")
    pq.write_table(pa.table({"time": [1]}), tmp_path / "short.parquet")
    for name in ("none", "text", "short"):
        with pytest.raises(ConfigurationInvalid, match="bad"):
            ParquetReader(tmp_path / f"{name}.parquet", mapping)


GPX = """<?xml version="1.0"?>
<gpx version="1.1" creator="x" xmlns="http://www.topografix.com/GPX/1/1"
     xmlns:t="http://www.garmin.com/xmlschemas/TrackPointExtension/v2">
  <wpt lat="-15.4" lon="28.3"><time>2026-03-01T11:00:00Z</time><name>camp</name></wpt>
  <rte><rtept lat="1" lon="1"><time>2026-03-01T11:00:00Z</time></rtept></rte>
  <trk><name>T5 &amp; co</name><trkseg>
    <trkpt lat="-24.9" lon="31.5"><ele>412.5</ele><time>2026-03-01T12:00:00Z</time>
      <extensions><t:TrackPointExtension><t:speed>1.25</t:speed><t:course>90</t:course></t:TrackPointExtension></extensions>
    </trkpt>
    <trkpt lat="-24.8" lon="31.5"><time>2026-03-01T13:00:00.5+02:00</time></trkpt>
    <trkpt lat="-24.7" lon="31.5"/>
    <trkpt lat="95" lon="31.5"><time>2026-03-01T14:00:00Z</time></trkpt>
  </trkseg></trk>
</gpx>
"""


@pytest.mark.parametrize("is_text", [True, False])
def test_bytes_that_are_no_text_are_one_row_s_trouble(
    settings: Settings, connection: Connection, tmp_path: Path, *, is_text: bool
) -> None:
    path = tmp_path / "devices.parquet"
    offsets, content = np.array([0, 2, 4], np.int32), b"m1\xff\xfe"
    buffers = [None, pa.py_buffer(offsets.tobytes()), pa.py_buffer(content)]
    devices = pa.Array.from_buffers(pa.string() if is_text else pa.binary(), 2, buffers)
    times = pa.array([NOON, NOON], pa.timestamp("us", "UTC"))
    pq.write_table(pa.table({"time": times, "meter": devices, "flow": [1.5, 2.5]}), path)
    mapping = Mapping(time_column="time", device_column="meter", values=(FLOW,))
    report = run(settings, path, ParquetReader(path, mapping))
    assert rows(connection, "SELECT value FROM reading WHERE value = 1.5") == [(1.5,)]
    assert report.stored.readings + report.stored.quarantined == 2


def test_lists_are_refused_before_anything_is_read(tmp_path: Path) -> None:
    path = tmp_path / "lists.parquet"
    pq.write_table(pa.table({"time": [NOON], "meter": [["m1"]], "flow": [1.5]}), path)
    with pytest.raises(ConfigurationInvalid, match="lists or structures"):
        ParquetReader(path, Mapping(time_column="time", device_column="meter", values=(FLOW,)))


def test_tracks_and_waypoints_become_fixes(settings: Settings, connection: Connection, tmp_path: Path) -> None:
    path = tmp_path / "walk.gpx"
    path.write_text(GPX, encoding="utf-8")
    report = run(settings, path, GpxReader(path))
    assert (report.rows, report.stored.positions, report.stored.quarantined) == (5, 3, 2)
    assert rows(
        connection,
        "SELECT external_id, p.longitude, p.latitude, altitude, speed, heading, extract(epoch FROM observed_at)::float"
        " FROM position p JOIN device d ON d.id = device_id ORDER BY p.latitude",
    ) == [
        ("T5 & co", 31.5, -24.9, 412.5, 1.25, 90.0, 1772366400.0),
        ("T5 & co", 31.5, -24.8, None, None, None, 1772362800.5),
        ("camp", 28.3, -15.4, None, None, None, 1772362800.0),
    ]
    assert rows(connection, "SELECT topic, reason FROM quarantine ORDER BY topic") == [
        ("file/walk.gpx#11", "missing_time"),
        ("file/walk.gpx#12", "bad_position"),
    ]
    one = run(settings, path, GpxReader(path, "collar-7"))
    assert one.stored.positions == 3
    assert rows(
        connection, "SELECT count(*) FROM position JOIN device d ON d.id = device_id WHERE external_id = 'collar-7'"
    ) == [(3,)]


@pytest.mark.parametrize(
    "content",
    [
        '<!DOCTYPE gpx [<!ENTITY a "b"><!ENTITY c "&a;&a;">]><gpx><wpt lat="1" lon="1"><name>&c;</name></wpt></gpx>',
        '<!DOCTYPE gpx [<!ENTITY a SYSTEM "file:///etc/passwd">]><gpx><name>&a;</name></gpx>',
        "<kml/>",
        "<gpx><wpt",
        "",
    ],
)
def test_gpx_that_is_none_or_dangerous_is_refused(settings: Settings, tmp_path: Path, content: str) -> None:
    path = tmp_path / "walk.gpx"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigurationInvalid, match="bad file"):
        run(settings, path, GpxReader(path))


def test_what_a_tag_measures_becomes_readings(settings: Settings, connection: Connection, tmp_path: Path) -> None:
    path = tmp_path / "study.csv"
    path.write_text(
        "event_id,timestamp,location_long,location_lat,gps_hdop,external-temperature,tag-voltage,ground-speed,"
        "algorithm-marked-outlier,tag-local-identifier,individual-local-identifier\n"
        "1,2026-03-01 12:00:00.000,31.5,-24.9,1.5,38.5,3700,0.5,,c1,Nala\n"
        "2,2026-03-01 12:10:00.000,31.6,-24.9,9.5,38.6,3690,0.5,true,c1,Nala\n"
        "3,2026-03-01 12:20:00.000,,,,38.7,,,,c1,Nala\n"
        "4,2026-03-01 12:30:00.000,31.5,-24.9,low,,,-1,,c1,Nala\n",
        encoding="utf-8",
    )
    report = run(settings, path, MovebankReader(path))
    assert (report.rows, report.stored.positions, report.stored.readings, report.stored.quarantined) == (4, 3, 7, 1)
    assert rows(connection, "SELECT quality, speed FROM position ORDER BY observed_at") == [
        (0, 0.5),
        (4, 0.5),
        (0, None),
    ]
    assert rows(
        connection,
        "SELECT metric, unit, count(*) FROM reading JOIN series s ON s.id = series_id GROUP BY 1, 2 ORDER BY 1",
    ) == [("external-temperature", "Cel", 3), ("gps:hdop", "", 2), ("tag-voltage", "mV", 2)]
    assert rows(connection, "SELECT DISTINCT quality FROM reading") == [(0,)]
    assert rows(connection, "SELECT name FROM subject") == [("Nala",)]


def test_a_spreadsheet_s_semicolons_and_decimal_commas(
    settings: Settings, connection: Connection, tmp_path: Path
) -> None:
    path = tmp_path / "export.csv"
    path.write_bytes("\ufeffZähler;Zeit;Wert\r\nZ1;2026-03-01 12:00;1,25\r\nZ1;2026-03-01 13:00;1.234,5\r\n".encode())
    mapping = Mapping(
        device_column="Zähler",
        time_column="Zeit",
        time_zone="Europe/Berlin",
        values=(ValueColumn(column="Wert", metric="volume", unit="m3"),),
        decimal_comma=True,
    )
    report = run(settings, path, CsvReader(path, mapping, ";"))
    assert (report.stored.readings, report.stored.quarantined) == (1, 1)
    assert rows(connection, "SELECT value, observed_at FROM reading") == [(1.25, NOON.replace(hour=11))]


def test_of_conflicting_rows_the_first_counts_and_the_other_is_told_by_line(
    settings: Settings, connection: Connection, tmp_path: Path
) -> None:
    path = tmp_path / "meters.csv"
    path.write_text("meter,time,volume\n" + meters(3) + meters(1).replace(",0.0", ",9") + meters(1), encoding="utf-8")
    report = csv(settings, path)
    assert (report.rows, report.stored.readings, report.stored.quarantined) == (5, 3, 1)
    assert rows(connection, "SELECT topic, reason FROM quarantine") == [("file/meters.csv#5", "conflicting_duplicate")]
    assert rows(connection, "SELECT min(value) FROM reading") == [(0.0,)]
    assert csv(settings, path, METERS, restart=True).stored.readings == 0


def test_rows_of_a_device_that_may_not_speak_are_quarantined_by_line(
    settings: Settings, connection: Connection, tmp_path: Path
) -> None:
    path = tmp_path / "meters.csv"
    path.write_text("meter,time,volume\n" + meters(8), encoding="utf-8")
    csv(settings, path)
    connection.execute("DELETE FROM reading_raw")
    connection.execute("UPDATE device SET status = 'retired' WHERE external_id = 'm1'")
    connection.commit()
    report = csv(settings, path, restart=True)
    assert (report.stored.readings, report.stored.quarantined) == (6, 2)
    assert rows(connection, "SELECT topic, reason FROM quarantine ORDER BY topic") == [
        ("file/meters.csv#3", "device_retired"),
        ("file/meters.csv#7", "device_retired"),
    ]


def test_values_outside_of_their_profile_s_range_are_marked(
    settings: Settings, connection: Connection, tmp_path: Path
) -> None:
    path = tmp_path / "meters.csv"
    path.write_text("meter,time,volume\n" + meters(4), encoding="utf-8")
    csv(settings, path)
    connection.execute("INSERT INTO profile (slug, name, kind) VALUES ('p', 'p', 'meter')")
    connection.execute(
        "INSERT INTO profile_metric (profile_id, metric, unit, minimum, maximum)"
        " SELECT id, 'volume', 'L', 0, 1000 FROM profile WHERE slug = 'p'"
    )
    connection.execute("UPDATE device SET profile_id = (SELECT id FROM profile WHERE slug = 'p')")
    connection.commit()
    path.write_text("meter,time,volume\nm1,2026-02-01T00:00:00Z,0.5\nm1,2026-02-01T01:00:00Z,1.5\n", encoding="utf-8")
    csv(settings, path)
    assert rows(connection, "SELECT quality FROM reading WHERE observed_at >= '2026-02-01' ORDER BY observed_at") == [
        (0,),
        (4,),
    ]
