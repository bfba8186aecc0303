"""What a LoRaWAN codec makes of a device's bytes: nested JSON in the codec author's own words.

`flatten` finds its values, `places_in` each latitude beside a longitude in their usual spellings. Coordinates are no
values: a series of latitudes would tell where an animal is to those from whom its places are hidden. Both take time
in proportion to the message: names grow from level to level, so neither goes below one that cannot be stored.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple, cast

from veldwatch.errors import MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.wire.units import spoken
from veldwatch.wire.values import JsonObject, foreign_number, is_name, items_of, number_or_text, switched

_DEEPEST = 16
_LATITUDE = re.compile(r"(?P<stem>.*?)(?:latitude|lat)(?:deg|degrees)?")
_LONGITUDES = ("longitude", "long", "lon", "lng")
_SUFFIXES = ("", "deg", "degrees")
# A receiver that found nothing sends where it was last. Source: Digital Matter, "Oyster LoRaWAN Payload"
# (fixFailed); u-blox, UBX-NAV-PVT (fixType 0: no fix); NMEA 0183, GGA (quality 0: fix not available).
_FAILED = ("fixfailed", "gpsfixfailed")
_FOUND = (
    "fix", "gpsfix", "gnssfix", "hasfix", "validfix", "fixvalid", "gpsvalid", "gpsfixvalid", "gnssvalid",
    "positionvalid", "locationvalid", "fixtype", "fixquality",
)  # fmt: skip
_TOLD = (*_FAILED, *_FOUND)
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
    """Where a device says that it is, unchecked: degrees, metres, m/s.

    Attributes:
        found: False: it says as well that its receiver found no place this time.
        listed: it is one of a list.
    """

    longitude: object
    latitude: object
    altitude: object = None
    accuracy: object = None
    speed: object = None
    heading: object = None
    found: bool = True
    listed: bool = False


class _Object(NamedTuple):
    path: str
    members: JsonObject
    listed: bool


def flatten(content: JsonObject) -> Iterator[Measured]:
    """Yield the values of an object, names joined with dots; what is no value (text, null) is left out, as coordinates.

    Of what stands below a name that is too long, one value is given, for the name to be told.
    """
    yield from _flatten(content, "", 0)


def is_identity(measured: Measured) -> bool:
    """Tell text that looks like a number and says who or what a device is, or repeats its bytes, from a value."""
    return isinstance(measured.value, str) and _IDENTITY.search(measured.name) is not None


def places_in(content: JsonObject) -> list[Place]:
    """Find each latitude beside a longitude: those that the receiver found before others, outermost first.

    Where one of the two is null there is no place. Places beside each other are ways to say one (of satellites, of
    access points); places of a list are of several moments, of which nothing more is known here.
    """
    found: list[Place] = []
    level = [_Object("", content, listed=False)]
    for _ in range(_DEEPEST + 1):
        found += [place for here in level for place in _places_beside(here)]
        level = [below for here in level for below in _objects_below(here.members, here.path, listed=here.listed)]
    return sorted(found, key=lambda place: not place.found)


def _flatten(node: object, path: str, depth: int) -> Iterator[Measured]:
    if isinstance(node, dict) and _is_quantity(cast("JsonObject", node)):
        members = cast("JsonObject", node)
        yield Measured(path or "value", members["value"], _unit(members))
    elif isinstance(node, (dict, list)):
        if path and not is_name(path):
            below = _values(cast("JsonObject | list[object]", node), depth)
            yield from (Measured(path, value, None) for value in islice(below, 1))
        elif depth < _DEEPEST:
            coordinates = _coordinates(cast("JsonObject", node)) if isinstance(node, dict) else ()
            for name, value in _members(cast("JsonObject | list[object]", node)):
                if name not in coordinates:
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


def _objects_below(node: JsonObject | list[object], path: str, *, listed: bool) -> Iterator[_Object]:
    """Yield the objects that a node holds, itself or in lists."""
    for name, value in _members(node):
        if not isinstance(value, (dict, list)):
            continue  # a name is made only where something is below it
        below = f"{path}.{name}" if path else name
        if not is_name(below):
            continue
        if isinstance(value, dict):
            yield _Object(below, cast("JsonObject", value), listed or isinstance(node, list))
        else:
            yield from _objects_below(cast("list[object]", value), below, listed=True)


def _coordinates(members: JsonObject) -> frozenset[str]:
    """Name the members of an object that are coordinates."""
    if _point(members) is not None:
        return frozenset({"coordinates"})
    return frozenset(name for pair in _pairs(_plain(members)) for name in pair)


def _places_beside(here: _Object) -> Iterator[Place]:
    point = _point(here.members)
    plain = _plain(here.members)
    pairs = [point] if point is not None else [(here.members[lon], here.members[lat]) for lat, lon in _pairs(plain)]
    for said in pairs:
        longitude, latitude = map(_bare, said)
        if longitude is not None and latitude is not None:
            yield _place(here, plain, longitude, latitude)


def _plain(members: JsonObject) -> dict[str, str]:
    """Give the names of an object by what is left of them without signs and capitals; where none says `lat`, none."""
    if not any("lat" in name.lower() for name in members):
        return {}
    return {re.sub(r"[_\-. ]", "", name).lower(): name for name in members}


def _pairs(plain: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the names of each latitude and of the longitude beside it."""
    for key, latitude_name in plain.items():
        match = _LATITUDE.fullmatch(key)
        longitude_name = None if match is None else _longitude_beside(plain, match["stem"])
        if longitude_name is not None:
            yield latitude_name, longitude_name


def _point(members: JsonObject) -> tuple[object, object] | None:
    """Read longitude and latitude of a point of GeoJSON; source: RFC 7946, section 3.1.2."""
    if members.get("type") != "Point":
        return None
    coordinates = items_of(members.get("coordinates"))
    return (coordinates[0], coordinates[1]) if len(coordinates) >= 2 else None


def _longitude_beside(plain: dict[str, str], stem: str) -> str | None:
    for spelling in _LONGITUDES:
        for suffix in _SUFFIXES:
            if stem + spelling + suffix in plain:
                return plain[stem + spelling + suffix]
    return None


def _place(here: _Object, plain: dict[str, str], longitude: object, latitude: object) -> Place:
    members = here.members

    def first(*names: str) -> object:
        return next((_bare(members[plain[name]]) for name in names if name in plain), None)

    return Place(
        longitude,
        latitude,
        altitude=first(*_ALTITUDES),
        accuracy=first(*_ACCURACIES),
        speed=_metres_per_second(first("speedkmph", "speedkmh")),
        heading=first("headingdeg", "heading", "course"),
        found=_is_found({key: switched(members[plain[key]]) for key in _TOLD if key in plain}),
        listed=here.listed,
    )


def _is_found(told: dict[str, object]) -> bool:
    return not any(told.get(key) in (True, 1) for key in _FAILED) and all(
        told.get(key) not in (False, 0) for key in _FOUND
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
