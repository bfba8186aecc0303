"""Fixes as Movebank's CSV: columns of its attribute dictionary, and one of ours for what it cannot say of quality.

Source: Movebank attribute dictionary.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import IO, Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow
import pyarrow.csv

from veldwatch.model.telemetry import Quality
from veldwatch.storage.connection import Connection
from veldwatch.storage.exports import ExportFilter, Worn, exported_animals, exported_devices, exported_positions

_arrow, _csv = cast("Any", pyarrow), cast("Any", pyarrow.csv)
_TEXT, _DEGREES, _PART = _arrow.string(), _arrow.float64(), _arrow.float32()
_SCHEMA = _arrow.schema(
    [
        ("event-id", _arrow.int64()),
        ("visible", _TEXT),
        ("timestamp", _TEXT),
        ("location-long", _DEGREES),
        ("location-lat", _DEGREES),
        ("height-above-ellipsoid", _PART),
        ("ground-speed", _PART),
        ("heading", _PART),
        ("location-error-numerical", _PART),
        ("arrival-timestamp", _TEXT),
        ("sensor-type", _TEXT),
        ("individual-taxon-canonical-name", _TEXT),
        ("tag-local-identifier", _TEXT),
        ("individual-local-identifier", _TEXT),
        ("study-name", _TEXT),
        ("veldwatch:quality", _arrow.int16()),
    ]
)
_PARTS = {
    "height-above-ellipsoid": "altitude",
    "ground-speed": "speed",
    "heading": "heading",
    "location-error-numerical": "accuracy",
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def write_movebank(connection: Connection, which: ExportFilter, out: IO[bytes]) -> int:
    """Write fixes; give how many."""
    devices = exported_devices(connection, which)
    worn: dict[int, list[Worn]] = {}
    for found in exported_animals(connection, list(devices)):
        worn.setdefault(found.device_id, []).append(found)
    count = 0
    options = _csv.WriteOptions(quoting_style="needed", quoting_header="none")
    with _csv.CSVWriter(out, _SCHEMA, write_options=options) as writer:
        for rows in exported_positions(connection, which, list(devices)):
            writer.write_table(_table(rows, count, which.organisation, devices, worn))
            count += len(rows)
    return count


def _table(
    rows: npt.NDArray[Any], behind: int, study: str, devices: Mapping[int, str], worn: Mapping[int, Sequence[Worn]]
) -> Any:  # noqa: ANN401  # Arrow's own class
    animals = _animals(rows, worn)
    columns: dict[str, object] = {
        "event-id": np.arange(behind + 1, behind + 1 + len(rows)),
        "visible": np.where(rows["quality"] & int(Quality.IMPLAUSIBLE), "false", "true").tolist(),
        "timestamp": _moments(rows["observed_at"]),
        "location-long": rows["longitude"].copy(),
        "location-lat": rows["latitude"].copy(),
        "arrival-timestamp": _moments(rows["received_at"]),
        "sensor-type": ["gps"] * len(rows),
        "individual-taxon-canonical-name": [species or None for _, species in animals],
        "tag-local-identifier": [devices[device] for device in rows["device_id"].tolist()],
        "individual-local-identifier": [animal or None for animal, _ in animals],
        "study-name": [study] * len(rows),
        "veldwatch:quality": rows["quality"].copy(),
    }
    for column, name in _PARTS.items():
        columns[column] = _arrow.array(rows[name].copy(), _PART, from_pandas=True)  # NaN is blank
    return _arrow.table(columns, schema=_SCHEMA)


def _moments(moments: npt.NDArray[np.int64]) -> list[str]:
    """Write times as Movebank does, to the microsecond: 2008-08-14 18:31:00.000000."""
    return [text.replace("T", " ") for text in np.datetime_as_string(moments.astype("datetime64[us]")).tolist()]


def _animals(rows: npt.NDArray[Any], worn: Mapping[int, Sequence[Worn]]) -> list[tuple[str, str]]:
    """Name each fix's animal and its species; '' where the device was on none."""
    found = [("", "")] * len(rows)
    for device, spans in worn.items():
        of_device = rows["device_id"] == device
        for span in spans:
            within = of_device & (rows["observed_at"] >= _micros(span.since, np.iinfo(np.int64).min))
            within &= rows["observed_at"] < _micros(span.until, np.iinfo(np.int64).max)
            for place in np.flatnonzero(within).tolist():
                found[place] = (span.subject, span.species)
    return found


def _micros(moment: datetime | None, otherwise: int) -> int:
    return otherwise if moment is None else round((moment - _EPOCH).total_seconds() * 1e6)
