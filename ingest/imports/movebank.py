"""Movebank's CSV: fixes of tagged animals and what their tags measure, as its studies or its API give them.

The tag is the device; the individual is the subject that the tag is deployed on, from its first fix in the file on.
What Movebank's filters or people took for an outlier (`visible` false) is stored as implausible: rules leave it out.
`arrival-timestamp` is when a fix reached the server, where a file has it.

Source: Movebank attribute dictionary.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from ingest.imports.cells import Block, CsvCells
from ingest.imports.columns import read_words
from ingest.imports.found import Found
from ingest.imports.job import State, Step
from ingest.imports.mapping import ValueColumn
from ingest.imports.movebank_columns import SENSOR_COLUMNS
from ingest.imports.tracks import TrackColumns, TrackReader
from veldwatch.errors import ConfigurationInvalid, Conflict
from veldwatch.model.register import Subject
from veldwatch.storage import register
from veldwatch.storage.connection import Connection

QUALITY_COLUMN = "veldwatch:quality"
"""Of our own exports: flags of `veldwatch.model.telemetry.Quality`."""

_TAG, _ANIMAL, _SPECIES = "tag-local-identifier", "individual-local-identifier", "individual-taxon-canonical-name"
_OUTLIERS = ("algorithm-marked-outlier", "import-marked-outlier", "manually-marked-outlier")
_NEEDED = ("timestamp", "location-long", "location-lat")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class MovebankReader:
    """Reads a study.

    Raises:
        ConfigurationInvalid: no such file, or columns are missing.
    """

    format = "movebank"

    def __init__(self, path: Path) -> None:
        self._cells = CsvCells(path)
        self._names = {_key(name): name for name in reversed(self._cells.names)}
        missing = [column for column in _NEEDED if _key(column) not in self._names]
        if not (self._name(_TAG) or self._name(_ANIMAL)):
            missing.append(_TAG)
        if missing:
            self._cells.text.close()
            raise ConfigurationInvalid(f"bad file: {str(path)!r} (no column {', '.join(missing)})")
        self._columns = self._track_columns()
        self._wanted = list(dict.fromkeys([*self._columns.names(), *self._several((_ANIMAL, _SPECIES))]))
        self._tracks = TrackReader(self._columns)
        self._animals: dict[str, tuple[str, str, int]] = {}

    @property
    def mapping(self) -> dict[str, object]:
        """Give nothing: the names of the columns say all."""
        return {}

    def go_on_behind(self, position: int, digest: bytes, state: State) -> bool:
        """Take up an earlier run."""
        if not self._cells.text.go_on_behind(position, digest):
            self._cells.again()
            return False
        self._animals = {device: (found[0], found[1], found[2]) for device, found in state.get("animals", {}).items()}
        self._tracks = TrackReader(self._columns, state)
        return True

    def steps(self) -> Iterator[Step]:
        """Read on."""
        text = self._cells.text
        for block in self._cells.blocks(self._wanted):
            found = self._tracks.read(block, datetime.now(UTC))
            self._meet(block, found)
            state: State = {**self._tracks.state(), "animals": dict(self._animals)}
            yield Step(found, text.position, text.digest(), state, text.read_bytes / max(text.size, 1))

    def close(self) -> None:
        """Close the file."""
        self._cells.text.close()

    def finish(self, connection: Connection, organisation: str) -> None:
        """Put each tag on its animal; a file that was imported before finds it there."""
        with connection.transaction():
            organisation_id = register.ensure_organisation(connection, organisation)
            known = register.find_devices(connection, [(organisation, device) for device in self._animals])
            for device, (animal, species, since) in self._animals.items():
                found = known.get((organisation, device))
                if found is None:
                    continue
                subject = Subject(
                    organisation_id=organisation_id, slug=animal, name=animal, kind="animal", species=species or None
                )
                subject_id = register.ensure_subject(connection, subject)
                try:
                    register.deploy(connection, found.device_id, subject_id, _EPOCH + timedelta(microseconds=since))
                except Conflict:
                    continue  # somebody said otherwise already, and knows better than the file

    def _name(self, column: str) -> str:
        return self._names.get(_key(column), "")

    def _several(self, columns: Sequence[str]) -> tuple[str, ...]:
        return tuple(name for column in columns if (name := self._name(column)))

    def _track_columns(self) -> TrackColumns:
        return TrackColumns(
            devices=self._several((_TAG, _ANIMAL)),
            time=self._name("timestamp"),
            longitude=self._name("location-long"),
            latitude=self._name("location-lat"),
            received=self._name("arrival-timestamp"),
            altitudes=self._several(("height-above-ellipsoid", "height-above-msl")),
            accuracy=self._name("location-error-numerical"),
            speed=self._name("ground-speed"),
            heading=self._name("heading"),
            visible=self._name("visible"),
            outliers=self._several(_OUTLIERS),
            valid=self._name("manually-marked-valid"),
            quality=self._name(QUALITY_COLUMN),
            sensors=tuple(
                ValueColumn(column=name, metric=metric, unit=unit or None)
                for metric, unit in SENSOR_COLUMNS.items()
                if (name := self._name(metric))
            ),
        )

    def _meet(self, block: Block, found: Found) -> None:
        """Remember the animal that each tag has a fix of first."""
        name = self._name(_ANIMAL)
        if not name or not len(found.positions):
            return
        species = self._name(_SPECIES)
        animals = read_words(block.columns[name], str)
        device, row = found.positions["device_id"].astype(np.int64), found.positions_row
        combined = device * len(animals.meanings) + animals.place[row]
        order = np.lexsort((found.positions["observed_at"], combined))
        _, first = np.unique(combined[order], return_index=True)
        for place in order[first].tolist():
            animal: Any = animals.meanings[animals.place[row[place]]]
            tag, moment = found.devices[device[place]], int(found.positions["observed_at"][place])
            known = self._animals.get(tag)
            if animal and (known is None or moment < known[2]):
                kind = block.columns[species][int(row[place])].as_py() if species else ""
                self._animals[tag] = (animal, kind, moment)


def _key(column: str) -> str:
    """Write a column's name as files, the API (`gps_hdop`) and the dictionary (`gps:hdop`) have in common."""
    return column.strip().lower().replace("_", "-").replace(":", "-").replace(" ", "-")
