"""From names to ids: which device and series a message's words mean, remembered between batches.

What is missing is registered where its source allows it, in a transaction of its own, so that what is
remembered is always committed. Memory is emptied now and then, so that a change in the register is seen.
"""

from collections.abc import Iterable
from typing import NamedTuple

from veldwatch.config import Settings
from veldwatch.errors import MessageRejected
from veldwatch.model.identifiers import DeviceId, SeriesId
from veldwatch.model.reasons import Reason
from veldwatch.storage import register
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.register import KnownSeries
from veldwatch.wire.sources import Route
from veldwatch.wire.topics import is_slug
from veldwatch.wire.units import UNCHANGED, Conversion, conversion

DeviceName = tuple[str, str]
"""(organisation, external id)."""

SeriesName = tuple[str, str, str, str | None]
"""(organisation, external id, metric, unit as sent)."""


ScanName = tuple[str, str, tuple[str, ...], tuple[str | None, ...]]
"""(organisation, external id, metrics, their units as sent)."""


class SeriesEntry(NamedTuple):
    """What a reading's words mean; `conversion` None: its unit cannot become the series' own."""

    series_id: SeriesId
    device_id: DeviceId
    conversion: Conversion | None
    detail: str


class ScanEntry(NamedTuple):
    """What the words of a scan mean: its device, and the series of its values in order."""

    device_id: DeviceId
    series: tuple[SeriesEntry, ...]


class Names:
    """The register as ingest knows it."""

    def __init__(self, settings: Settings) -> None:
        self._register_unknown = settings.register_unknown_devices
        self.devices: dict[DeviceName, DeviceId] = {}
        self.series: dict[SeriesName, SeriesEntry] = {}
        self.scans: dict[ScanName, ScanEntry] = {}
        self._organisations: dict[str, register.OrganisationId] = {}

    def forget(self) -> None:
        """Ask the register again for everything."""
        self.devices.clear()
        self.series.clear()
        self.scans.clear()
        self._organisations.clear()

    def learn_devices(self, connection: Connection, wanted: dict[DeviceName, Route]) -> None:
        """Look devices up, and register those that are missing where their source allows it."""
        missing = {name: route for name, route in wanted.items() if name not in self.devices}
        if not missing:
            return
        with translated_errors(), connection.transaction():
            known = register.find_devices(connection, missing)
            found = {name: device.device_id for name, device in known.items()}
            for source, organisation, external in self._registrable(missing, found):
                made = register.register_unknown(
                    connection, self._organisation(connection, organisation), external, source
                )
                found |= {(organisation, name): device for name, device in made.items()}
        self.devices |= found

    def learn_series(self, connection: Connection, wanted: Iterable[SeriesName]) -> None:
        """Look series up, and make those that are missing, for devices that are known."""
        missing = [name for name in wanted if name not in self.series and name[:2] in self.devices]
        if not missing:
            return
        with translated_errors(), connection.transaction():
            known = register.ensure_series(
                connection, [(self.devices[org, device], metric, unit) for org, device, metric, unit in missing]
            )
        for name in missing:
            device_id = self.devices[name[:2]]
            self.series[name] = _entry(device_id, known[device_id, name[2]], name[3])

    def learn_scans(self, wanted: Iterable[ScanName]) -> None:
        """Put together what scans mean, of devices and series that are known."""
        for name in wanted:
            organisation, device, metrics, units = name
            series = tuple(self.series[organisation, device, *words] for words in zip(metrics, units, strict=True))
            self.scans[name] = ScanEntry(self.devices[organisation, device], series)

    def why_unknown(self, connection: Connection, organisation: str) -> Reason:
        """Tell why a device of that organisation is not known."""
        if organisation not in self._organisations:
            self._organisations = register.find_organisations(connection)
            connection.rollback()
        return Reason.UNKNOWN_DEVICE if organisation in self._organisations else Reason.UNKNOWN_ORGANISATION

    def _registrable(
        self, missing: dict[DeviceName, Route], found: dict[DeviceName, DeviceId]
    ) -> list[tuple[str, str, list[str]]]:
        grouped: dict[tuple[str, str], list[str]] = {}
        for name, route in missing.items():
            allowed = route.source.register_unknown
            if name not in found and (self._register_unknown if allowed is None else allowed) and is_slug(name[0]):
                grouped.setdefault((route.source.name, name[0]), []).append(name[1])
        return [(source, organisation, external) for (source, organisation), external in grouped.items()]

    def _organisation(self, connection: Connection, slug: str) -> register.OrganisationId:
        """A source that registers devices by itself registers their organisation with them."""
        if slug not in self._organisations:
            self._organisations[slug] = register.find_organisations(connection).get(
                slug
            ) or register.ensure_organisation(connection, slug)
        return self._organisations[slug]


def _entry(device_id: DeviceId, series: KnownSeries, unit: str | None) -> SeriesEntry:
    if unit is None or series.unit in (unit, ""):
        return SeriesEntry(series.series_id, device_id, UNCHANGED, "")
    try:
        return SeriesEntry(series.series_id, device_id, conversion(unit, series.unit), "")
    except MessageRejected as error:
        return SeriesEntry(series.series_id, device_id, None, error.detail)
