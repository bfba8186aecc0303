"""What all formats' numbers, names and places are held against."""

from datetime import UTC, datetime

import pytest

from veldwatch.errors import MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.wire.values import (
    attributes,
    checked_name,
    coordinates,
    fix,
    foreign_number,
    items_of,
    members_of,
    number,
    number_or_text,
    read_json,
    switched,
)

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{",
        b'{"a":NaN}',
        b'{"a":+1}',
        b'{"a":12.}',
        b"[1] x",
        b'"\xff"',
        b'"\\ud800abc"',
        b"[" * 100_000,
        b"\xef\xbb\xbf{}",
        b"{'a': 1}",
    ],
)
def test_bytes_that_are_no_json_are_malformed(payload: bytes) -> None:
    with pytest.raises(MessageRejected) as caught:
        read_json(payload)
    assert caught.value.reason is Reason.MALFORMED_PAYLOAD


@pytest.mark.parametrize("payload", [b'{"a":-1e400}', b'{"a":' + b"9" * 5000 + b"}"])
def test_a_number_that_no_double_holds_is_a_bad_value(payload: bytes) -> None:
    with pytest.raises(MessageRejected) as caught:
        read_json(payload)
    assert caught.value.reason is Reason.BAD_VALUE


def test_of_a_repeated_key_the_last_counts() -> None:
    assert read_json(b'{"a":1,"a":2}') == {"a": 2}


@pytest.mark.parametrize("value", [None, True, "1", "x", [1], {}, 2**53 + 2, -(2**64), 10**400])
def test_what_is_no_plausible_number_is_a_bad_value(value: object) -> None:
    with pytest.raises(MessageRejected) as caught:
        number(value)
    assert caught.value.reason is Reason.BAD_VALUE


@pytest.mark.parametrize(("text", "value"), [("12.5", 12.5), ("-0", 0.0), ("1e3", 1000.0), ("-1.5E-2", -0.015)])
def test_a_string_in_the_grammar_of_json_is_a_number(text: str, value: float) -> None:
    assert number_or_text(text) == value


@pytest.mark.parametrize("text", ["", " 1", "1 ", "+1", "01", ".5", "1.", "1e999", "NaN", "0x10", "1_000", "١٢"])
def test_another_string_is_not(text: str) -> None:
    with pytest.raises(MessageRejected):
        number_or_text(text)


def test_a_codec_may_mean_a_boolean_or_a_numeric_string() -> None:
    assert [foreign_number(value) for value in (True, False, "24.1", 3)] == [1.0, 0.0, 24.1, 3.0]
    assert [foreign_number(value) for value in (None, "open", [1])] == [None] * 3


def test_the_word_of_a_switch_is_a_boolean() -> None:
    assert [switched(word) for word in ("ON", "off", "true", "False")] == [True, False, True, False]
    assert [switched(other) for other in ("OPEN", "", 1, None)] == ["OPEN", "", 1, None]


def test_what_is_no_object_or_list_has_no_parts() -> None:
    assert (members_of({"a": 1}), members_of([1]), members_of(None)) == ({"a": 1}, {}, {})
    assert (list(items_of([1])), list(items_of({"a": 1})), list(items_of("x"))) == ([1], [], [])


@pytest.mark.parametrize("name", ["", "x" * 257, "a\0b", None, 17])
def test_a_name_that_the_register_cannot_hold_is_refused(name: object) -> None:
    with pytest.raises(MessageRejected):
        checked_name(name, "metric")


@pytest.mark.parametrize(
    ("longitude", "latitude"), [(0, 0), (181, 0), (0, -91), (None, 5), (5, None), ("x", 1), (True, 1)]
)
def test_a_place_that_cannot_be_is_refused(longitude: object, latitude: object) -> None:
    with pytest.raises(MessageRejected) as caught:
        coordinates(longitude, latitude)
    assert caught.value.reason is Reason.BAD_POSITION


def test_a_part_of_a_fix_that_cannot_be_is_left_out() -> None:
    found = fix("collar", (NOW, 0), 31.5, -24.9, altitude=1e9, accuracy=-1, speed=-1, heading=361)
    assert found[2:8] == (31.5, -24.9, None, None, None, None)


def test_attributes_hold_nothing_that_the_database_cannot() -> None:
    assert attributes({"b": "x\0y", "a": "\\u0000"}) == '{"a":"\\\\u0000","b":"x\\ufffdy"}'
