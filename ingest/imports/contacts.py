"""When devices were heard, from the rows of a file that say when they arrived: one row for each device and arrival."""

from typing import Any

import numpy as np
import numpy.typing as npt

from ingest.imports.found import UNKNOWN
from veldwatch.storage.log import CONTACTS

_ROWS = np.dtype([("device_id", "<i4"), ("received_at", "<i8"), ("observed_at", "<i8"), ("row", "<i8")])


def heard(devices: npt.NDArray[Any], rows: npt.NDArray[Any], row: npt.NDArray[np.intp]) -> npt.NDArray[Any]:
    """Give what `contacts` takes: a record for each reading or fix, of which several may be of one row of the file.

    Args:
        devices: id of the device of each.
        rows: with `observed_at`, and `received_at` where the file says; those without are left out.
        row: of the file, that each is from.
    """
    found = np.empty(len(rows), _ROWS)
    found["device_id"], found["row"] = devices, row
    for name in ("received_at", "observed_at"):
        found[name] = rows[name]
    return found[found["received_at"] != UNKNOWN]


def contacts(found: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Count the rows of each device and arrival, as `veldwatch.storage.log.CONTACTS`, by device, then arrival."""
    _, first = np.unique(found["row"], return_index=True)
    rows = found[first]
    rows = rows[np.lexsort((rows["received_at"], rows["device_id"]))]
    begins = np.ones(len(rows), dtype=bool)
    begins[1:] = (rows["device_id"][1:] != rows["device_id"][:-1]) | (
        rows["received_at"][1:] != rows["received_at"][:-1]
    )
    starts = np.flatnonzero(begins)
    made = np.empty(len(starts), CONTACTS)
    if not len(starts):
        return made
    made["device_id"], made["received_at"] = rows["device_id"][starts], rows["received_at"][starts]
    made["messages"] = np.diff(np.append(starts, len(rows)))
    made["first_observed_at"] = np.minimum.reduceat(rows["observed_at"], starts)
    made["last_observed_at"] = np.maximum.reduceat(rows["observed_at"], starts)
    made["online"] = True
    return made
