"""What alerts are about, kept with the alerts: litres, kilowatt hours and money an hour, people.

Contract: a function of what is stored (`veldwatch.metering.impact`), worked out in the transaction of whoever changed
something: the engine an alert, an operator a tariff. Doing it again changes nothing.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from veldwatch.metering.impact import Circumstances, Quantity, estimate
from veldwatch.model.dependants import SiteDependants, of_device, totals
from veldwatch.model.impact import Estimate, Impact, Tariffs, spoken_impact
from veldwatch.storage.connection import Connection, translated_errors
from veldwatch.storage.pool import Row, fetch_rows
from veldwatch.storage.queries import load_queries
from veldwatch.wire.document_part import DocumentPart
from veldwatch.wire.durations import parse_duration
from veldwatch.wire.impact_document import read_impact

_QUERIES = load_queries("impacts")
_SEPARATOR = "\x1f"
_COUNTERS = frozenset({"balance"})
"""Kinds of condition whose value was counted in a stretch of `every`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """What was said of the sites of some organisations.

    Attributes:
        parents: site to the site above; None: it is a root.
        people: site to how many depend on it, added up from below where nothing was said.
        tariffs: by organisation.
        site_tariffs: what differs at a site (water, energy).
    """

    parents: Mapping[int, int | None] = field(default_factory=dict[int, int | None])
    people: Mapping[int, int | None] = field(default_factory=dict[int, int | None])
    customers: Mapping[int, int | None] = field(default_factory=dict[int, int | None])
    tariffs: Mapping[int, Tariffs] = field(default_factory=dict[int, Tariffs])
    site_tariffs: Mapping[int, tuple[float | None, float | None]] = field(
        default_factory=dict[int, tuple[float | None, float | None]]
    )

    def path(self, site: int | None) -> tuple[int, ...]:
        """Give a site and all above it, outermost first; empty: none."""
        up: list[int] = []
        while site is not None and site not in up:
            up.append(site)
            site = self.parents.get(site)
        return tuple(reversed(up))

    def tariffs_at(self, organisation: int, site: int | None) -> Tariffs:
        """Give what holds at a site: of itself, else of the nearest above that differs, else the organisation's."""
        found = self.tariffs.get(organisation, Tariffs())
        water, energy = found.water, found.energy
        for each in self.path(site):
            own_water, own_energy = self.site_tariffs.get(each, (None, None))
            water = water if own_water is None else own_water
            energy = energy if own_energy is None else own_energy
        return Tariffs(currency=found.currency, water=water, energy=energy)


def estimate_alerts(connection: Connection, changed: Sequence[UUID], now: datetime) -> list[UUID]:
    """Estimate what alerts are about, and say it in their messages of now.

    Returns:
        The alerts of which another impact is known now.
    """
    rows = fetch_rows(connection, _QUERIES["known"], {"ids": list(changed)}) if changed else []
    if not rows:
        return []
    rules = {json.dumps(row["impact"]): row["impact"] for row in rows}
    impacts = {text: None if block is None else read_impact(DocumentPart(block)) for text, block in rules.items()}
    blocks = [(row, impacts[json.dumps(row["impact"])]) for row in rows]
    places = read_places(connection, {row["organisation_id"] for row in rows})
    usual = _usual(connection, blocks)
    found = {row["id"]: estimate(impact, _circumstances(row, places, usual)) for row, impact in blocks}
    changes = [(row["id"], found[row["id"]]) for row in rows if found[row["id"]] != estimate_of(row)]
    _save(connection, changes, now)
    _say(connection, found, now)
    return [identity for identity, _ in changes]


def estimate_of(row: Row) -> Estimate:
    """Read what is kept of an alert's or an incident's impact."""
    parts = ("water", "energy", "money", "currency", "people", "customers")
    return Estimate(**{part: row[f"impact_{part}"] for part in parts}, missing=tuple(row["impact_missing"]))


def open_alerts_of(connection: Connection, organisation_id: int) -> list[UUID]:
    """List the alerts of an organisation that hold and whose impact is estimated."""
    return [row["id"] for row in fetch_rows(connection, _QUERIES["open_of"], {"organisation_id": organisation_id})]


def read_places(connection: Connection, organisations: set[int]) -> Places:
    """Read the tree of sites, tariffs and dependants of some organisations."""
    asked = {"organisations": sorted(organisations)}
    sites = fetch_rows(connection, _QUERIES["sites"], asked)
    tariffs = fetch_rows(connection, _QUERIES["tariffs"], asked)
    return Places(
        parents={row["id"]: row["parent_id"] for row in sites},
        people=_totals(sites, "people"),
        customers=_totals(sites, "customers"),
        tariffs={
            row["id"]: Tariffs(currency=row["currency"], water=row["water_tariff"], energy=row["energy_tariff"])
            for row in tariffs
        },
        site_tariffs={row["id"]: (row["water_tariff"], row["energy_tariff"]) for row in sites},
    )


def _totals(sites: Sequence[Row], kind: str) -> dict[int, int | None]:
    return totals(
        SiteDependants(
            id=row["id"],
            parent=row["parent_id"],
            said=row[kind],
            own=row[f"own_{kind}"],
            supplied=row[f"supplied_{kind}"],
        )
        for row in sites
    )


def _circumstances(row: Row, places: Places, usual: Mapping[tuple[UUID, str], Quantity]) -> Circumstances:
    site = row["site_id"]
    total = {kind: None if site is None else getattr(places, kind).get(site) for kind in ("people", "customers")}
    if row["device_id"] is not None:
        total = {kind: of_device(row[kind], total[kind], supplies=row["supplies_site"]) for kind in total}
    return Circumstances(
        value=None if row["value"] is None else Quantity(value=row["value"], unit=row["unit"]),
        counted_in=_counted_in(row),
        usual=lambda metric: usual.get((row["id"], metric)),
        people=total["people"],
        customers=total["customers"],
        tariffs=places.tariffs_at(row["organisation_id"], site),
    )


def _counted_in(row: Row) -> timedelta | None:
    if row["condition_kind"] in _COUNTERS:
        return timedelta(days=1) if row["every"] is None else parse_duration(row["every"])
    return row["counted_in"]


def _usual(connection: Connection, blocks: Sequence[tuple[Row, Impact | None]]) -> dict[tuple[UUID, str], Quantity]:
    wanted = [
        (row, flow.metric or "")
        for row, impact in blocks
        for flow in (() if impact is None else (impact.water, impact.energy))
        if flow is not None and (flow.of.value == "usual" or flow.above_usual)
    ]
    if not wanted:
        return {}
    asked: dict[str, object] = {
        "ids": [row["id"] for row, _ in wanted],
        "devices": [row["device_id"] for row, _ in wanted],
        "series": [row["series_id"] for row, _ in wanted],
        "metrics": [metric for _, metric in wanted],
        "times": [row["opened_at"] for row, _ in wanted],
    }
    rows = fetch_rows(connection, _QUERIES["usual"], asked)
    return {(row["id"], row["metric"]): Quantity(value=row["value"], unit=row["unit"]) for row in rows}


def _save(connection: Connection, changes: Sequence[tuple[UUID, Estimate]], now: datetime) -> None:
    if not changes:
        return
    parts = ("water", "energy", "money", "currency", "people", "customers")
    values: dict[str, Any] = {part: [getattr(each, part) for _, each in changes] for part in parts}
    values["missing"] = [_SEPARATOR.join(each.missing) for _, each in changes]
    with translated_errors():
        connection.execute(_QUERIES["save"], {**values, "ids": [identity for identity, _ in changes], "now": now})


def _say(connection: Connection, found: Mapping[UUID, Estimate], now: datetime) -> None:
    said = [(identity, text, each) for identity, each in found.items() if (text := spoken_impact(each)) is not None]
    if not said:
        return
    values = {
        "ids": [identity for identity, _, _ in said],
        "said": [text for _, text, _ in said],
        "impacts": [json.dumps(asdict(each)) for _, _, each in said],
        "now": now,
    }
    with translated_errors():
        connection.execute(_QUERIES["say"], values)
