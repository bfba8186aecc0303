"""Labels of every form, and what a wrong file is told."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from rules.scorecard.labels import LabelFormat, Labels, merged, read_labels
from rules.scorecard.occurrences import Place
from tests.unit.rules.scorecard.cases import fault
from veldwatch.errors import ConfigurationInvalid

LUSAKA = ZoneInfo("Africa/Lusaka")
POINTS = LabelFormat(label_column="label", zone=ZoneInfo("UTC"))


def read(folder: Path, text: str, form: LabelFormat, name: str = "labels.csv") -> Labels:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return read_labels([path], form)


def spans(labels: Labels) -> list[tuple[str, str]]:
    return [
        (f"{one.begins_at:%H:%M}", "" if one.ends_at is None else f"{one.ends_at:%H:%M}") for one in labels.occurrences
    ]


def test_windows_say_when_where_and_what(tmp_path: Path) -> None:
    text = "start,end,device,kind\n2026-03-01T10:00,2026-03-01T11:00,m1,leak\n2026-03-01T12:00Z,2026-03-01T12:30Z,,\n"
    form = LabelFormat(device="m2", organisation="town", zone=LUSAKA)
    labels = read(tmp_path, text, form)
    assert spans(labels) == [("08:00", "09:00"), ("12:00", "12:30")]
    assert [one.kind for one in labels.occurrences] == ["leak", "anomaly"]
    assert [one.place for one in labels.occurrences] == [
        Place(organisation="town", device="m1"),
        Place(organisation="town", device="m2"),
    ]
    assert labels.devices == {"m1", "m2"}


def test_windows_of_nobody_hold_for_every_device(tmp_path: Path) -> None:
    labels = read(tmp_path, "start,end\n2026-03-01T10:00Z,2026-03-01T11:00Z\n", LabelFormat())
    assert labels.occurrences[0].place == Place()
    assert labels.devices == frozenset()


@pytest.mark.parametrize("yes", ["1", "1.0", "true", "True", "yes"])
@pytest.mark.parametrize("no", ["0", "0.0", "false", "", "No"])
def test_runs_of_labelled_points_are_windows(tmp_path: Path, yes: str, no: str) -> None:
    flags = [no, yes, yes, no, yes, no, no, yes]
    rows = "".join(f"2026-03-01T10:{minute:02}:00,{flag}\n" for minute, flag in enumerate(flags))
    labels = read(tmp_path, "time,label\n" + rows, POINTS)
    assert spans(labels) == [("10:01", "10:02"), ("10:04", "10:04"), ("10:07", "10:07")]


def test_points_of_several_devices_in_any_order(tmp_path: Path) -> None:
    text = (
        "when;meter;label\n2026-03-01 10:02;b;1\n2026-03-01 10:01;a;1\n2026-03-01 10:00;a;0\n2026-03-01 10:03;b;0\n"
        "2026-03-01 10:00;c;0\n"
    )
    form = LabelFormat(
        time_column="when",
        label_column="label",
        device_column="meter",
        delimiter=";",
        zone=ZoneInfo("UTC"),
        kind="leak",
    )
    labels = read(tmp_path, text, form)
    assert [(one.place.device, one.kind) for one in labels.occurrences] == [("a", "leak"), ("b", "leak")]
    assert spans(labels) == [("10:01", "10:01"), ("10:02", "10:02")]
    assert labels.devices == {"a", "b", "c"}


def test_numbers_since_1970_are_times(tmp_path: Path) -> None:
    labels = read(tmp_path, "time,label\n1772359200,1\n1772359260000,1\n", LabelFormat(label_column="label"))
    assert spans(labels) == [("10:00", "10:01")]


def test_windows_that_are_close_are_one() -> None:
    faults = [fault("leak", 10, 20), fault("leak", 20.5, 21), fault("leak", 15, 16), fault("leak", 22, 23)]
    other = fault("leak", 20.2, 20.3, device="m2")
    joined = merged([*faults, other], timedelta(minutes=30))
    assert [(one.begins_at, one.ends_at, one.place.device) for one in joined] == [
        (faults[0].begins_at, faults[1].ends_at, "m1"),
        (other.begins_at, other.ends_at, "m2"),
        (faults[3].begins_at, faults[3].ends_at, "m1"),
    ]
    assert len(merged(faults, timedelta(0))) == 3


NAB = """{"real/pump.csv": [["2013-12-15 07:00:00.000000", "2013-12-15 09:00:00.000000"]], "art/flat.csv": []}"""


def test_windows_of_the_numenta_benchmark_are_of_the_series_that_is_named(tmp_path: Path) -> None:
    form = LabelFormat(zone=ZoneInfo("UTC"))
    every = read(tmp_path, NAB, form, "w.json")
    assert [one.place.device for one in every.occurrences] == ["pump"]
    assert every.occurrences[0].begins_at == datetime(2013, 12, 15, 7, tzinfo=UTC)
    assert every.devices == {"pump", "flat"}
    flat = read(tmp_path, NAB, LabelFormat(device="flat", zone=ZoneInfo("UTC")), "w.json")
    assert (flat.occurrences, flat.devices) == ([], {"flat"})


def test_a_json_list_holds_objects_or_pairs(tmp_path: Path) -> None:
    text = '[{"start": "2026-03-01T10:00Z", "end": "2026-03-01T11:00Z", "minutes": 60, "device": "m1"}, [0, 60]]'
    labels = read(tmp_path, text, LabelFormat(device="m2"), "w.json")
    assert [one.place.device for one in labels.occurrences] == ["m2", "m1"]
    assert spans(labels) == [("00:00", "00:01"), ("10:00", "11:00")]


WRONG = {
    "no such column": ("when,label\n", POINTS, "no column 'time' (expected in 'when, label')"),
    "no windows": ("time,label\n", LabelFormat(), "no column 'start', 'end'"),
    "no flag": ("time,label\n2026-03-01T10:00Z,perhaps\n", POINTS, "line 2: label is 'perhaps' (expected 1, 0, true"),
    "no time": ("time,label\nsoon,1\n", POINTS, "line 2: time is 'soon'"),
    "a row that is cut": ("start,end\n2026-03-01T10:00Z\n", LabelFormat(), "line 2: end is None"),
    "no offset": (
        "start,end\n2026-03-01T10:00,2026-03-01T11:00\n",
        LabelFormat(),
        "line 2: start is '2026-03-01T10:00', without an offset (say where with --time-zone",
    ),
    "backwards": (
        "start,end\n2026-03-01T10:00Z,2026-03-01T09:00Z\n",
        LabelFormat(),
        "line 2: ends '2026-03-01T09:00Z' before it starts",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_table_is_told_what_is_wrong(tmp_path: Path, case: str) -> None:
    text, form, complaint = WRONG[case]
    with pytest.raises(ConfigurationInvalid, match="bad --truth") as raised:
        read(tmp_path, text, form)
    assert complaint in str(raised.value)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "bad --truth"),
        ('{"a.csv": 5}', "'a.csv' is int (expected a list of windows)"),
        ("7", "window is int (expected a list of windows)"),
        ("[5]", "window 1 is 5 (expected [start, end]"),
        ('[["2026-03-01T10:00Z"]]', "window 1 is ['2026-03-01T10:00Z'] (expected [start, end]"),
        ('[[true, "2026-03-01T10:00Z"]]', "window 1: start is True"),
        (NAB, "no series 'nowhere' (expected one of pump, flat)"),
    ],
)
def test_wrong_json_is_told_what_is_wrong(tmp_path: Path, text: str, complaint: str) -> None:
    device = "nowhere" if text == NAB else ""
    with pytest.raises(ConfigurationInvalid) as raised:
        read(tmp_path, text, LabelFormat(device=device), "w.json")
    assert complaint in str(raised.value)


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_bytes(b"\xff\xfe\x00start,end\n")
    with pytest.raises(ConfigurationInvalid, match="bad --truth"):
        read_labels([path], LabelFormat())
