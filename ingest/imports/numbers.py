"""Numbers of a column of text, all at once: the values of those that are surely numbers, and which those are.

What is not sure (other text, a number out of range, a blank at an odd place) is left to `veldwatch.wire.values`,
which names the reason. A property test holds the two against each other.
"""

from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt
import pyarrow
import pyarrow.compute

from ingest.imports.cells import Column
from veldwatch.model.telemetry import LARGEST_VALUE

_arrow, _compute = cast("Any", pyarrow), cast("Any", pyarrow.compute)

# The grammar of JSON numbers, as in `veldwatch.wire.values`; longer ones than this are left to it.
_NUMBER = r"^-?(?:0|[1-9][0-9]{0,300})(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,5})?$"
_DECIMAL_COMMA = r"^-?(?:0|[1-9][0-9]{0,300})(?:,[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,5})?$"


class Numbers(NamedTuple):
    """Values of a column.

    Attributes:
        values: where `sure`; 0 elsewhere.
        blank: cells that say nothing.
    """

    values: npt.NDArray[np.float64]
    sure: npt.NDArray[np.bool_]
    blank: npt.NDArray[np.bool_]


def read_numbers(cells: Column, *, decimal_comma: bool = False) -> Numbers:
    """Read a column; blanks around a number are none of it."""
    if not _arrow.types.is_string(cells.type):
        return _read_typed(cells)
    pattern = _DECIMAL_COMMA if decimal_comma else _NUMBER
    matches = _compute.match_substring_regex(cells, pattern)
    if not _compute.all(matches).as_py():
        cells = _compute.ascii_trim_whitespace(cells)
        matches = _compute.match_substring_regex(cells, pattern)
    if decimal_comma:
        cells = _compute.replace_substring(cells, ",", ".")
    values = as_numpy(_compute.cast(_compute.if_else(matches, cells, "0"), _arrow.float64()))
    sure = as_numpy(matches) & (np.abs(values) <= LARGEST_VALUE)
    return Numbers(np.where(sure, values, 0.0), sure, as_numpy(_compute.equal(_compute.binary_length(cells), 0)))


def is_said(cells: Column) -> npt.NDArray[np.bool_]:
    """Tell which cells are not blank."""
    if not _arrow.types.is_string(cells.type):
        return as_numpy(cells.is_valid())
    return as_numpy(_compute.not_equal(_compute.binary_length(cells), 0))


def as_numpy(column: Column) -> npt.NDArray[Any]:
    """Give an Arrow column without null as an array."""
    return column.to_numpy(zero_copy_only=False)


def point(cell: str) -> str:
    """Put a decimal point in the place of a decimal comma; a cell that has a point already is no number then."""
    return cell.replace(",", ".", 1) if "." not in cell else f"{cell} (with a decimal comma)"


def _read_typed(cells: Column) -> Numbers:
    """Take a column of a file that has types; a number that is none (NaN) is not blank, and not sure."""
    said = is_said(cells)
    if not (_arrow.types.is_floating(cells.type) or _arrow.types.is_integer(cells.type)):
        return Numbers(np.zeros(len(cells)), np.zeros(len(cells), dtype=bool), ~said)
    values = as_numpy(_compute.fill_null(_compute.cast(cells, _arrow.float64(), safe=False), 0.0))
    sure = said & (np.abs(values) <= LARGEST_VALUE)
    return Numbers(np.where(sure, values, 0.0), sure, ~said)
