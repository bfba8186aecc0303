"""Alerts in incidents on the real database: as they come, in any order, late, withdrawn, a thousand at once."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from rules.correlation.order import correlate
from tests.unit.veldwatch.model.test_incident_merging import incidents_of
from veldwatch.model.alert import Alert, AlertState, alert_id
from veldwatch.model.explanation import DEFAULT_PATIENCE
from veldwatch.model.identifiers import AlertId, DeviceId, OrganisationId, RuleVersionId, SiteId
from veldwatch.model.incident import Head, incident_of_head, incident_of_interruption
from veldwatch.model.register import Device, Site
from veldwatch.storage import register
from veldwatch.storage.alert_history import AlertSubject, record_alert, take_turn
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.incidents import IncidentDeed, acknowledge_incident
from veldwatch.storage.interruptions import Place, Planned, add_interruption, cancel_interruption
from veldwatch.storage.rules import save_rule
from veldwatch.wire.rule_document import parse_rule, version_id

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
TREE = (("town", None), ("north", "town"), ("north-1", "north"), ("south", "town"))
RULES = {
    rule["id"]: parse_rule(rule)
    for rule in (
        {
            "id": "burst",
            "title": "Burst",
            "severity": "critical",
            "condition": {"kind": "threshold", "metric": "flow_rate", "above": 1000},
            "impact": {"water": {"of": "value", "unit": "L/h"}, "people": True},
        },
        {
            "id": "silent",
            "title": "Meter silent",
            "severity": "minor",
            "condition": {"kind": "absence", "silent_for": "20m"},
            "impact": {"people": True},
        },
        {
            "id": "feeder-dead",
            "title": "Feeder without voltage",
            "severity": "major",
            "condition": {"kind": "threshold", "metric": "line_voltage", "below": 550},
            "explains": "silence",
            "impact": {"people": True},
        },
    )
}


@dataclass(slots=True)
class Town:
    """An organisation with a tree of sites, and alerts as the engine records them."""

    connection: Connection
    organisation: OrganisationId = field(init=False)
    sites: dict[str, SiteId] = field(default_factory=dict[str, SiteId])
    devices: dict[str, tuple[DeviceId, SiteId | None]] = field(
        default_factory=dict[str, tuple[DeviceId, SiteId | None]]
    )
    alerts: dict[AlertId, Alert] = field(default_factory=dict[AlertId, Alert])
    about: dict[AlertId, AlertSubject] = field(default_factory=dict[AlertId, AlertSubject])

    def __post_init__(self) -> None:
        self.organisation = register.ensure_organisation(self.connection, "town")
        for slug, parent in TREE:
            site = Site(
                organisation_id=self.organisation, slug=slug, parent_id=None if parent is None else self.sites[parent]
            )
            self.sites[slug] = register.ensure_site(self.connection, site)
        for rule in RULES.values():
            save_rule(self.connection, rule, "tests")

    def device(self, name: str, site: str | None = None, place: tuple[float, float] | None = None) -> DeviceId:
        site_id = None if site is None else self.sites[site]
        made = register.ensure_device(
            self.connection,
            Device(
                organisation_id=self.organisation,
                external_id=name,
                source="tests",
                site_id=site_id,
                longitude=None if place is None else place[0],
                latitude=None if place is None else place[1],
            ),
        )
        self.devices[name] = made, site_id
        return made

    def make(self, rule: str, device: str, minute: float, *, ended: float | None = None, value: float = 0) -> AlertId:
        """Make an alert that fired, without recording it."""
        number, site = self.devices[device]
        version = version_id(RULES[rule])
        opened = NOON + minute * MINUTE
        identity = alert_id(RuleVersionId(version), f"device:{number}", opened)
        self.alerts[identity] = Alert(
            id=identity,
            state=AlertState.FIRING if ended is None else AlertState.RESOLVED,
            opened_at=opened,
            fired_at=opened,
            resolved_at=None if ended is None else NOON + ended * MINUTE,
            settled_at=None,
            recorded_at=NOON,
            value=value,
        )
        self.about[identity] = AlertSubject(
            version=version,
            subject=f"device:{number}",
            organisation_id=self.organisation,
            device_id=number,
            site_id=site,
            series_id=None,
            severity=RULES[rule].severity.value,
        )
        return identity

    def record(self, *alerts: AlertId) -> None:
        with self.connection.transaction():
            take_turn(self.connection)
            for identity in alerts:
                record_alert(self.connection, self.about[identity], self.alerts[identity], "it is so", [], NOON)
            correlate(self.connection, alerts, DEFAULT_PATIENCE, NOON)

    def change(self, identity: AlertId, **changes: object) -> None:
        self.alerts[identity] = replace(self.alerts[identity], **changes)  # pyright: ignore[reportArgumentType]
        self.record(identity)

    def groups(self) -> list[list[AlertId]]:
        rows = self.connection.execute(
            b"SELECT array_agg(id ORDER BY id) FROM alert WHERE incident_id IS NOT NULL GROUP BY incident_id"
        )
        return sorted([AlertId(identity) for identity in row[0]] for row in rows)

    def incident(self, identity: AlertId) -> UUID | None:
        row = self.connection.execute(b"SELECT incident_id FROM alert WHERE id = %s", (identity,)).fetchone()
        return None if row is None else row[0]

    def part(self, incident: UUID | None, *columns: str) -> tuple[object, ...]:
        row = self.connection.execute(
            b"SELECT to_jsonb(p) FROM incident_part p WHERE incident_id = %s AND organisation_id IS NULL", (incident,)
        ).fetchone()
        assert row is not None
        return tuple(row[0][column] for column in columns)


@pytest.fixture
def town(connection: Connection) -> Town:
    return Town(connection)


def test_alerts_of_one_site_at_one_time_are_one_incident_with_the_worst_ones_name(town: Town) -> None:
    town.device("a", "north", (31.0, -10.0))
    town.device("b", "north", (31.002, -10.0))
    first, second = town.make("silent", "a", 0), town.make("burst", "b", 5, value=1200)
    town.record(first)
    town.record(second)
    assert town.groups() == [sorted([first, second])]
    incident = town.incident(first)
    assert incident == incident_of_head(first)
    shown = town.part(incident, "title", "severity", "state", "alerts", "open_alerts", "devices")
    assert shown == ("Burst: b", "critical", "open", 2, 2, 2)
    assert town.part(incident, "longitude") == (pytest.approx(31.001),)
    for alert in (first, second):
        town.change(alert, state=AlertState.RESOLVED, resolved_at=NOON + 30 * MINUTE)
    assert town.part(incident, "state", "open_alerts", "resolved_at") == ("resolved", 0, "2026-11-22T12:30:00+00:00")


def test_what_another_alert_explains_is_in_its_incident_however_late(town: Town) -> None:
    for name, site in (("feeder", "north"), ("m1", "north-1"), ("m2", "north-1"), ("far", "south")):
        town.device(name, site)
    silent = [town.make("silent", name, -1) for name in ("m1", "m2", "far")]
    town.record(*silent)
    cause = town.make("feeder-dead", "feeder", 0)
    town.record(cause)
    assert town.groups() == sorted([sorted([cause, *silent[:2]]), [silent[2]]])
    assert town.incident(silent[0]) == incident_of_head(cause)
    assert town.part(town.incident(cause), "title") == ("Feeder without voltage: feeder",)
    gone = town.connection.execute(
        b"SELECT count(*) FROM incident i WHERE NOT EXISTS (SELECT FROM alert a WHERE a.incident_id = i.id)"
        b" AND EXISTS (SELECT FROM incident n WHERE n.id = i.superseded_by AND n.founder_id = %s)",
        (cause,),
    ).fetchone()
    assert gone == (1,)


def test_an_alert_that_late_data_puts_first_gives_the_incident_its_name_and_the_old_one_points_to_it(
    town: Town,
) -> None:
    for name in ("a", "b", "c"):
        town.device(name, "north")
    later = [town.make("burst", "b", 10), town.make("burst", "c", 20)]
    town.record(*later)
    old = town.incident(later[0])
    first = town.make("burst", "a", 0)
    town.record(first)
    assert town.groups() == [sorted([first, *later])]
    found = town.connection.execute(b"SELECT superseded_by FROM incident WHERE id = %s", (old,)).fetchone()
    assert found == (town.incident(first),)
    town.change(first, state=AlertState.RETRACTED)
    assert town.groups() == [sorted(later)]
    assert town.incident(later[0]) == old
    found = town.connection.execute(b"SELECT superseded_by FROM incident WHERE id = %s", (old,)).fetchone()
    assert found == (None,)


def test_what_a_planned_interruption_explains_is_its_incident_until_it_is_called_off(town: Town) -> None:
    for name in ("m1", "m2", "far"):
        town.device(name, "south" if name == "far" else "north-1")
    silent = [town.make("silent", name, 1) for name in ("m1", "m2", "far")]
    town.record(*silent)
    planned = Planned(
        organisation="town",
        kind="planned",
        title="Works at the substation",
        begins_at=NOON,
        ends_at=NOON + 60 * MINUTE,
        place=Place(sites=("north",)),
    )
    number = add_interruption(town.connection, planned, author="tests", scope=None, now=NOON, patience=DEFAULT_PATIENCE)
    incident = incident_of_interruption(number)
    assert [town.incident(alert) for alert in silent] == [incident, incident, incident_of_head(silent[2])]
    assert town.part(incident, "title", "alerts") == ("Works at the substation", 2)
    cancel_interruption(town.connection, number, scope=None, now=NOON, patience=DEFAULT_PATIENCE)
    assert incident not in [town.incident(alert) for alert in silent]


def test_an_alert_that_has_not_fired_is_in_no_incident(town: Town) -> None:
    town.device("a", "north")
    alert = town.make("burst", "a", 0)
    town.change(alert, state=AlertState.PENDING, fired_at=None)
    assert town.groups() == []


@pytest.mark.parametrize("seed", range(6))
def test_any_order_of_recording_ends_in_the_incidents_of_all_at_once(town: Town, seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311  # the same each time
    sites = [None, "town", "north", "north-1", "south"]
    for number in range(12):
        place = None if draw.random() < 0.4 else (31.0, -10 + draw.randrange(40) * 0.001)
        town.device(f"d{number}", draw.choice(sites), place)
    made = {
        town.make("burst", f"d{draw.randrange(12)}", at := draw.randrange(1500), ended=at + draw.choice([5, 60, 600]))
        for _ in range(60)
    }
    order = sorted(made)
    draw.shuffle(order)
    while order:
        count = draw.randrange(1, 9)
        batch, order = order[:count], order[count:]
        town.record(*batch)
        if draw.random() < 0.3:
            # Late data takes one back, and brings it again.
            taken = draw.choice(batch)
            kept = town.alerts[taken]
            town.change(taken, state=AlertState.RETRACTED)
            town.change(taken, state=kept.state)
    expected: dict[UUID, list[AlertId]] = {}
    for identity, founder in incidents_of(heads_of(town, made)).items():
        expected.setdefault(founder, []).append(AlertId(identity))
    assert town.groups() == sorted(sorted(group) for group in expected.values())


def heads_of(town: Town, made: set[AlertId]) -> list[Head]:
    """Give alerts as gathering sees them."""
    paths: dict[str, tuple[int, ...]] = {slug: (town.sites[slug],) for slug, _ in TREE}
    for slug, parent in TREE:
        if parent is not None:
            paths[slug] = (*paths[parent], town.sites[slug])
    by_site: dict[int | None, tuple[int, ...]] = {town.sites[slug]: path for slug, path in paths.items()}
    places = {
        row[0]: None if row[1] is None else (row[1], row[2])
        for row in town.connection.execute(b"SELECT id, longitude, latitude FROM device")
    }
    return [
        Head(
            id=identity,
            opened_at=town.alerts[identity].opened_at,
            resolved_at=town.alerts[identity].resolved_at,
            path=by_site.get(town.about[identity].site_id, ()),
            device=(device := town.about[identity].device_id),
            place=places[device],
        )
        for identity in made
    ]


def test_people_of_a_cut_are_counted_once(town: Town) -> None:
    town.device("feeder", "north")
    for name in ("m1", "m2"):
        town.device(name, "north-1")
    town.connection.execute(b"UPDATE device SET people = 5 WHERE external_id LIKE 'm%'")
    town.connection.execute(b"UPDATE device SET supplies_site = true, people = 300 WHERE external_id = 'feeder'")
    alerts = [town.make("feeder-dead", "feeder", 0), town.make("silent", "m1", 1), town.make("silent", "m2", 1)]
    town.record(*alerts)
    assert town.part(town.incident(alerts[0]), "impact_people", "alerts") == (300, 3)


def test_a_thousand_silences_of_one_cut_are_one_incident(town: Town) -> None:
    town.device("feeder", "north")
    town.connection.execute(
        b"INSERT INTO device (organisation_id, external_id, name, source, site_id, people)"
        b" SELECT %s, 'm' || n, 'm' || n, 'tests', %s, 4 FROM generate_series(1, 1000) n",
        (town.organisation, town.sites["north-1"]),
    )
    for number, name in town.connection.execute(b"SELECT id, external_id FROM device WHERE external_id LIKE 'm%'"):
        town.devices[name] = DeviceId(number), town.sites["north-1"]
    cause = town.make("feeder-dead", "feeder", 0)
    silent = [town.make("silent", f"m{n}", -1 - n / 1000) for n in range(1, 1001)]
    town.record(cause)
    town.record(*silent)
    assert [len(group) for group in town.groups()] == [1001]
    assert town.part(town.incident(cause), "alerts", "devices", "impact_people") == (1001, 1001, 4000)


def test_people_who_take_an_incident_up_and_the_engine_that_writes_its_alerts_wait_for_each_other_in_one_order(
    town: Town, dsn: str
) -> None:
    town.device("d1", "north")
    town.device("d2", "north")
    alerts = sorted([town.make("burst", "d1", 0), town.make("burst", "d2", 1)])
    town.record(*alerts)
    town.connection.commit()
    incident = town.incident(alerts[0])
    town.connection.commit()
    assert incident is not None
    written = threading.Barrier(3)

    def engine() -> None:
        with connect(dsn, application="engine") as connection, connection.transaction():
            take_turn(connection)
            for identity in reversed(alerts):
                record_alert(connection, town.about[identity], town.alerts[identity], "it is so", [], NOON)
                if identity == alerts[1]:
                    written.wait()
            correlate(connection, alerts, DEFAULT_PATIENCE, NOON)

    def person(name: str) -> None:
        written.wait()
        with connect(dsn, application=name) as connection, connection.transaction():
            acknowledge_incident(connection, IncidentDeed(incident_id=incident, author=name, scope=None, now=NOON))

    with ThreadPoolExecutor(3) as pool:
        for each in [pool.submit(engine), pool.submit(person, "one"), pool.submit(person, "other")]:
            each.result()
    rows = town.connection.execute(b"SELECT DISTINCT acknowledged_by FROM alert").fetchall()
    assert len(rows) == 1
