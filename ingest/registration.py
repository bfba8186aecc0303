"""Unknown devices: whether their source may register them, and how many, so that a flood of names fills no register."""

from collections.abc import Mapping
from operator import itemgetter
from typing import NamedTuple

from veldwatch.config import Settings, Source
from veldwatch.model.identifiers import DeviceId, OrganisationId
from veldwatch.model.reasons import Reason
from veldwatch.model.register import DeviceStatus
from veldwatch.patterns import matches_whole
from veldwatch.storage import register
from veldwatch.storage.connection import Connection
from veldwatch.wire.sources import Route
from veldwatch.wire.topics import is_slug

DeviceName = tuple[str, str]
"""(organisation, external id)."""


class Refusal(NamedTuple):
    """Why a device may not speak, and a sentence for people."""

    reason: Reason
    detail: str


class Registration:
    """Registers unknown devices as their sources allow it."""

    def __init__(self, settings: Settings) -> None:
        self._register_unknown = settings.register_unknown_devices
        self._per_hour = settings.registrations_per_hour
        self._organisations: dict[str, OrganisationId] = {}

    def forget(self) -> None:
        """Ask again for organisations."""
        self._organisations.clear()

    def register(
        self, connection: Connection, unknown: Mapping[DeviceName, Route]
    ) -> tuple[dict[DeviceName, DeviceId], dict[DeviceName, Refusal]]:
        """Register what may be, in the caller's transaction; tell why the rest may not."""
        made: dict[DeviceName, DeviceId] = {}
        refused: dict[DeviceName, Refusal] = {}
        grouped: dict[tuple[str, str], tuple[Source, list[str]]] = {}
        for name, route in unknown.items():
            source = route.source
            if self._may_register(source) and is_slug(name[0]) and matches(source.device_pattern, name[1]):
                grouped.setdefault((name[0], source.name), (source, []))[1].append(name[1])
        # Each organisation is locked until the transaction ends: in one order, no two ingestors wait for each other.
        for (organisation, _), (source, external_ids) in sorted(grouped.items(), key=itemgetter(0)):
            names, reason = self._register(connection, source, organisation, external_ids)
            made |= {(organisation, external): device for external, device in names.items()}
            refused |= {(organisation, external): reason for external in external_ids if external not in names}
        return made, refused

    def why_unknown(self, connection: Connection, name: DeviceName) -> Refusal:
        """Tell why a device is not known that was not refused."""
        organisation, device = name
        if organisation not in self._organisations:
            self._organisations = register.find_organisations(connection)
            connection.rollback()
        known = organisation in self._organisations
        reason = Reason.UNKNOWN_DEVICE if known else Reason.UNKNOWN_ORGANISATION
        return Refusal(
            reason, f"{_said(name)} (register it, or let its source register identifiers like {device[:60]!r})"
        )

    def _register(
        self, connection: Connection, source: Source, organisation: str, external_ids: list[str]
    ) -> tuple[dict[str, DeviceId], Refusal]:
        limit = self._per_hour if source.registrations_per_hour is None else source.registrations_per_hour
        reason = Refusal(
            Reason.REGISTRATION_LIMIT,
            f"organisation {organisation!r} has {limit} new devices within the hour (register it, or raise"
            f" registrations_per_hour of source {source.name!r})",
        )
        organisation_id = self._organisation(connection, organisation, limit)
        if organisation_id is None:
            return {}, reason
        room = len(external_ids) if limit == 0 else register.registrable(connection, organisation_id, limit)
        made = register.register_unknown(
            connection,
            organisation_id,
            external_ids[:room],
            source.name,
            status=DeviceStatus(source.register_as),
            counted=limit != 0,
        )
        return made, reason

    def _may_register(self, source: Source) -> bool:
        return self._register_unknown if source.register_unknown is None else source.register_unknown

    def _organisation(self, connection: Connection, slug: str, limit: int) -> OrganisationId | None:
        """A source that registers devices by itself registers their organisation with them; None: too many lately."""
        known = self._organisations.get(slug) or register.find_organisations(connection).get(slug)
        if known is None:
            if limit and register.count_new_organisations(connection) >= limit:
                return None
            known = register.ensure_organisation(connection, slug)
        return known


def matches(pattern: str | None, external_id: str) -> bool:
    """Tell whether a device may register itself by its name."""
    return pattern is None or matches_whole(pattern, external_id)


_BARRED = {
    DeviceStatus.RETIRED: (
        Reason.DEVICE_RETIRED,
        "was taken out of service (put it back with `veldwatch register set`)",
    ),
    DeviceStatus.REFUSED: (Reason.DEVICE_REFUSED, "was refused (confirm it with `veldwatch register confirm`)"),
}


def barred(name: DeviceName, status: DeviceStatus) -> Refusal | None:
    """Tell why a registered device may not speak; None: it may."""
    if status not in _BARRED:
        return None
    reason, sentence = _BARRED[status]
    return Refusal(reason, f"{_said(name)} {sentence}")


def _said(name: DeviceName) -> str:
    return f"device {name[1][:60]!r} of organisation {name[0]!r}"
