"""From messages to committed rows: decode, name, assemble, write; one transaction for a batch.

Every message ends as rows, as a duplicate of rows, or in quarantine with a reason. A batch that cannot be stored
for good is halved until the message at fault stands alone. `StorageUnavailable` passes to the caller, who
stores the same batch again later: nothing that is done twice counts twice.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import structlog

from ingest import measures
from ingest.assembly import Rows, Sorted, assemble, devices_in, series_in, series_of, sort
from ingest.decoding import Decoding, Outcome, Understood
from ingest.memories import Work
from ingest.names import DeviceName, Names
from ingest.settled import Kept, Settled, settle
from ingest.state import SourceCount, count_by_source
from veldwatch.config import Settings
from veldwatch.errors import MemoryChanged, SchemaMismatch, StorageRejected, StorageUnavailable
from veldwatch.model.reasons import Reason
from veldwatch.model.telemetry import Message, Reply
from veldwatch.storage import log, quarantine
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.intake import IntakeWriter
from veldwatch.storage.log import LogBatch
from veldwatch.storage.quarantine import AMPLE, Quarantined, Room

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

# Each time another ingestor was first with the same memory: some batch is stored each time, so this many is much.
_DECODED_AT_MOST = 10
_NAMED = 20
"""Of what is wrong with a message's values, in the words of its quarantine."""


@dataclass(slots=True, kw_only=True)
class Report:
    """What was new in some messages."""

    messages: int = 0
    readings: int = 0
    positions: int = 0
    events: int = 0
    quarantined: int = 0
    sources: dict[str, SourceCount] = field(default_factory=dict[str, SourceCount])

    def add(self, other: "Report") -> None:
        """Add what was new in others."""
        self.messages += other.messages
        self.readings += other.readings
        self.positions += other.positions
        self.events += other.events
        self.quarantined += other.quarantined
        for name, count in other.sources.items():
            self.sources.setdefault(name, SourceCount()).add(count)


def room_for(settings: Settings) -> Room:
    """Tell how much quarantine keeps."""
    return Room(messages=settings.quarantine_messages, payload_bytes=settings.quarantine_megabytes * 2**20)


class Settlement(Protocol):
    """What else belongs into the transaction of some messages: what becomes of those that are refused."""

    def begin(self, connection: Connection) -> None:
        """Come before the first row."""
        ...

    def end(self, connection: Connection, refused: Sequence[Quarantined]) -> None:
        """Come after the last row."""
        ...


class _Quarantining:
    """What is refused is kept in quarantine."""

    def __init__(self, room: Room) -> None:
        self._room = room

    def begin(self, connection: Connection) -> None:
        """Nothing comes before."""

    def end(self, connection: Connection, refused: Sequence[Quarantined]) -> None:
        """Keep them."""
        if refused:
            quarantine.add(connection, refused, self._room)


class Pipeline:
    """Stores messages; holds no message between calls.

    Args:
        contacts: messages prove that their devices are alive.
        each_arrival: a contact for each moment of arrival, not one for each batch; one that is stored stays as it is.
        beat: called last in each transaction that stores; imports, which listen to nothing, have none.
        reply: takes, after the commit, what decoders want published; None: nobody does.
        tell: takes, after each commit, what became of each message; None: nobody asks.
        room: how much quarantine keeps.
    """

    def __init__(
        self,
        decoding: Decoding,
        names: Names,
        *,
        contacts: bool = True,
        each_arrival: bool = False,
        beat: Callable[[Connection], None] | None = None,
        reply: Callable[[Sequence[Reply]], None] | None = None,
        tell: Callable[[Settled], None] | None = None,
        room: Room = AMPLE,
    ) -> None:
        self._decoding = decoding
        self._names = names
        self._contacts = contacts
        self._each_arrival = each_arrival
        self._beat = beat
        self._reply = reply
        self._tell = tell
        self._quarantining = _Quarantining(room)

    def store(self, writer: IntakeWriter, messages: list[Message]) -> Report:
        """Store messages and commit.

        Raises:
            StorageUnavailable: nothing, or a part, was committed; storing them again is right.
        """
        for attempt in range(1, _DECODED_AT_MOST + 1):
            try:
                report = self.store_decoded(writer, self._decoding.decode(messages, writer.connection))
            except MemoryChanged:
                self._decoding.forget()
                measures.RETRIES.labels("memory_changed").inc()
                if attempt == _DECODED_AT_MOST:
                    raise
            else:
                report.messages = len(messages)
                return report
            finally:
                self._decoding.end()
        raise AssertionError("unreachable")

    def store_decoded(self, writer: IntakeWriter, outcome: Outcome) -> Report:
        """Store what was decoded already, and commit."""
        try:
            return self.commit(writer, outcome)
        except (StorageUnavailable, SchemaMismatch):
            raise
        except Exception as error:  # noqa: BLE001  # decoders are plug-ins: what they give may break anything behind
            self._names.forget()
            writer.forget_months()
            if len(outcome.understood) > 1:
                measures.RETRIES.labels(blame(error).value).inc()
                return self._halved(writer, outcome)
            return self._refused(writer, outcome, error)

    def _halved(self, writer: IntakeWriter, outcome: Outcome) -> Report:
        middle = len(outcome.understood) // 2
        first = Outcome(understood=outcome.understood[:middle], quarantined=outcome.quarantined)
        second = Outcome(understood=outcome.understood[middle:], quarantined=[], work=outcome.work)
        report = self.store_decoded(writer, first)
        report.add(self.store_decoded(writer, second))
        return report

    def _refused(self, writer: IntakeWriter, outcome: Outcome, error: Exception) -> Report:
        """One message is left, or none: a refused quarantine row is a defect of ours, and is not hidden."""
        if not outcome.understood:
            raise error
        alone = outcome.understood[0]
        _log.warning("a message cannot be stored", topic=alone.message.topic, reason=str(error), exc_info=error)
        detail = f"{type(error).__name__}: {error}"
        row = self._decoding.refused(alone.message, blame(error), detail, alone.route)
        kept = Outcome(understood=[], quarantined=[*outcome.quarantined, row], work=outcome.work)
        return self.commit(writer, kept)

    def commit(self, writer: IntakeWriter, outcome: Outcome, settlement: Settlement | None = None) -> Report:
        """Store what was decoded in one transaction, all or nothing, whatever goes wrong.

        Args:
            settlement: None: what is refused goes to quarantine.
        """
        batch, unknown = self._named(writer, outcome.understood)
        quarantined = outcome.quarantined + unknown
        series = series_in(batch.general)
        unseen = [name for name in dict.fromkeys(batch.names) if name not in self._names.scans]
        self._names.learn_series(writer.connection, dict.fromkeys(series + series_of(unseen)))
        self._names.learn_scans(unseen)
        rows = assemble(batch, series, self._names, each_arrival=self._each_arrival)
        for table, moments in (
            ("reading_raw", rows.readings["observed_at"]),
            ("position_raw", rows.positions["observed_at"]),
            ("event_raw", np.array([event.observed_at for event in rows.events], dtype=np.int64)),
            ("contact", rows.contacts["received_at"]),
        ):
            if len(moments):
                writer.make_room(table, moments)
        report = self._write(
            writer, rows, batch.messages(), quarantined, outcome.work, settlement or self._quarantining
        )
        if outcome.work is not None:
            outcome.work.committed()
            if self._reply is not None and outcome.work.replies:
                self._reply(outcome.work.replies)
        return report

    def _named(self, writer: IntakeWriter, understood: list[Understood]) -> tuple[Sorted, list[Quarantined]]:
        """Leave out what is said of devices that are not known and may not be registered."""
        if writer.take_register_change():
            self._names.forget()
        batch = sort(understood)
        unseen = {
            name: item for name, item in zip(batch.names, batch.scanned, strict=True) if name not in self._names.scans
        }
        devices = devices_in([*batch.general, *unseen.values()])
        self._names.learn_devices(writer.connection, devices)
        if all(name in self._names.devices for name in devices):
            return batch, []
        known, unknown = self._known(writer, understood)
        return sort(known), unknown

    def _known(self, writer: IntakeWriter, understood: list[Understood]) -> tuple[list[Understood], list[Quarantined]]:
        known: list[Understood] = []
        quarantined: list[Quarantined] = []
        for item in understood:
            missing = [name for name in devices_in([item]) if name not in self._names.devices]
            if missing:
                reason, detail = self._names.why_unknown(writer.connection, missing[0])
                quarantined.append(self._decoding.refused(item.message, reason, detail, item.route, missing[0]))
                item = _without(item, missing)  # noqa: PLW2901  # what it says of the others stands
            if devices_in([item]):
                known.append(item)
        return known, quarantined

    def _write(
        self,
        writer: IntakeWriter,
        rows: Rows,
        known: list[Understood],
        quarantined: list[Quarantined],
        work: Work | None,
        settlement: Settlement,
    ) -> Report:
        with translated_errors(), writer.connection.transaction():
            writer.hold.take(writer.connection)
            settlement.begin(writer.connection)
            new, conflicts, kept = _store(writer, rows, contacts=self._contacts, once=self._each_arrival)
            conflicts += rows.mismatched
            refused = quarantined + [
                self._decoding.refused_part(known[place], reason, detail)
                for place, reason, detail in _one_each(conflicts)
            ]
            settlement.end(writer.connection, refused)
            if len(new.readings) or len(new.positions) or len(new.contacts) or new.events:
                log.append(writer.connection, new)
            if work is not None:
                work.save(writer.connection)
            if self._beat is not None:
                self._beat(writer.connection)
        for row in refused if settlement is self._quarantining else ():
            measures.QUARANTINED.labels(row.reason.value).inc()
        if self._tell is not None:
            self._tell(settle(known, rows, kept, refused))
        return Report(
            readings=len(new.readings),
            positions=len(new.positions),
            events=len(new.events),
            quarantined=len(refused),
            sources=count_by_source(known, refused),
        )


def _without(item: Understood, missing: list[DeviceName]) -> Understood:
    """Leave some devices out of what a message says; scans are of one device, or stay as they are."""
    names = {device for _, device in missing}
    decoded = item.decoded
    kept = decoded._replace(
        readings=tuple(row for row in decoded.readings if row.device not in names),
        positions=tuple(row for row in decoded.positions if row.device not in names),
        events=tuple(row for row in decoded.events if row.device not in names),
        heard=tuple(device for device in decoded.heard if device not in names),
    )
    return item._replace(decoded=kept, scans=tuple(scan for scan in item.scans if scan.device not in names))


def blame(error: Exception) -> Reason:
    """Tell why a message that is alone in its transaction cannot be stored."""
    return Reason.STORAGE_REJECTED if isinstance(error, StorageRejected) else Reason.DECODER_FAILED


def _store(
    writer: IntakeWriter, rows: Rows, *, contacts: bool, once: bool
) -> tuple[LogBatch, list[tuple[int, Reason, str]], Kept]:
    """Write rows; give what was new, (message, reason, sentence) for each row that met another value, and both."""
    new, kept = LogBatch(), Kept()
    conflicts: list[tuple[int, Reason, str]] = []
    if len(rows.readings):
        stored = writer.store_readings(rows.readings)
        kept = replace(kept, readings=stored)
        new = replace(new, readings=rows.readings[stored.new])
        conflicts += _conflicts(rows.readings_message[stored.conflicting], "series", rows.readings[stored.conflicting])
    if len(rows.positions):
        stored = writer.store_positions(rows.positions)
        kept = replace(kept, positions=stored)
        new = replace(new, positions=rows.positions[stored.new])
        conflicts += _conflicts(
            rows.positions_message[stored.conflicting], "device", rows.positions[stored.conflicting]
        )
    if rows.events:
        new = replace(new, events=tuple(writer.store_events(rows.events)))
        kept = replace(kept, events=new.events)
    if contacts and len(rows.contacts):
        heard = writer.store_contacts_once(rows.contacts) if once else writer.store_contacts(rows.contacts)
        new = replace(new, contacts=heard)
    return new, conflicts, kept


def _one_each(parts: Iterable[tuple[int, Reason, str]]) -> list[tuple[int, Reason, str]]:
    """Say of each message once what is wrong with several of its values: it came once."""
    said: dict[tuple[int, Reason], list[str]] = {}
    for place, reason, detail in parts:
        said.setdefault((place, reason), []).append(detail)
    return [(place, reason, "; ".join(details[:_NAMED])) for (place, reason), details in said.items()]


def _conflicts(messages: npt.NDArray[np.intp], of: str, rows: npt.NDArray[Any]) -> list[tuple[int, Reason, str]]:
    moments = rows["observed_at"].astype("datetime64[us]").astype(str)
    return [
        (int(message), Reason.CONFLICTING_DUPLICATE, f"{of} {row[f'{of}_id']} has another value at {moment}Z already")
        for message, row, moment in zip(messages, rows, moments, strict=True)
    ]
