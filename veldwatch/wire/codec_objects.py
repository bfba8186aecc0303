"""What a LoRaWAN codec makes of a device's bytes: nested JSON in the codec author's own words.

`flatten` finds its values, `place_in` a latitude beside a longitude in their usual spellings. Both take time in
proportion to the message: names grow from level to level, so neither goes below one that cannot be stored.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple, cast

from veldwatch.errors import MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.wire.units import spoken
from veldwatch.wire.values import JsonObject, foreign_number, is_name, number_or_text

_DEEPEST = 16
_LATITUDE = re.compile(r"(?P<stem>.*?)(?:latitude|lat)(?:deg|degrees)?")
_LONGITUDES = ("longitude", "long", "lon", "lng")
_SUFFIXES = ("", "deg", "degrees")
_ALTITUDES = ("altitude", "alt", "height", "altitudemetres", "altitudem")
_ACCURACIES = ("accuracy", "horizontalaccuracy", "acc")
_KMH = 3.6
# Codecs pass on the bytes themselves in hexadecimal, versions and serial numbers: some of these consist of digits only.
_IDENTITY = re.compile(
    r"payload|hex|(?<!con)(?<!in)version|firmware|hardware|serial|eui$|imei|imsi|iccid|(?-i:Id$)"
    r"|(?:^|[._])(?:fw|hw|sw|sn|mac|uuid|uid|id)(?:$|[._])",
    re.IGNORECASE,
)


class Measured(NamedTuple):
    """One value under its flattened name; unit None: the codec names none that we know."""

    name: str
    value: object
    unit: str | None

    def checked(self) -> float:
        """Give the value, or say why it cannot be one."""
        found = foreign_number(self.value)
        if found is None:
            raise MessageRejected(Reason.BAD_VALUE, "not a number")
        return found


class Place(NamedTuple):
    """Where a device says that it is, unchecked: degrees, metres, m/s; and the flattened names of the coordinates."""

    longitude: object
    latitude: object
    altitude: object = None
    accuracy: object = None
    speed: object = None
    heading: object = None
    keys: frozenset[str] = frozenset()


def flatten(content: JsonObject) -> Iterator[Measured]:
    """Yield the values of an object, names joined with dots; what is no value (text, null) is left out.

    Of what stands below a name that is too long, one value is given, for the name to be told.
    """
    yield from _flatten(content, "", 0)


def is_identity(measured: Measured) -> bool:
    """Tell text that looks like a number and says who or what a device is, or repeats its bytes, from a value."""
    return isinstance(measured.value, str) and _IDENTITY.search(measured.name) is not None


def place_in(content: JsonObject) -> Place | None:
    """Find the first latitude beside a longitude, outermost first; None: there is none, or both are null."""
    return _place_in(content, "", 0)


def _flatten(node: object, path: str, depth: int) -> Iterator[Measured]:
    if isinstance(node, dict) and _is_quantity(cast("JsonObject", node)):
        members = cast("JsonObject", node)
        yield Measured(path or "value", members["value"], _unit(members))
    elif isinstance(node, (dict, list)):
        if path and not is_name(path):
            below = _values(cast("JsonObject | list[object]", node), depth)
            yield from (Measured(path, value, None) for value in islice(below, 1))
        elif depth < _DEEPEST:
            for name, value in _members(cast("JsonObject | list[object]", node)):
                yield from _flatten(value, f"{path}.{name}" if path else name, depth + 1)
    elif _is_value(node):
        yield Measured(path, node, None)


def _values(node: object, depth: int) -> Iterator[object]:
    """Yield values without their names."""
    if isinstance(node, (dict, list)):
        if depth < _DEEPEST:
            for _, value in _members(cast("JsonObject | list[object]", node)):
                yield from _values(value, depth + 1)
    elif _is_value(node):
        yield node


def _members(node: JsonObject | list[object]) -> Iterable[tuple[str, object]]:
    if isinstance(node, list):
        return ((str(place), value) for place, value in enumerate(node))
    return node.items()


def _is_quantity(members: JsonObject) -> bool:
    return (
        "value" in members and _is_value(members["value"]) and bool(members.keys() & {"unit", "displayName", "units"})
    )


def _is_value(node: object) -> bool:
    if isinstance(node, (bool, int, float)):
        return True
    try:
        return isinstance(node, str) and foreign_number(node) is not None
    except MessageRejected:
        return True  # a numeric string too large: to be rejected by name


def _unit(members: JsonObject) -> str | None:
    unit = members.get("unit", members.get("units"))
    return spoken(unit) if isinstance(unit, str) else None


def _place_in(node: object, path: str, depth: int) -> Place | None:
    if not isinstance(node, dict) or depth > _DEEPEST or (path and not is_name(path)):
        return None
    members = cast("JsonObject", node)
    here = _beside(members, path)
    if here is not None:
        return here
    for name, value in members.items():
        if not isinstance(value, dict):
            continue  # a name is made only where something is below it
        found = _place_in(cast("JsonObject", value), f"{path}.{name}" if path else name, depth + 1)
        if found is not None:
            return found
    return None


def _beside(members: JsonObject, path: str) -> Place | None:
    plain = {re.sub(r"[_\-. ]", "", name).lower(): name for name in members}
    for key, latitude_name in plain.items():
        match = _LATITUDE.fullmatch(key)
        longitude_name = None if match is None else _longitude_beside(plain, match["stem"])
        if match is None or longitude_name is None:
            continue
        longitude, latitude = _bare(members[longitude_name]), _bare(members[latitude_name])
        if longitude is None or latitude is None:
            continue
        prefix = f"{path}." if path else ""
        return _place(members, plain, longitude, latitude, frozenset({prefix + longitude_name, prefix + latitude_name}))
    return None


def _longitude_beside(plain: dict[str, str], stem: str) -> str | None:
    for spelling in _LONGITUDES:
        for suffix in _SUFFIXES:
            if stem + spelling + suffix in plain:
                return plain[stem + spelling + suffix]
    return None


def _place(
    members: JsonObject, plain: dict[str, str], longitude: object, latitude: object, keys: frozenset[str]
) -> Place:
    def first(*names: str) -> object:
        return next((_bare(members[plain[name]]) for name in names if name in plain), None)

    return Place(
        longitude,
        latitude,
        altitude=first(*_ALTITUDES),
        accuracy=first(*_ACCURACIES),
        speed=_metres_per_second(first("speedkmph", "speedkmh")),
        heading=first("headingdeg", "heading", "course"),
        keys=keys,
    )


def _bare(value: object) -> object:
    bare = cast("JsonObject", value).get("value") if isinstance(value, dict) else value
    if isinstance(bare, bool) or not (isinstance(bare, (int, float)) or _is_value(bare)):
        return None
    return bare


def _metres_per_second(kilometres_per_hour: object) -> float | None:
    if kilometres_per_hour is None:
        return None
    try:
        return number_or_text(kilometres_per_hour) / _KMH
    except MessageRejected:
        return None
