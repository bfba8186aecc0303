"""Observations into a real database as intake writes them, and the engine's rounds over it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np

from rules.conditions.span import Contact, Fix, Happening, Observation, Reading
from rules.engine import EngineSettings
from rules.instants import to_instant
from rules.rounds import Rounds
from veldwatch.model.alert import AlertState
from veldwatch.model.identifiers import DeviceId, OrganisationId
from veldwatch.model.places import EVERYTHING, Place
from veldwatch.model.register import Device
from veldwatch.storage import log, register
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.intake import IntakeWriter
from veldwatch.storage.log import CONTACTS, POSITIONS, READINGS, LogBatch, LogEvent

NEVER = np.iinfo(np.int64).min
Final = set[tuple[str, str, datetime, datetime | None, datetime | None]]


@dataclass(slots=True)
class Feed:
    """An organisation with devices, and a writer that commits as intake does."""

    dsn: str
    writer: IntakeWriter = field(init=False)
    organisation: OrganisationId = field(init=False)
    devices: dict[str, DeviceId] = field(default_factory=dict[str, DeviceId])
    series: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])

    def __post_init__(self) -> None:
        self.writer = IntakeWriter(self.dsn)
        with self.writer.connection.transaction():
            self.organisation = register.ensure_organisation(self.writer.connection, "town")

    def device(self, name: str, metrics: Sequence[str] = (), tags: tuple[str, ...] = ()) -> DeviceId:
        """Register a device and its series."""
        connection = self.writer.connection
        with connection.transaction():
            made = register.ensure_device(
                connection, Device(organisation_id=self.organisation, external_id=name, source="tests", tags=tags)
            )
            known = register.ensure_series(connection, [(made, metric, "") for metric in metrics])
        self.devices[name] = made
        for (_, metric), found in known.items():
            self.series[(name, metric)] = found.series_id
        return made

    def readings(self, metric: str, values: Sequence[tuple[str, datetime, float]]) -> None:
        """Commit a batch of readings of one metric: device, time, value."""
        rows = np.array(
            [(self.series[(d, metric)], to_instant(at), to_instant(at), value, 0) for d, at, value in values], READINGS
        )
        self.writer.make_room("reading_raw", rows["observed_at"])
        connection = self.writer.connection
        with connection.transaction():
            stored = self.writer.store_readings(rows)
            log.append(connection, LogBatch(readings=rows[stored.new]))

    def fixes(self, values: Sequence[tuple[str, datetime, float, float]], received_at: datetime | None = None) -> None:
        """Commit a batch of fixes: device, time, longitude, latitude."""
        none = np.nan
        rows = np.array(
            [
                (self.devices[d], to_instant(at), to_instant(received_at or at), x, y, none, none, none, none, 0)
                for d, at, x, y in values
            ],
            POSITIONS,
        )
        self.writer.make_room("position_raw", rows["observed_at"])
        connection = self.writer.connection
        with connection.transaction():
            stored = self.writer.store_positions(rows)
            log.append(connection, LogBatch(positions=rows[stored.new]))

    def contacts(self, values: Sequence[tuple[str, datetime]], *, online: bool = True) -> None:
        """Commit a batch of contacts: device, time."""
        rows = np.array([(self.devices[d], to_instant(at), 1, NEVER, NEVER, online) for d, at in values], CONTACTS)
        self.writer.make_room("contact", rows["received_at"])
        connection = self.writer.connection
        with connection.transaction():
            self.writer.store_contacts(rows)
            log.append(connection, LogBatch(contacts=rows))

    def events(self, values: Sequence[tuple[str, datetime, str, str]]) -> None:
        """Commit a batch of events: device, time, kind, attributes as JSON."""
        rows = [LogEvent(self.devices[d], to_instant(at), to_instant(at), kind, told) for d, at, kind, told in values]
        self.writer.make_room("event_raw", np.array([row.observed_at for row in rows], np.int64))
        connection = self.writer.connection
        with connection.transaction():
            log.append(connection, LogBatch(events=tuple(self.writer.store_events(rows))))

    def put(self, observations: Sequence[tuple[str, str, Observation]]) -> None:
        """Commit a batch of observations: device, metric (of a reading), what was seen."""
        readings = [(d, m, seen) for d, m, seen in observations if isinstance(seen, Reading)]
        for metric in sorted({metric for _, metric, _ in readings}):
            self.readings(metric, [(d, _time(seen.at), seen.value) for d, m, seen in readings if m == metric])
        fixes = [(d, seen) for d, _, seen in observations if isinstance(seen, Fix)]
        if fixes:
            self.fixes([(d, _time(seen.at), seen.longitude, seen.latitude) for d, seen in fixes])
        contacts = [(d, seen) for d, _, seen in observations if isinstance(seen, Contact)]
        if contacts:
            self.contacts([(d, _time(seen.at)) for d, seen in contacts])
        told = [
            (d, _time(seen.at), *event)
            for d, _, seen in observations
            if isinstance(seen, Happening)
            for event in seen.events
        ]
        if told:
            self.events(told)

    def close(self) -> None:
        self.writer.close()


@dataclass(slots=True)
class Engineer:
    """Drives engines over a database, as `rules.main` does."""

    dsn: str
    settings: EngineSettings = field(default_factory=EngineSettings)
    place: Place = EVERYTHING
    connection: Connection = field(init=False)
    rounds: Rounds = field(init=False)

    def __post_init__(self) -> None:
        self.connection = connect(self.dsn, autocommit=True, application="tests-rules")
        self.rounds = Rounds(self.connection, self.settings, self.place)

    def settle(self, now: datetime) -> None:
        self.rounds.settle(now)

    def restart(self) -> None:
        """Lose everything that was not committed."""
        self.close()
        self.connection = connect(self.dsn, autocommit=True, application="tests-rules")
        self.rounds = Rounds(self.connection, self.settings, self.place)

    def final(self) -> Final:
        """Give what stands in the end: device, state and times of every alert that was not retracted."""
        rows = self.connection.execute(
            b"SELECT d.external_id, a.state, a.opened_at, a.fired_at, a.resolved_at"
            b" FROM alert a JOIN device d ON d.id = a.device_id WHERE a.state <> %s",
            (AlertState.RETRACTED.value,),
        ).fetchall()
        return {(row[0], row[1], row[2], row[3], row[4]) for row in rows}

    def close(self) -> None:
        self.connection.close()


def _time(instant: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=instant)
