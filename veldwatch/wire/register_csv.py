"""The register as a CSV file: one device a line, read and written with the same columns.

`external_id` is the one column that must be there; an empty cell keeps what there is. Tags are separated by `;`, times
are ISO 8601 (UTC where they name no offset), `supplies_site` is `yes` or `no`.
"""

import csv
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TextIO

from veldwatch.errors import ConfigurationInvalid
from veldwatch.model.register import DeviceStatus
from veldwatch.model.register_plan import DeviceEntry, LineError

COLUMNS = (
    "organisation",
    "external_id",
    "name",
    "profile",
    "site",
    "source",
    "status",
    "longitude",
    "latitude",
    "tags",
    "gateway",
    "people",
    "customers",
    "supplies_site",
    "subject",
    "subject_kind",
    "species",
    "deployed_since",
    "deployed_until",
)
_MOST = 2**31 - 1
"""Of people or customers: what the register's column holds."""
_STATUSES = tuple(status.value for status in DeviceStatus)


@dataclass(slots=True, kw_only=True)
class ReadLines:
    """The lines that can be read, and what is wrong with the others."""

    entries: list[DeviceEntry] = field(default_factory=list[DeviceEntry])
    errors: list[LineError] = field(default_factory=list[LineError])


def read_register(text: TextIO, organisation: str = "") -> ReadLines:
    """Read a file.

    Args:
        organisation: slug for lines that name none.

    Raises:
        ConfigurationInvalid: it has no header, a column that nobody knows or twice, or not `external_id`.
    """
    reader = csv.reader(text)
    try:
        header = [name.strip().removeprefix("\ufeff") for name in next(reader, list[str]())]
        _check_header(header)
        read = ReadLines()
        for cells in reader:
            if not any(cells):
                continue
            _read_line(read, reader.line_num, header, cells, organisation)
    except (csv.Error, UnicodeDecodeError) as error:
        raise ConfigurationInvalid(f"bad CSV file: {error} (expected UTF-8 with commas)") from error
    return read


def write_register(text: TextIO, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write devices; values are as `read_register` reads them."""
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([_cell(row[name]) for name in COLUMNS] for row in rows)


def _check_header(header: list[str]) -> None:
    unknown = [name for name in header if name not in COLUMNS]
    if unknown or "external_id" not in header:
        wrong = f"{', '.join(map(repr, unknown))}" if unknown else "'external_id' is missing"
        raise ConfigurationInvalid(f"bad columns: {wrong} (expected external_id and any of {', '.join(COLUMNS)})")
    if len(set(header)) < len(header):
        raise ConfigurationInvalid("bad columns: one is there twice (expected each name once)")


def _read_line(read: ReadLines, line: int, header: list[str], cells: list[str], organisation: str) -> None:
    if len(cells) != len(header):
        read.errors.append(LineError(line, f"{len(cells)} cells (expected {len(header)}, as in the header)"))
        return
    said = {name: cell.strip() for name, cell in zip(header, cells, strict=True) if cell.strip()}
    try:
        read.entries.append(_entry(line, said, organisation))
    except ValueError as error:
        read.errors.append(LineError(line, str(error)))


def _entry(line: int, said: Mapping[str, str], organisation: str) -> DeviceEntry:
    if not 1 <= len(said.get("external_id", "")) <= 256:
        raise ValueError("no external_id (expected 1 to 256 characters)")
    if any("\0" in cell for cell in said.values()):
        raise ValueError("a cell has U+0000 (expected text without it)")
    longitude, latitude = _number(said, "longitude", 180), _number(said, "latitude", 90)
    if (longitude is None) != (latitude is None):
        raise ValueError("half a place (expected longitude and latitude)")
    tags = said.get("tags")
    return DeviceEntry(
        line=line,
        organisation=said.get("organisation", organisation),
        external_id=said["external_id"],
        source=said.get("source"),
        name=said.get("name"),
        profile=said.get("profile"),
        site=said.get("site"),
        status=_read(said, "status", DeviceStatus, f"one of {', '.join(_STATUSES)}"),
        longitude=longitude,
        latitude=latitude,
        tags=None if tags is None else tuple(tag.strip() for tag in tags.split(";") if tag.strip()),
        gateway=said.get("gateway"),
        people=_read(said, "people", _count, f"a whole number from 0 to {_MOST}"),
        customers=_read(said, "customers", _count, f"a whole number from 0 to {_MOST}"),
        supplies_site=_read(said, "supplies_site", _yes, "yes or no"),
        subject=said.get("subject"),
        subject_kind=said.get("subject_kind"),
        species=said.get("species"),
        since=_read(said, "deployed_since", _time, "a time in ISO 8601"),
        until=_read(said, "deployed_until", _time, "a time in ISO 8601"),
    )


def _read(said: Mapping[str, str], name: str, convert: Callable[[str], Any], expected: str) -> Any:  # noqa: ANN401  # what `convert` gives
    if name not in said:
        return None
    try:
        return convert(said[name])
    except (KeyError, ValueError):
        raise ValueError(f"bad {name}: {said[name][:60]!r} (expected {expected})") from None


def _number(said: Mapping[str, str], name: str, bound: float) -> float | None:
    expected = f"degrees from -{bound:g} to {bound:g}"
    value: float | None = _read(said, name, float, expected)
    if value is not None and not -bound <= value <= bound:
        raise ValueError(f"bad {name}: {said[name]!r} (expected {expected})")
    return value


def _count(text: str) -> int:
    count = int(text)
    if not 0 <= count <= _MOST:
        raise ValueError(text)
    return count


def _yes(text: str) -> bool:
    return {"yes": True, "no": False}[text.lower()]


def _time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return ";".join(value) if isinstance(value, list) else str(value)  # pyright: ignore[reportUnknownArgumentType]
