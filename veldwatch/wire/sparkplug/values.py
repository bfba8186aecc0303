"""Values of metrics: what a datatype makes of the field that protobuf carries.

Signed integers come as unsigned ones and are converted; a Boolean is 0 or 1; a Float is the shortest decimal that means
it. What is no number is *told*: text, a moment as ISO 8601 text, bytes in base64, a table, an array.

Source: Eclipse Sparkplug Specification 3.0.0, section 6.4 (datatype details).
"""

import base64
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from veldwatch.errors import MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.wire.sparkplug.payload_pb2 import Payload
from veldwatch.wire.told import ToldKind
from veldwatch.wire.values import number, plausible, shown

Scalar = Payload.Metric | Payload.DataSet.DataSetValue | Payload.Template.Parameter
"""What carries a value in a field that its datatype names."""


class DataType(IntEnum):
    """Datatypes of metrics, by the specification's numbers."""

    UNKNOWN = 0
    INT8 = 1
    INT16 = 2
    INT32 = 3
    INT64 = 4
    UINT8 = 5
    UINT16 = 6
    UINT32 = 7
    UINT64 = 8
    FLOAT = 9
    DOUBLE = 10
    BOOLEAN = 11
    STRING = 12
    DATE_TIME = 13
    TEXT = 14
    UUID = 15
    DATA_SET = 16
    BYTES = 17
    FILE = 18
    TEMPLATE = 19
    INT8_ARRAY = 22
    INT16_ARRAY = 23
    INT32_ARRAY = 24
    INT64_ARRAY = 25
    UINT8_ARRAY = 26
    UINT16_ARRAY = 27
    UINT32_ARRAY = 28
    UINT64_ARRAY = 29
    FLOAT_ARRAY = 30
    DOUBLE_ARRAY = 31
    BOOLEAN_ARRAY = 32
    STRING_ARRAY = 33
    DATE_TIME_ARRAY = 34


class TextOrData(NamedTuple):
    """A value that is no number, with the kind of the event that holds it."""

    kind: ToldKind
    value: object


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BITS = {
    DataType.INT8: 8, DataType.INT16: 16, DataType.INT32: 32, DataType.INT64: 64,
    DataType.UINT8: 8, DataType.UINT16: 16, DataType.UINT32: 32, DataType.UINT64: 64,
}  # fmt: skip
_SIGNED = frozenset({DataType.INT8, DataType.INT16, DataType.INT32, DataType.INT64})
_TEXTS = frozenset({DataType.STRING, DataType.TEXT, DataType.UUID})
_ELEMENTS = {
    DataType.INT8_ARRAY: "<i1", DataType.INT16_ARRAY: "<i2", DataType.INT32_ARRAY: "<i4", DataType.INT64_ARRAY: "<i8",
    DataType.UINT8_ARRAY: "<u1", DataType.UINT16_ARRAY: "<u2", DataType.UINT32_ARRAY: "<u4",
    DataType.UINT64_ARRAY: "<u8", DataType.FLOAT_ARRAY: "<f4", DataType.DOUBLE_ARRAY: "<f8",
    DataType.DATE_TIME_ARRAY: "<u8",
}  # fmt: skip
_WHOLE = ("int_value", "long_value")
_FIELDS: Mapping[DataType, tuple[str, ...]] = {
    **dict.fromkeys((*_BITS, DataType.DATE_TIME), _WHOLE),
    DataType.FLOAT: ("float_value", "double_value"),
    DataType.DOUBLE: ("double_value", "float_value"),
    DataType.BOOLEAN: ("boolean_value",),
    **dict.fromkeys(_TEXTS, ("string_value",)),
    **dict.fromkeys((DataType.BYTES, DataType.FILE, *_ELEMENTS), ("bytes_value",)),
    DataType.BOOLEAN_ARRAY: ("bytes_value",),
    DataType.STRING_ARRAY: ("bytes_value",),
    DataType.DATA_SET: ("dataset_value",),
}
# Where no datatype is known: what the field itself says.
_PLAIN = {
    "int_value": DataType.UINT32, "long_value": DataType.UINT64, "float_value": DataType.FLOAT,
    "double_value": DataType.DOUBLE, "boolean_value": DataType.BOOLEAN, "string_value": DataType.STRING,
    "bytes_value": DataType.BYTES, "dataset_value": DataType.DATA_SET,
}  # fmt: skip


def fits(datatype: int, field: str) -> bool:
    """Tell whether a value in that field can be of that datatype; one that nobody told fits every field."""
    known = _datatype(datatype)
    return known is DataType.UNKNOWN or field in _FIELDS.get(known, ())


def value_of(carrier: Scalar, datatype: int, field: str) -> float | TextOrData:
    """Read the value in a field.

    Raises:
        MessageRejected: `bad_value`: of another datatype, out of its range, not finite, or of no datatype that we know.
    """
    known = _datatype(datatype)
    if known is DataType.UNKNOWN:
        known = _PLAIN.get(field, DataType.UNKNOWN)
    if field not in _FIELDS.get(known, ()):
        raise MessageRejected(Reason.BAD_VALUE, f"{field} is none of datatype {known.name.lower()} ({datatype})")
    value: object = getattr(carrier, field)
    reader = _READERS.get(known)
    return _whole(value, known) if reader is None else reader(value, known)


def milliseconds(value: int) -> datetime:
    """Read a time of the specification: milliseconds since 1970, UTC.

    Raises:
        MessageRejected: `bad_time`: after the year 9999.
    """
    try:
        return _EPOCH + timedelta(milliseconds=value)
    except OverflowError as error:
        raise MessageRejected(Reason.BAD_TIME, f"{value} ms since 1970 is no time") from error


def _datatype(code: int) -> DataType:
    try:
        return DataType(code)
    except ValueError:
        return DataType.UNKNOWN


def _whole(value: object, datatype: DataType) -> float:
    """A signed integer comes as the unsigned one of the same bits, in its own width or sign-extended to the field's."""
    bits = _BITS[datatype]
    whole = value if isinstance(value, int) else -1
    if datatype in _SIGNED:
        half = 2 ** (bits - 1)
        for width in {bits, max(bits, 32), 64}:
            if 2**width - half <= whole < 2**width:
                return number(whole - 2**width)
        bits -= 1
    if not 0 <= whole < 2**bits:
        raise MessageRejected(Reason.BAD_VALUE, f"{shown(value)} is out of range for {datatype.name.lower()}")
    return number(whole)


def _real(value: object, datatype: DataType) -> float:
    """As a double, the Float 0.1 is 0.10000000149011612: the shortest decimal says what was meant; a whole one is."""
    given = value if isinstance(value, float) else float("nan")
    fraction = datatype is DataType.FLOAT and not given.is_integer()
    return plausible(float(str(np.float32(given))) if fraction else given)


def _boolean(value: object, _datatype: DataType) -> float:
    return float(bool(value))


def _text(value: object, _datatype: DataType) -> TextOrData:
    if not isinstance(value, str):  # protobuf gives what is not UTF-8 as bytes
        raise MessageRejected(Reason.BAD_VALUE, "text that is not UTF-8")
    return TextOrData("text", value)


def _moment(value: object, _datatype: DataType) -> TextOrData:
    try:
        return TextOrData("text", milliseconds(value if isinstance(value, int) else 0).isoformat())
    except MessageRejected as error:
        raise MessageRejected(Reason.BAD_VALUE, error.detail) from error


def _bytes(value: object, _datatype: DataType) -> TextOrData:
    return TextOrData("data", base64.b64encode(_content(value)).decode())


def _numbers(value: object, datatype: DataType) -> TextOrData:
    content, element = _content(value), np.dtype(_ELEMENTS[datatype])
    if len(content) % element.itemsize:
        raise MessageRejected(Reason.BAD_VALUE, f"{len(content)} bytes are no {datatype.name.lower()}")
    found: list[object] = np.frombuffer(content, element).tolist()
    if datatype is DataType.DATE_TIME_ARRAY:
        found = [milliseconds(each).isoformat() if isinstance(each, int) else None for each in found]
    # JSON has no NaN and no infinity.
    return TextOrData("data", [None if isinstance(each, float) and not np.isfinite(each) else each for each in found])


def _booleans(value: object, _datatype: DataType) -> TextOrData:
    """Four bytes say how many there are, then eight to a byte, the first in the highest bit."""
    content = _content(value)
    count = int.from_bytes(content[:4], "little")
    if len(content) < 4 or count > 8 * (len(content) - 4):
        raise MessageRejected(Reason.BAD_VALUE, f"{len(content)} bytes are no array of {count} booleans")
    bits = np.unpackbits(np.frombuffer(content[4:], np.uint8), count=count)
    return TextOrData("data", bits.astype(bool).tolist())


def _texts(value: object, _datatype: DataType) -> TextOrData:
    """Each text ends with a zero byte."""
    content = _content(value)
    if content and content[-1]:
        raise MessageRejected(Reason.BAD_VALUE, "the last text of the array has no end")
    return TextOrData("data", [each.decode(errors="replace") for each in content.split(b"\0")[:-1]])


def _table(value: object, _datatype: DataType) -> TextOrData:
    if not isinstance(value, Payload.DataSet):
        raise MessageRejected(Reason.BAD_VALUE, "no table")
    types = list(value.types)
    rows = [
        [_cell(cell, types[n] if n < len(types) else 0) for n, cell in enumerate(row.elements)] for row in value.rows
    ]
    return TextOrData("data", {"columns": [f"{name}" for name in value.columns], "rows": rows})


def _cell(cell: Payload.DataSet.DataSetValue, datatype: int) -> object:
    """A cell that cannot be read is null, as one that is not there: the table's others stand."""
    field = cell.WhichOneof("value")
    if field is None:
        return None
    try:
        found = value_of(cell, datatype, field)
    except MessageRejected:
        return None
    return found.value if isinstance(found, TextOrData) else found


def _content(value: object) -> bytes:
    return value if isinstance(value, bytes) else b""


_Reader = Callable[[object, DataType], float | TextOrData]
_READERS: Mapping[DataType, _Reader] = {
    DataType.FLOAT: _real,
    DataType.DOUBLE: _real,
    DataType.BOOLEAN: _boolean,
    **dict.fromkeys(_TEXTS, _text),
    DataType.DATE_TIME: _moment,
    DataType.BYTES: _bytes,
    DataType.FILE: _bytes,
    **dict.fromkeys(_ELEMENTS, _numbers),
    DataType.BOOLEAN_ARRAY: _booleans,
    DataType.STRING_ARRAY: _texts,
    DataType.DATA_SET: _table,
}
