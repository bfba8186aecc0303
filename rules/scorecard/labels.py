"""Labels: what somebody who looked at data says went wrong in them, as files.

Three forms: CSV of windows (`start,end[,device][,kind]`), CSV of labelled points, whose runs become windows, and JSON
of windows, a list of objects or of pairs, or such a list for each series (Numenta Anomaly Benchmark). A window without
a device holds for every device that is scored.
"""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from pathlib import Path, PurePosixPath
from typing import Any, cast
from zoneinfo import ZoneInfo

from rules.scorecard.occurrences import Occurrence, Place
from veldwatch.errors import ConfigurationInvalid, MessageRejected
from veldwatch.model.faults import FAULTS
from veldwatch.wire.local_times import in_zone
from veldwatch.wire.times import read_time

ANOMALY = "anomaly"
"""The kind of a label that does not say which."""

_TRUE = ("1", "true", "yes", "t", "y")
_FALSE = ("0", "false", "no", "f", "n", "")
_FAR = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelFormat:
    """How files of labels are to be read.

    Attributes:
        device: of every label that names none; '': every device.
        label_column: given: the rows are points, labelled or not; '': they are windows.
        merge: windows no further apart than this are one.
        zone: of times without an offset; None: there are none.
    """

    device: str = ""
    kind: str = ANOMALY
    organisation: str | None = None
    time_column: str = "time"
    label_column: str = ""
    device_column: str = ""
    delimiter: str = ","
    merge: timedelta = timedelta(0)
    zone: ZoneInfo | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """What files of labels say.

    Attributes:
        devices: those that labels were made for, without any anomaly too; empty: every device.
    """

    occurrences: Sequence[Occurrence]
    devices: frozenset[str]


def read_labels(paths: Iterable[Path], form: LabelFormat) -> Labels:
    """Read files of labels.

    Raises:
        ConfigurationInvalid: naming the file, the row and what is wrong with it.
    """
    occurrences: list[Occurrence] = []
    devices: set[str] = {form.device} - {""}
    for path in paths:
        try:
            found = list(_read(path, form, devices))
        except (OSError, UnicodeDecodeError, json.JSONDecodeError, csv.Error) as error:
            raise ConfigurationInvalid(f"bad --truth: {str(path)!r} ({error})") from error
        except _Wrong as error:
            raise ConfigurationInvalid(f"bad --truth: {str(path)!r}: {error}") from error
        occurrences.extend(found)
    everywhere = any(one.place.device is None for one in occurrences)
    return Labels(
        occurrences=merged(occurrences, form.merge), devices=frozenset() if everywhere else frozenset(devices)
    )


def merged(occurrences: Iterable[Occurrence], within: timedelta) -> list[Occurrence]:
    """Join windows of one place and kind that overlap, touch, or are no further apart than this; by their begin."""
    joined: list[Occurrence] = []
    last: dict[tuple[Place, str], int] = {}
    for one in sorted(occurrences, key=lambda one: one.begins_at):
        before = last.get((one.place, one.kind))
        if before is not None and (ends_at := joined[before].ends_at) and one.begins_at - ends_at <= within:
            joined[before] = replace(joined[before], ends_at=max(ends_at, one.ends_at or ends_at))
        else:
            last[one.place, one.kind] = len(joined)
            joined.append(one)
    return joined


class _Wrong(Exception):
    """What is wrong with a file."""


def _read(path: Path, form: LabelFormat, devices: set[str]) -> Iterator[Occurrence]:
    text = path.read_text(encoding="utf-8-sig")
    if path.suffix.lower() == ".json":
        yield from _json_windows(cast("object", json.loads(text)), form, devices)
        return
    rows = csv.DictReader(text.splitlines(), delimiter=form.delimiter)
    wanted = [form.time_column, form.label_column] if form.label_column else ["start", "end"]
    wanted += [form.device_column] if form.device_column else []
    if absent := [name for name in wanted if name not in (rows.fieldnames or ())]:
        raise _Wrong(f"no column {', '.join(map(repr, absent))} (expected in {', '.join(rows.fieldnames or ())!r})")
    if form.label_column:
        yield from _point_windows(rows, form, devices)
        return
    for number, row in enumerate(rows, start=2):
        yield _window(row, row.get(form.device_column or "device") or "", f"line {number}", form, devices)


def _window(row: Mapping[str, Any], device: str, at: str, form: LabelFormat, devices: set[str]) -> Occurrence:
    begins_at, ends_at = (_moment(row.get(edge), f"{at}: {edge}", form) for edge in ("start", "end"))
    if ends_at < begins_at:
        raise _Wrong(f"{at}: ends {row.get('end')!r} before it starts {row.get('start')!r}")
    return _occurrence(device, str(row.get("kind") or form.kind), begins_at, ends_at, form, devices)


def _occurrence(
    device: str, kind: str, begins_at: datetime, ends_at: datetime, form: LabelFormat, devices: set[str]
) -> Occurrence:
    named = device or form.device
    devices.update({named} - {""})
    place = Place(organisation=form.organisation, device=named or None)
    return Occurrence(kind=kind, place=place, begins_at=begins_at, ends_at=ends_at)


def _point_windows(rows: Iterable[Mapping[str, Any]], form: LabelFormat, devices: set[str]) -> Iterator[Occurrence]:
    """Make windows of the labelled points: each from the first of a run to its last."""
    points: dict[str, list[tuple[datetime, bool]]] = {}
    for number, row in enumerate(rows, start=2):
        device = str(row.get(form.device_column) or "") if form.device_column else ""
        moment = _moment(row.get(form.time_column), f"line {number}: {form.time_column}", form)
        points.setdefault(device, []).append((moment, _flag(row.get(form.label_column), number, form)))
    for device, told in points.items():
        devices.update({device} - {""})
        for is_labelled, run in groupby(sorted(told), key=itemgetter(1)):
            moments = [moment for moment, _ in run]
            if is_labelled:
                yield _occurrence(device, form.kind, moments[0], moments[-1], form, devices)


def _flag(value: object, number: int, form: LabelFormat) -> bool:
    text = str(value if value is not None else "").strip().lower()
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    try:
        return float(text) != 0
    except ValueError as error:
        raise _Wrong(f"line {number}: {form.label_column} is {value!r} (expected 1, 0, true or false)") from error


def _json_windows(content: object, form: LabelFormat, devices: set[str]) -> Iterator[Occurrence]:
    if isinstance(content, dict):
        series = cast("dict[str, object]", content)
        named = {key: windows for key, windows in series.items() if form.device in ("", _stem(key), key)}
        if not named:
            raise _Wrong(f"no series {form.device!r} (expected one of {', '.join(_stem(key) for key in series)})")
        for key, windows in named.items():
            device = form.device or _stem(key)
            devices.add(device)
            yield from _listed_windows(windows, device, f"{key!r}", form, devices)
        return
    yield from _listed_windows(content, "", "window", form, devices)


def _listed_windows(
    content: object, device: str, at: str, form: LabelFormat, devices: set[str]
) -> Iterator[Occurrence]:
    if not isinstance(content, list):
        raise _Wrong(f"{at} is {type(content).__name__} (expected a list of windows)")
    for number, window in enumerate(cast("list[object]", content), start=1):
        row = _edges(window)
        if not {"start", "end"} <= row.keys():
            raise _Wrong(f"{at} {number} is {window!r} (expected [start, end], or an object with these)")
        yield _window(row, device or str(row.get("device") or ""), f"{at} {number}", form, devices)


def _edges(window: object) -> Mapping[str, Any]:
    if isinstance(window, list):
        return dict(zip(("start", "end"), cast("list[object]", window), strict=False))
    return cast("Mapping[str, Any]", window) if isinstance(window, dict) else {}


def _stem(series: str) -> str:
    return PurePosixPath(series).stem


def _moment(value: object, at: str, form: LabelFormat) -> datetime:
    text = value.strip() if isinstance(value, str) else value
    try:
        local = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        local = None
    if local is None or local.tzinfo is not None:
        try:
            return read_time(text)
        except MessageRejected as error:
            raise _Wrong(f"{at} is {value!r} ({error.detail})") from error
    if form.zone is None:
        raise _Wrong(f"{at} is {value!r}, without an offset (say where with --time-zone, such as UTC)")
    return in_zone(local, form.zone, _FAR)


def check_kind(kind: str) -> str:
    """Refuse a kind that is neither of the catalogue nor a label's general word.

    Raises:
        ConfigurationInvalid: it is neither.
    """
    if kind != ANOMALY and kind not in FAULTS:
        raise ConfigurationInvalid(f"bad --kind: {kind!r} (expected {ANOMALY} or one of {', '.join(FAULTS)})")
    return kind
