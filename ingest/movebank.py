"""Movebank's CSV: fixes of tagged animals, as its studies are downloaded and its attribute dictionary names them.

The tag is the device; the individual is the subject that the tag is deployed on, from its first fix in the file on.
`visible` false marks what Movebank's filters or people took for an outlier: such rows are skipped and counted. Other
numeric columns are no readings. `arrival-timestamp` is when a fix reached the server, where a file has it.

Source: Movebank attribute dictionary.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pandas as pd

from ingest.files import FileImport, ImportReport, Row, in_chunks
from ingest.local_times import FileClock
from veldwatch.config import Settings
from veldwatch.errors import ConfigurationInvalid, Conflict, MessageRejected
from veldwatch.model.register import Subject
from veldwatch.storage import register
from veldwatch.wire.times import checked
from veldwatch.wire.values import checked_name, fix

_NEEDED = ("timestamp", "location-long", "location-lat")
_READ_ROWS = 50_000


class MovebankImport:
    """Imports one file.

    Raises:
        ConfigurationInvalid: no such file, or columns are missing.
    """

    def __init__(self, settings: Settings, path: Path, organisation: str) -> None:
        self._columns = read_header(path)
        missing = [column for column in _NEEDED if column not in self._columns]
        if missing:
            raise ConfigurationInvalid(f"bad file: {str(path)!r} (no column {', '.join(missing)})")
        self._path = path
        self._organisation = organisation
        self._arrivals = "arrival-timestamp" in self._columns
        self._file = FileImport(settings, path, organisation, source="movebank", arrivals=self._arrivals)
        self._clock = FileClock("UTC")
        self._animals: dict[str, tuple[str, str, datetime]] = {}
        self.report = ImportReport()

    def run(self) -> Iterator[ImportReport]:
        """Import, giving the report after each chunk."""
        try:
            for chunk in in_chunks(self._rows()):
                self.report.stored.add(self._file.store(chunk))
                yield self.report
            self._deploy()
        finally:
            self._file.close()

    def _rows(self) -> Iterator[Row]:
        for line, cells in read_rows(self._path):
            self.report.rows += 1
            if cells.get("visible", "").lower() == "false":
                self.report.skipped += 1
                continue
            text = ",".join(cells.values())
            try:
                yield self._row(line, text, cells)
            except MessageRejected as error:
                yield Row(line, text, rejected=((error.reason, error.detail),))

    def _row(self, line: int, text: str, cells: dict[str, str]) -> Row:
        tag = cells.get("tag-local-identifier") or cells.get("individual-local-identifier", "")
        device = checked_name(tag, "tag-local-identifier")
        arrived = cells.get("arrival-timestamp")
        received_at = self._clock.read("", arrived) if arrived else None
        moment, quality = checked(self._clock.read("", cells["timestamp"]), received_at or datetime.now(UTC))
        position = fix(
            device,
            (moment, quality),
            cells["location-long"],
            cells["location-lat"],
            altitude=cells.get("height-above-ellipsoid") or cells.get("height-above-msl"),
            speed=cells.get("ground-speed"),
            heading=cells.get("heading"),
        )
        self._meet(device, cells, moment)
        return Row(line, text, received_at, positions=(position,))

    def _meet(self, device: str, cells: dict[str, str], moment: datetime) -> None:
        animal = cells.get("individual-local-identifier", "")
        known = self._animals.get(device)
        if animal and (known is None or moment < known[2]):
            self._animals[device] = (animal, cells.get("individual-taxon-canonical-name", ""), moment)

    def _deploy(self) -> None:
        """Put each tag on its animal; a file that was imported before finds it there."""
        connection = self._file.writer.connection
        with connection.transaction():
            organisation_id = register.ensure_organisation(connection, self._organisation)
            names = [(self._organisation, device) for device in self._animals]
            known = register.find_devices(connection, names)
            for device, (animal, species, since) in self._animals.items():
                found = known.get((self._organisation, device))
                if found is None:
                    continue
                subject = Subject(
                    organisation_id=organisation_id, slug=animal, name=animal, kind="animal", species=species or None
                )
                subject_id = register.ensure_subject(connection, subject)
                try:
                    register.deploy(connection, found.device_id, subject_id, since)
                except Conflict:
                    continue  # somebody said otherwise already, and knows better than the file


def read_header(path: Path) -> list[str]:
    """Read the names of a CSV file's columns.

    Raises:
        ConfigurationInvalid: no such file, or nothing in it.
    """
    try:
        return [str(column) for column in pd.read_csv(path, nrows=0, dtype=str, encoding="utf-8").columns]
    except (OSError, ValueError, UnicodeDecodeError) as error:
        raise ConfigurationInvalid(f"bad file: {str(path)!r} ({error})") from error


def read_rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Read a CSV file's rows as text, each with its line (a quoted line break counts as none); empty cells are ''."""
    frames = pd.read_csv(
        path, dtype=str, keep_default_na=False, chunksize=_READ_ROWS, encoding="utf-8", encoding_errors="replace"
    )
    line = 1
    for frame in frames:
        columns = [str(column) for column in frame.columns]
        for cells in zip(*(cast("list[str]", frame[column].tolist()) for column in frame.columns), strict=True):
            line += 1
            yield line, dict(zip(columns, cells, strict=True))
