"""A bulk register: a list of devices is held against the register and written as a whole, or not at all.

Writers of devices wait meanwhile (some seconds for 100,000 devices); intake of devices that are known does not.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from veldwatch.model.identifiers import DeviceId, OrganisationId
from veldwatch.model.register_plan import (
    DeviceEntry,
    DeviceRow,
    Known,
    LineError,
    Plan,
    StandingDeployment,
    plan_register,
)
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.dependants import estimate_open
from veldwatch.storage.pool import Row, fetch_rows
from veldwatch.storage.profiles import adopt_profile, find_profiles
from veldwatch.storage.queries import load_queries

_QUERIES = load_queries("bulk_register")
# No other writer of devices while a list is held against the register; readers, and rows that refer to devices, go on.
_LOCK = b"LOCK TABLE device IN SHARE ROW EXCLUSIVE MODE"
# The columns of a device before its tags.
_PLAIN = 7
_COPY = (
    b"COPY device (organisation_id, external_id, name, profile_id, site_id, source, status, longitude, latitude, tags,"
    b" people, customers, supplies_site) FROM STDIN"
)


def register_devices(
    connection: Connection,
    entries: Sequence[DeviceEntry],
    *,
    errors: Collection[LineError] = (),
    scope: int | None = None,
    dry_run: bool = False,
) -> Plan:
    """Register devices in one transaction; where a line is wrong, or for a dry run, nothing is written.

    Args:
        errors: of lines that could not even be read; they count as the others.
        scope: the one organisation that the asker may see; None: all.

    Returns:
        what came of each line, or would have.
    """
    with connection.transaction(), translated_errors():
        connection.execute(_LOCK)
        plan = plan_register(entries, _known(connection, entries, scope))
        plan.errors = sorted([*errors, *plan.errors])
        if not plan.errors and not dry_run:
            _write(connection, plan)
            for organisation in sorted(plan.estimated):
                estimate_open(connection, organisation, datetime.now(UTC))
    return plan


def export_devices(connection: Connection, organisation: str | None = None, scope: int | None = None) -> list[Row]:
    """List devices as `register_devices` takes them, each with the subject that it is on or was on last."""
    return fetch_rows(connection, _QUERIES["export"], {"organisation": organisation, "scope": scope})


def _known(connection: Connection, entries: Sequence[DeviceEntry], scope: int | None) -> Known:
    slugs = sorted({entry.organisation for entry in entries})
    organisations = {
        slug: OrganisationId(number)
        for slug, number in _rows(connection, "organisations", {"slugs": slugs, "scope": scope})
    }
    named = [(organisations[e.organisation], e) for e in entries if e.organisation in organisations]
    devices: dict[tuple[OrganisationId, str], tuple[DeviceId, DeviceRow]] = {}
    # A gateway need not be in the list itself.
    names = {(o, name) for o, e in named for name in (e.external_id, e.gateway) if name is not None}
    asked: dict[str, object] = {
        "organisations": [organisation for organisation, _ in names],
        "external_ids": [external_id for _, external_id in names],
    }
    for organisation, external_id, number, *row in _rows(connection, "devices", asked):
        *plain, tags, gateway, people, customers, supplies = row
        devices[organisation, external_id] = (
            DeviceId(number),
            DeviceRow(
                *plain,
                tags=tuple(tags),
                gateway=gateway,
                people=people,
                customers=customers,
                supplies_site=supplies,
            ),
        )
    on = [(organisation, entry.subject) for organisation, entry in named if entry.subject is not None]
    asked = {"organisations": [o for o, _ in on], "slugs": [slug for _, slug in on]}
    sites = _rows(connection, "sites", {"organisations": sorted(organisations.values())})
    return Known(
        organisations=organisations,
        profiles=find_profiles(connection, {entry.profile for entry in entries if entry.profile is not None}),
        sites={(organisation, slug): number for organisation, slug, number in sites},
        devices=devices,
        subjects={(o, slug): number for o, slug, number in _rows(connection, "subjects", asked)},
        deployments=_deployments(connection, [device for device, _ in devices.values()] if on else []),
    )


def _deployments(connection: Connection, devices: list[DeviceId]) -> dict[DeviceId, list[StandingDeployment]]:
    found: dict[DeviceId, list[StandingDeployment]] = {}
    for device, *standing in _rows(connection, "deployments", {"devices": devices}):
        found.setdefault(device, []).append(StandingDeployment(*standing))
    return found


def _write(connection: Connection, plan: Plan) -> None:
    if plan.created:
        with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
            for (organisation, external_id), row in plan.created.items():
                copy.write_row((organisation, external_id, *row[:_PLAIN], list(row.tags), *row.dependants))
    if plan.changed:
        _change(connection, plan.changed)
    _hang(connection, plan)
    if plan.subjects:
        new = list(plan.subjects.values())
        columns = ("organisations", "slugs", "kinds", "species")
        connection.execute(_QUERIES["create_subjects"], dict(zip(columns, _columns(new, 4), strict=True)))
    if plan.deployed:
        organisations, external_ids = _columns([each.device for each in plan.deployed], 2)
        subjects, since, until = _columns([each[1:] for each in plan.deployed], 3)
        connection.execute(
            _QUERIES["deploy"],
            {
                "organisations": organisations,
                "external_ids": external_ids,
                "subjects": subjects,
                "since": since,
                "until": until,
            },
        )
    if plan.ended:
        ends: list[datetime] = list(plan.ended.values())
        connection.execute(_QUERIES["end_deployments"], {"ids": list(plan.ended), "until": ends})


def _hang(connection: Connection, plan: Plan) -> None:
    """Say through which other devices devices are heard, once all of them are there."""
    created = [(*name, row.gateway) for name, row in plan.created.items() if row.gateway is not None]
    if created:
        names = ("organisations", "external_ids", "gateways")
        connection.execute(_QUERIES["hang_new"], dict(zip(names, _columns(created, 3), strict=True)))
    changed = [(number, row.gateway) for number, row in plan.changed.items() if row.gateway is not None]
    if changed:
        connection.execute(_QUERIES["hang"], dict(zip(("ids", "gateways"), _columns(changed, 2), strict=True)))


def _change(connection: Connection, changed: dict[DeviceId, DeviceRow]) -> None:
    names = ("names", "profile_ids", "site_ids", "sources", "statuses", "longitudes", "latitudes")
    columns: dict[str, object] = dict(
        zip(names, _columns([row[:_PLAIN] for row in changed.values()], _PLAIN), strict=True)
    )
    # Arrays of arrays must be of one length: tags go as one text each.
    columns |= {"ids": list(changed), "tags": [chr(31).join(row.tags) for row in changed.values()]}
    dependants = ("people", "customers", "supply_site")
    columns |= zip(dependants, _columns([row.dependants for row in changed.values()], 3), strict=True)
    connection.execute(_QUERIES["change"], columns)
    adopt_profile(connection, list(changed))


def _columns(rows: Sequence[Sequence[Any]], width: int) -> list[list[Any]]:
    return [[row[place] for row in rows] for place in range(width)]


def _rows(connection: Connection, query: str, values: dict[str, object]) -> Iterator[tuple[Any, ...]]:
    with translated_errors():
        return iter(connection.execute(_QUERIES[query], values).fetchall())
