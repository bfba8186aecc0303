"""Fixes as GPX 1.1: a track for each device. Speed and course stand in Garmin's TrackPointExtension.

GPX cannot say that a fix is implausible, so those are left out; nor when it arrived, nor its accuracy in metres.

Source: GPX 1.1 schema (topografix.com); Garmin TrackPointExtension v2.
"""

import re
from typing import IO, Any
from xml.sax.saxutils import escape

import numpy as np
import numpy.typing as npt

from veldwatch.model.telemetry import Quality
from veldwatch.storage.connection import Connection
from veldwatch.storage.exports import ExportFilter, exported_devices, exported_positions

_BEGIN = """<?xml version="1.0" encoding="UTF-8"?>
<gpx version="1.1" creator="Veldwatch" xmlns="http://www.topografix.com/GPX/1/1"
     xmlns:gpxtpx="http://www.garmin.com/xmlschemas/TrackPointExtension/v2">
"""
_END = "</gpx>\n"
# Source: XML 1.0, 2.2: characters that no document may hold.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_gpx(connection: Connection, which: ExportFilter, out: IO[bytes]) -> int:
    """Write fixes; give how many."""
    devices = exported_devices(connection, which)
    count, open_track = 0, None
    out.write(_BEGIN.encode())
    for chunk in exported_positions(connection, which, list(devices)):
        rows = chunk[(chunk["quality"] & int(Quality.IMPLAUSIBLE)) == 0]
        changes = np.flatnonzero(np.diff(rows["device_id"])) + 1
        for part in np.split(rows, changes) if len(rows) else []:
            device = int(part["device_id"][0])
            if device != open_track:
                out.write((_close(open_track) + _open(devices[device])).encode())
                open_track = device
            out.write("".join(_points(part)).encode())
        count += len(rows)
    out.write((_close(open_track) + _END).encode())
    return count


def _open(name: str) -> str:
    shown = escape(_FORBIDDEN.sub("\ufffd", name))
    return f"  <trk><name>{shown}</name><trkseg>\n"


def _close(track: int | None) -> str:
    return "" if track is None else "  </trkseg></trk>\n"


def _points(rows: npt.NDArray[Any]) -> list[str]:
    moments = np.datetime_as_string(rows["observed_at"].astype("datetime64[us]")).tolist()
    columns = (
        moments,
        rows["longitude"].tolist(),
        rows["latitude"].tolist(),
        *(rows[name] for name in ("altitude", "speed", "heading")),
    )
    return [_point(*values) for values in zip(*columns, strict=True)]


def _point(  # the parts of a fix
    moment: str, east: float, north: float, altitude: np.float32, speed: np.float32, heading: np.float32
) -> str:
    height = "" if np.isnan(altitude) else f"<ele>{_decimal(altitude)}</ele>"
    parts = "" if np.isnan(speed) else f"<gpxtpx:speed>{_decimal(speed)}</gpxtpx:speed>"
    parts += "" if np.isnan(heading) else f"<gpxtpx:course>{_decimal(heading)}</gpxtpx:course>"
    if parts:
        parts = f"<extensions><gpxtpx:TrackPointExtension>{parts}</gpxtpx:TrackPointExtension></extensions>"
    return f'    <trkpt lat="{_decimal(north)}" lon="{_decimal(east)}">{height}<time>{moment}Z</time>{parts}</trkpt>\n'


def _decimal(number: float | np.float32) -> str:
    """Write a number in full: GPX's decimals (XML Schema, xsd:decimal) know no exponent, as `2e-05` has one."""
    return np.format_float_positional(number, trim="0")
