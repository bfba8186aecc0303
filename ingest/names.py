"""From names to ids: which device and series a message's words mean, remembered between batches.

What is missing is registered where its source allows it, in a transaction of its own, so that what is
remembered is always committed. Memory is emptied now and then, so that a change in the register is seen.
"""

from collections.abc import Iterable
from typing import NamedTuple

from ingest.plausible import PlausibleRanges
from ingest.registration import DeviceName, Refusal, Registration, barred
from veldwatch.config import Settings
from veldwatch.errors import MessageRejected
from veldwatch.model.identifiers import DeviceId, SeriesId
from veldwatch.model.reasons import Reason
from veldwatch.storage import register
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.register import KnownSeries
from veldwatch.wire.sources import Route
from veldwatch.wire.units import UNCHANGED, Conversion, conversion
from veldwatch.wire.values import shown

SeriesName = tuple[str, str, str, str | None]
"""(organisation, external id, metric, unit as sent)."""


ScanName = tuple[str, str, tuple[str, ...], tuple[str | None, ...]]
"""(organisation, external id, metrics, their units as sent)."""

# Three for each of 100,000 devices, some 150 MB. A device that writes its metrics in another order each time, as hash
# tables may give them, makes another with each message.
_MOST_SCANS = 300_000


class SeriesEntry(NamedTuple):
    """What a reading's words mean; `conversion` None: it cannot be stored, for a reason and in a sentence."""

    series_id: SeriesId
    device_id: DeviceId
    conversion: Conversion | None
    detail: str
    reason: Reason = Reason.UNIT_MISMATCH


class ScanEntry(NamedTuple):
    """What the words of a scan mean: its device, and the series of its values in order."""

    device_id: DeviceId
    series: tuple[SeriesEntry, ...]


class Names:
    """The register as ingest knows it."""

    def __init__(self, settings: Settings) -> None:
        self._registration = Registration(settings)
        self.devices: dict[DeviceName, DeviceId] = {}
        self.ranges = PlausibleRanges()
        self.series: dict[SeriesName, SeriesEntry] = {}
        self.scans: dict[ScanName, ScanEntry] = {}
        self._no_room: list[SeriesName] = []
        self._no_room_scans: list[ScanName] = []
        self._barred: dict[DeviceName, Refusal] = {}
        self._refused: dict[DeviceName, Refusal] = {}

    def forget(self) -> None:
        """Ask the register again for everything."""
        self.devices.clear()
        self.series.clear()
        self.scans.clear()
        self._forget_no_room()
        self.ranges.clear()
        self._barred.clear()
        self._registration.forget()

    def learn_devices(self, connection: Connection, wanted: dict[DeviceName, Route]) -> None:
        """Look devices up, and register those that are missing where their source allows it."""
        self._refused.clear()
        self._forget_no_room()
        if len(self.scans) > _MOST_SCANS:
            self.scans.clear()
        missing = {
            name: route for name, route in wanted.items() if name not in self.devices and name not in self._barred
        }
        if not missing:
            return
        with translated_errors(), connection.transaction():
            known = register.find_devices(connection, missing)
            unknown = {name: route for name, route in missing.items() if name not in known}
            made, refused = self._registration.register(connection, unknown)
        closed = {name: barred(name, device.status) for name, device in known.items()}
        self._barred |= {name: refusal for name, refusal in closed.items() if refusal is not None}
        self._refused |= refused
        self.devices |= {name: device.device_id for name, device in known.items() if closed[name] is None} | made

    def learn_series(self, connection: Connection, wanted: Iterable[SeriesName]) -> None:
        """Look series up, and make those that are missing, for devices that are known.

        One that a device has no room for is known until devices are learned for the next batch.
        """
        missing = [name for name in wanted if name not in self.series and name[:2] in self.devices]
        if not missing:
            return
        with translated_errors(), connection.transaction():
            known = register.ensure_series(
                connection, [(self.devices[org, device], metric, unit) for org, device, metric, unit in missing]
            )
        for name in missing:
            device_id = self.devices[name[:2]]
            series = known.get((device_id, name[2]))
            if series is None:
                self._no_room.append(name)
                self.series[name] = _no_room(device_id, name)
                continue
            self.ranges.learn(series)
            self.series[name] = _entry(device_id, series, name[3])

    def learn_scans(self, wanted: Iterable[ScanName]) -> None:
        """Put together what scans mean, of devices and series that are known."""
        for name in wanted:
            organisation, device, metrics, units = name
            series = tuple(self.series[organisation, device, *words] for words in zip(metrics, units, strict=True))
            self.scans[name] = ScanEntry(self.devices[organisation, device], series)
            if any(entry.reason is Reason.REGISTRATION_LIMIT for entry in series):
                self._no_room_scans.append(name)

    def _forget_no_room(self) -> None:
        """Ask again for what no series was made for: there may be room now, and such names have no end."""
        for name in self._no_room:
            self.series.pop(name, None)
        for scan in self._no_room_scans:
            self.scans.pop(scan, None)
        self._no_room.clear()
        self._no_room_scans.clear()

    def why_unknown(self, connection: Connection, name: DeviceName) -> Refusal:
        """Tell why a device may not speak, of those that were asked for last."""
        refusal = self._barred.get(name) or self._refused.get(name)
        return refusal or self._registration.why_unknown(connection, name)


def _no_room(device_id: DeviceId, name: SeriesName) -> SeriesEntry:
    detail = (
        f"device {name[1][:60]!r} has {register.MOST_NEW_SERIES} new series within the hour: none is made for"
        f" {shown(name[2])}"
    )
    return SeriesEntry(SeriesId(0), device_id, None, detail, Reason.REGISTRATION_LIMIT)


def _entry(device_id: DeviceId, series: KnownSeries, unit: str | None) -> SeriesEntry:
    if unit is None or series.unit in (unit, ""):
        return SeriesEntry(series.series_id, device_id, UNCHANGED, "")
    try:
        return SeriesEntry(series.series_id, device_id, conversion(unit, series.unit), "")
    except MessageRejected as error:
        return SeriesEntry(series.series_id, device_id, None, error.detail)
