"""Every datatype: what the device meant is what is stored, or there is a reason."""

import base64
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.veldwatch.wire.sparkplug.edge_node import metric
from veldwatch.errors import MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.wire.sparkplug.payload_pb2 import Payload
from veldwatch.wire.sparkplug.values import DataType, TextOrData, value_of
from veldwatch.wire.told import ToldKind

RANGES = {
    DataType.INT8: (-(2**7), 2**7 - 1), DataType.INT16: (-(2**15), 2**15 - 1), DataType.INT32: (-(2**31), 2**31 - 1),
    DataType.INT64: (-(2**53), 2**53), DataType.UINT8: (0, 2**8 - 1), DataType.UINT16: (0, 2**16 - 1),
    DataType.UINT32: (0, 2**32 - 1), DataType.UINT64: (0, 2**53),
}  # fmt: skip


def read(made: Payload.Metric) -> float | TextOrData:
    field = Payload.Metric.FromString(made.SerializeToString()).WhichOneof("value")
    assert field is not None
    return value_of(made, made.datatype, field)


@given(st.sampled_from(sorted(RANGES)).flatmap(lambda t: st.tuples(st.just(t), st.integers(*RANGES[t]))))
def test_whole_numbers_come_back(case: tuple[DataType, int]) -> None:
    datatype, value = case
    assert read(metric("a", value, datatype)) == value


@pytest.mark.parametrize(
    ("datatype", "sent", "meant"),
    [
        (DataType.INT8, 255, -1),
        (DataType.INT8, 2**32 - 1, -1),
        (DataType.INT16, 2**16 - 2, -2),
        (DataType.INT16, 32767, 32767),
    ],
)
def test_a_signed_number_may_come_in_its_own_width_or_sign_extended(
    datatype: DataType, sent: int, meant: float
) -> None:
    assert read(metric("a", sent, datatype)) == meant


def test_a_whole_number_may_come_in_the_longer_field() -> None:
    assert read(metric("a", -5, DataType.INT32, field="long_value")) == -5
    assert read(metric("a", 5, DataType.UINT64, field="int_value")) == 5


@given(st.floats(width=32, allow_nan=False, allow_infinity=False, max_value=2.0**53, min_value=-(2.0**53)))
def test_a_float_means_the_shortest_decimal(value: float) -> None:
    found = read(metric("a", value, DataType.FLOAT))
    assert isinstance(found, float)
    assert struct.pack("<f", found) == struct.pack("<f", value)
    assert len(repr(found)) <= len(repr(value))
    assert found == value or not value.is_integer()


@given(st.floats(allow_nan=False, allow_infinity=False, max_value=2.0**53, min_value=-(2.0**53)))
def test_a_double_comes_back(value: float) -> None:
    assert read(metric("a", value, DataType.DOUBLE)) == value


@pytest.mark.parametrize(
    "made",
    [
        metric("a", 256, DataType.UINT8), metric("a", 300, DataType.INT8), metric("a", 2**31, DataType.UINT16),
        metric("a", 2**63, DataType.UINT64), metric("a", float("nan")), metric("a", float("-inf"), DataType.FLOAT),
        metric("a", "1", DataType.DOUBLE, field="string_value"), metric("a", 1, DataType.STRING, field="int_value"),
        metric("a", 1, DataType.BOOLEAN, field="int_value"), metric("a", 2**60, DataType.DATE_TIME),
        metric("a", b"123", DataType.INT16_ARRAY), metric("a", b"\x09\0\0\0\xff", DataType.BOOLEAN_ARRAY),
        metric("a", b"\x01", DataType.BOOLEAN_ARRAY), metric("a", b"no end", DataType.STRING_ARRAY),
    ],
)  # fmt: skip
def test_what_cannot_be_of_its_datatype_has_a_reason(made: Payload.Metric) -> None:
    with pytest.raises(MessageRejected) as raised:
        read(made)
    assert raised.value.reason is Reason.BAD_VALUE


def test_text_that_is_not_utf_8_has_a_reason() -> None:
    made = Payload.Metric.FromString(b"\x20\x0c\x7a\x02\xff\xfe")
    with pytest.raises(MessageRejected):
        value_of(made, made.datatype, "string_value")


TABLE = Payload.DataSet(
    columns=["when", "low"],
    types=[DataType.STRING, DataType.INT8],
    rows=[{"elements": [{"string_value": "a"}, {"int_value": 255}]}, {"elements": [{"int_value": 1}, {}]}],
)


@pytest.mark.parametrize(
    ("datatype", "value", "kind", "meant"),
    [
        (DataType.STRING, "ü", "text", "ü"),
        (DataType.TEXT, "", "text", ""),
        (DataType.UUID, "u", "text", "u"),
        (DataType.DATE_TIME, 1_772_366_400_001, "text", "2026-03-01T12:00:00.001000+00:00"),
        (DataType.BYTES, b"\0\xff", "data", base64.b64encode(b"\0\xff").decode()),
        (DataType.FILE, b"", "data", ""),
        (DataType.DATA_SET, TABLE, "data", {"columns": ["when", "low"], "rows": [["a", -1], [None, None]]}),
        (DataType.INT8_ARRAY, b"\xff\x01", "data", [-1, 1]),
        (DataType.UINT16_ARRAY, b"\x01\x02", "data", [513]),
        (DataType.INT64_ARRAY, struct.pack("<q", -9), "data", [-9]),
        (DataType.FLOAT_ARRAY, struct.pack("<2f", 0.5, float("nan")), "data", [0.5, None]),
        (DataType.DOUBLE_ARRAY, struct.pack("<d", 0.1), "data", [0.1]),
        (DataType.DATE_TIME_ARRAY, struct.pack("<Q", 0), "data", ["1970-01-01T00:00:00+00:00"]),
        (DataType.BOOLEAN_ARRAY, b"\x0a\0\0\0\xc0\x40", "data", [True, True, *[False] * 7, True]),
        (DataType.STRING_ARRAY, b"ab\0\0c\0", "data", ["ab", "", "c"]),
        (DataType.STRING_ARRAY, b"", "data", []),
    ],
)
def test_what_is_no_number_is_told(datatype: DataType, value: Any, kind: ToldKind, meant: object) -> None:  # noqa: ANN401
    assert read(metric("a", value, datatype)) == TextOrData(kind, meant)


@pytest.mark.parametrize(
    ("field", "value", "meant"),
    [
        ("int_value", 7, 7),
        ("float_value", 0.1, 0.1),
        ("boolean_value", True, 1),
        ("string_value", "x", TextOrData("text", "x")),
    ],
)
def test_without_a_datatype_the_field_says_it(field: str, value: object, meant: object) -> None:
    assert value_of(metric("a", value, None, field=field), 0, field) == meant
    assert value_of(metric("a", value, None, field=field), 99, field) == meant
