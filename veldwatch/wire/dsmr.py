"""DSMR P1: telegrams of smart meters as their customer port sends them (2.2 to 5, Belgian and Luxembourg kinds too).

The device is the electricity meter's equipment identifier; a value is a reading under its OBIS code (`1-0:1.8.1`).
Times end in W or S for winter and summer time of the option `time_zone`. What a meter on the M-Bus said (gas, water,
heat) has that meter's own time, often an hour old. A telegram whose checksum is wrong is refused whole; from version
4 on it must have one.

Source: Netbeheer Nederland, P1 Companion Standard 5.0.2, chapters 5 and 6; e-MUCS P1 1.7.1 (Belgium).
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from veldwatch.errors import MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import EARLIEST_OBSERVATION, Decoded
from veldwatch.wire.collected import Collected, When
from veldwatch.wire.local_times import in_zone, read_zone
from veldwatch.wire.options import Decoder, read_options
from veldwatch.wire.times import checked, observed_or_arrival
from veldwatch.wire.units import canonical
from veldwatch.wire.values import checked_name

_LINE = re.compile(r"(?P<code>[0-9]+-[0-9]+:[0-9]+\.[0-9]+\.[0-9]+)(?:\*[0-9]+)?(?P<groups>(?:\([^()]*\))+)", re.ASCII)
_GROUP = re.compile(r"\(([^()]*)\)")
_MEASURED = re.compile(r"(?P<number>-?[0-9]{1,12}(?:\.[0-9]{1,9})?)\*(?P<unit>[A-Za-z][A-Za-z0-9]{0,7})", re.ASCII)
_MOMENT = re.compile(r"(?P<digits>[0-9]{12})(?P<season>[WS]?)", re.ASCII)
_END = re.compile(rb"[\r\n]!(?P<checksum>[0-9A-Fa-f]{4})?[ \t]*\r?\n?")
_PLAIN = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?", re.ASCII)
# Tariff, failures, sags and swells of each phase, breaker and valve positions: numbers that have no unit.
_COUNTS = re.compile(
    r"(?:0-0:96\.14\.0|[01]-0:96\.7\.[0-9]+|1-0:[357]2\.3[26]\.0|[01]-[0-9]:(?:96\.3\.10|24\.4\.0))", re.ASCII
)
_VERSION = frozenset({"1-3:0.2.8", "0-0:96.1.4"})
_METERS = ("0-0:96.1.1", "0-0:42.0.0", "0-0:96.1.0", "1-0:96.1.0", "1-0:0.0.0")
_TELEGRAM_TIME = "0-0:1.0.0"
_FAILURES = "1-0:99.97.0"
_PEAKS = "0-0:98.1.0"
_OLD_GAS = re.compile(r"0-[0-9]:24\.3\.0", re.ASCII)
_FIRST_METERS = datetime(2007, 1, 1, tzinfo=UTC)
"""Year of the first DSMR; a log that was never used is filled with moments of the year 2000."""
_POLYNOMIAL = 0xA001
"""CRC16 with x16 + x15 + x2 + 1, least significant bit first, starting at 0; P1 Companion Standard 5.0.2, 6.2."""


class _Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a source may tell.

    Attributes:
        time_zone: of the meters.
        device: for telegrams that name no meter; without it, their first line, which names a make, does.
    """

    time_zone: str = "Europe/Amsterdam"
    device: str = ""


class _Telegram(NamedTuple):
    """A telegram that came whole: its first line, and OBIS code to the contents of its brackets."""

    identification: str
    objects: dict[str, list[str]]
    zone: ZoneInfo
    received_at: datetime


def configure(given: Mapping[str, object]) -> Decoder:
    """Make the decoder of one source."""
    options = read_options(_Options, given)
    zone = read_zone(options.time_zone) or ZoneInfo("Europe/Amsterdam")

    def decode(topic: str, payload: bytes, received_at: datetime) -> Decoded:
        del topic  # the meter is named in the telegram; the topic is free
        return _decoded(_Telegram(*_objects(payload), zone, received_at), options.device)

    return decode


def checksum(text: bytes) -> int:
    """Compute the checksum of a telegram, from its `/` to its `!`, both included."""
    value = 0
    for byte in text:
        value = (value >> 8) ^ _CHECKSUMS[(value ^ byte) & 0xFF]
    return value


def _checksum_of(byte: int) -> int:
    for _ in range(8):
        byte = (byte >> 1) ^ _POLYNOMIAL if byte & 1 else byte >> 1
    return byte


_CHECKSUMS = tuple(map(_checksum_of, range(256)))
"""Of each byte: bit by bit, a telegram would take as long as all its values."""


def _objects(payload: bytes) -> tuple[str, dict[str, list[str]]]:
    start = payload.find(b"/")
    end = _END.search(payload, start) if start >= 0 else None
    if end is None:
        raise MessageRejected(Reason.UNKNOWN_MESSAGE_TYPE, "no P1 telegram: it begins with / and ends with a line of !")
    body = payload[start : payload.index(b"!", end.start()) + 1]
    objects: dict[str, list[str]] = {}
    # Before version 4 a gas meter's value stands on a line of its own, below its time.
    identification, *lines = body.decode("latin-1").replace("\r", "").replace("\n(", "(").split("\n")
    for line in lines:
        match = _LINE.fullmatch(line.strip())
        if match is not None:
            objects.setdefault(match["code"], _GROUP.findall(match["groups"]))
    _check(body, end["checksum"], must=not _VERSION.isdisjoint(objects))
    return identification[1:].strip(), objects


def _check(body: bytes, said: bytes | None, *, must: bool) -> None:
    if said is None:
        if must:
            raise MessageRejected(Reason.MALFORMED_PAYLOAD, "no checksum: the telegram is cut")
        return
    wanted, found = int(said, 16), checksum(body)
    # Some readers change the ends of lines after the meter has computed the checksum over CR LF.
    if wanted != found and wanted != checksum(body.replace(b"\r", b"").replace(b"\n", b"\r\n")):
        raise MessageRejected(Reason.MALFORMED_PAYLOAD, f"checksum is {found:04X}, the telegram says {wanted:04X}")


def _decoded(telegram: _Telegram, fallback: str) -> Decoded:
    objects = telegram.objects
    named = next((objects[code][0] for code in _METERS if objects.get(code, [""])[0]), "")
    device = checked_name(named or fallback or telegram.identification, "equipment identifier")
    parts = Collected(device, _telegram_time(telegram))
    for code, groups in objects.items():
        try:
            _object(telegram, parts, code, groups)
        except MessageRejected as error:
            parts.reject(code, error)
    return parts.decoded()


def _telegram_time(telegram: _Telegram) -> When:
    said = telegram.objects.get(_TELEGRAM_TIME, [""])[0]
    moment = _moment(telegram, said)
    if moment is None:
        return observed_or_arrival(None, telegram.received_at)
    return checked(moment, telegram.received_at)


def _object(telegram: _Telegram, parts: Collected, code: str, groups: list[str]) -> None:
    if code == _FAILURES:
        _failures(telegram, parts, groups)
    elif code == _PEAKS:
        _peaks(telegram, parts, groups)
    elif _OLD_GAS.fullmatch(code):
        _old_gas(telegram, parts, code, groups)
    elif len(groups) == 1 and _COUNTS.fullmatch(code) and _PLAIN.fullmatch(groups[0]):
        parts.reading(code, float(groups[0]), "1")
    elif len(groups) <= 2:
        _measured(telegram, parts, code, groups)


def _measured(telegram: _Telegram, parts: Collected, code: str, groups: list[str]) -> None:
    """Read `(001581.123*kWh)`, or `(161129200000W)(00981.443*m3)` with a time of its own."""
    match = _MEASURED.fullmatch(groups[-1])
    if match is None:
        return
    when = _own_time(telegram, groups[0]) if len(groups) == 2 else None
    if len(groups) == 1 or when is not None:
        parts.reading(code, float(match["number"]), canonical(match["unit"]), when=when)


def _old_gas(telegram: _Telegram, parts: Collected, code: str, groups: list[str]) -> None:
    """Read the hourly gas value of versions 2 and 3: (time)(status)(..)(..)(code)(unit)(value)."""
    when = _own_time(telegram, groups[0])
    if when is not None and len(groups) >= 7 and _PLAIN.fullmatch(groups[-1]):
        parts.reading(code, float(groups[-1]), canonical(groups[5]), when=when)


def _failures(telegram: _Telegram, parts: Collected, groups: list[str]) -> None:
    """Read the log of long power failures: (count)(code), then the end and the length of each."""
    for end, length in zip(groups[2::2], groups[3::2], strict=False):
        match, when = _MEASURED.fullmatch(length), _own_time(telegram, end)
        if match is not None and when is not None and when[0] >= _FIRST_METERS:
            parts.event("power_failure", {"duration_seconds": int(float(match["number"]))}, when=when)


def _peaks(telegram: _Telegram, parts: Collected, groups: list[str]) -> None:
    """Read the highest quarter-hour of each month: (count)(code)(code), then (end)(when)(value) of each."""
    for moment, value in zip(groups[4::3], groups[5::3], strict=False):
        match, when = _MEASURED.fullmatch(value), _own_time(telegram, moment)
        if match is not None and when is not None:
            parts.reading(_PEAKS, float(match["number"]), canonical(match["unit"]), when=when)


def _own_time(telegram: _Telegram, text: str) -> When | None:
    """Read the time of one object; None: no meter is there, so its place holds zeros or what was never set."""
    moment = _moment(telegram, text)
    return None if moment is None else checked(moment, telegram.received_at)


def _moment(telegram: _Telegram, text: str) -> datetime | None:
    match = _MOMENT.fullmatch(text)
    if match is None:
        return None
    try:
        local = datetime.strptime(match["digits"], "%y%m%d%H%M%S")  # noqa: DTZ007  # put into its zone below
    except ValueError:
        return None
    if match["season"]:
        january = datetime(local.year, 1, 1, tzinfo=telegram.zone)
        standard = (january.utcoffset() or timedelta()) - (january.dst() or timedelta())
        moment = (local - standard - timedelta(hours=match["season"] == "S")).replace(tzinfo=UTC)
    else:
        moment = in_zone(local, telegram.zone, telegram.received_at)
    return moment if moment >= EARLIEST_OBSERVATION else None
