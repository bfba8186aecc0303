"""From the records of a pack to resolved ones: base fields applied, times absolute, each record complete in itself.

A base field holds for its own record and those after it, until the next of the same label. A record that breaks a
rule costs itself; a base field or a version that does, costs the pack, since no record after it can be trusted.

Source: RFC 8428, section 4 (structure and semantics), section 4.6 (resolved records); RFC 9100 (versions).
"""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from veldwatch.errors import MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import Quality, Rejection
from veldwatch.wire.senml.pack import Record
from veldwatch.wire.times import checked
from veldwatch.wire.values import LONGEST_NAME, number, plausible, shown

_VERSION = 10
_WITH_SECONDARY_UNITS = 26
"""Version 10 and feature 4, 2**4. Source: RFC 9100, section 3."""
_RELATIVE_BELOW = 2**28
"""Of seconds: less is relative to now. Source: RFC 8428, section 4.5.3."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAME = re.compile(r"[A-Za-z0-9][-:._/A-Za-z0-9]*", re.ASCII)
_BASE = ("bn", "bt", "bu", "bv", "bs", "bver")
_VALUES = ("v", "vs", "vb", "vd")
_KNOWN = frozenset({*_BASE, *_VALUES, "n", "u", "s", "t", "ut"})


class Resolved(NamedTuple):
    """One record, complete.

    Attributes:
        unit: as sent; None: it has none.
        value: a number, text, a truth value, or bytes; None: it has a sum only.
        total: value integrated over time, in its unit times seconds; None: it has no sum.
        when: time and the quality that follows from it.
    """

    name: str
    unit: str | None
    value: float | str | bool | bytes | None
    total: float | None
    when: tuple[datetime, int]


@dataclass(slots=True)
class _Bases:
    name: str = ""
    time: float = 0.0
    unit: str | None = None
    value: float | None = None
    total: float | None = None


def resolve(records: Sequence[Record], received_at: datetime) -> tuple[list[Resolved], list[Rejection]]:
    """Resolve a pack.

    Returns:
        The records that are right, in their order, and what is wrong with the others; both may be empty.

    Raises:
        MessageRejected: a version that is not known, a field that has to be understood, or a wrong base field.
    """
    bases = _Bases()
    resolved: list[Resolved] = []
    rejections: list[Rejection] = []
    for place, record in enumerate(records):
        _check_understood(record, place)
        _apply(bases, record, place)
        if not record.keys() & _KNOWN - {*_BASE, "ut"} and bases.value is None and bases.total is None:
            continue  # it says what holds for those after it
        try:
            resolved.append(_resolved(bases, record, received_at))
        except MessageRejected as error:
            rejections.append(Rejection(error.reason, f"record {place}: {error.detail}"))
    return resolved, rejections


def _check_understood(record: Record, place: int) -> None:
    for label in record:
        if label.endswith("_"):
            raise MessageRejected(
                Reason.UNKNOWN_MESSAGE_TYPE, f"record {place}: {shown(label)} has to be understood, and is not known"
            )
    version = record.get("bver")
    if version is None:
        return
    if isinstance(version, bool) or not isinstance(version, (int, float)) or version != int(plausible(float(version))):
        raise MessageRejected(Reason.MALFORMED_PAYLOAD, f"record {place}: bver {shown(version)} (expected an integer)")
    if not (0 < version <= _VERSION or version == _WITH_SECONDARY_UNITS):
        raise MessageRejected(
            Reason.UNKNOWN_MESSAGE_TYPE, f"version {shown(version)} of SenML (known are up to 10, and 26)"
        )


def _apply(bases: _Bases, record: Record, place: int) -> None:
    try:
        bases.name = _text(record, "bn", bases.name) or ""
        bases.unit = _text(record, "bu", bases.unit) or None
        bases.time = _number(record, "bt", bases.time) or 0.0
        bases.value = _number(record, "bv", bases.value)
        bases.total = _number(record, "bs", bases.total)
    except MessageRejected as error:
        raise MessageRejected(Reason.MALFORMED_PAYLOAD, f"record {place}: {error.detail}") from error


def _resolved(bases: _Bases, record: Record, received_at: datetime) -> Resolved:
    given = [label for label in _VALUES if label in record]
    if len(given) > 1:
        raise MessageRejected(Reason.BAD_VALUE, f"{' and '.join(given)} (expected one value)")
    value = _value(record, given[0]) if given else None
    if value is None or isinstance(value, float):
        value = _sum(value, bases.value)
    total = _sum(_number(record, "s", None), bases.total)
    if value is None and total is None:
        raise MessageRejected(Reason.BAD_VALUE, "neither a value nor a sum")
    return Resolved(
        _name(bases, record),
        _text(record, "u", None) or bases.unit,
        value,
        total,
        _time(bases.time, _number(record, "t", 0.0) or 0.0, received_at),
    )


def _name(bases: _Bases, record: Record) -> str:
    # A base that is too long is not put before each name: that would take its length for each record.
    base = bases.name
    name = base if len(base) > LONGEST_NAME else base + (_text(record, "n", "") or "")
    if len(name) > LONGEST_NAME or _NAME.fullmatch(name) is None:
        raise MessageRejected(
            Reason.MALFORMED_PAYLOAD,
            f"bad name: {shown(name)} (expected 1 to {LONGEST_NAME} of A-Z a-z 0-9 - : . / _, first a letter or digit)",
        )
    return name


def _value(record: Record, label: str) -> float | str | bool | bytes:
    value = record[label]
    if label == "v":
        return number(value)
    if label == "vd":
        return _octets(value)
    if not isinstance(value, bool if label == "vb" else str):
        raise MessageRejected(Reason.BAD_VALUE, f"{label} is {shown(value)}")
    return value  # pyright: ignore[reportReturnType]  # checked the line before


def _octets(value: object) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        try:
            return base64.b64decode(value + "=" * (-len(value) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            pass
    raise MessageRejected(Reason.BAD_VALUE, f"vd is {shown(value)} (expected base64 with the URL's alphabet)")


def _time(base: float, own: float, received_at: datetime) -> tuple[datetime, int]:
    seconds = _sum(own, base) or 0.0
    try:
        moment = timedelta(microseconds=round(seconds * 1e6))
        if seconds >= _RELATIVE_BELOW:
            return checked(_EPOCH + moment, received_at)
        when, quality = checked(received_at + moment, received_at)
    except OverflowError as error:
        raise MessageRejected(Reason.BAD_TIME, f"{seconds!r} s is no time") from error
    return when, quality | int(Quality.TIME_OF_ARRIVAL)


def _sum(first: float | None, second: float | None) -> float | None:
    """Add as people do: 20.1 and 0.2 are 20.3; what is absent counts as 0, unless both are."""
    if first is None or second is None:
        return second if first is None else first
    return plausible(float(Decimal(repr(first)) + Decimal(repr(second)))) if first and second else first or second


def _number(record: Record, label: str, otherwise: float | None) -> float | None:
    if label not in record:
        return otherwise
    try:
        return number(record[label])
    except MessageRejected as error:
        raise MessageRejected(error.reason, f"{label}: {error.detail}") from error


def _text(record: Record, label: str, otherwise: str | None) -> str | None:
    value = record.get(label, otherwise)
    if value is None or isinstance(value, str):
        return value
    raise MessageRejected(Reason.MALFORMED_PAYLOAD, f"{label} is {shown(value)} (expected text)")
