"""A power cut as operators live it: thousands of devices fall silent at once, and no phone rings for each of them."""

import pytest

from tests.integration.rules.town import MINUTE, NOON, Town
from veldwatch.storage.rules import save_rule
from veldwatch.wire.rule_document import parse_rule

INFERRED = {
    "id": "area",
    "title": "Meters of one feeder silent together",
    "severity": "critical",
    "select": {"tags": ["meter"]},
    "condition": {"kind": "area_outage", "silent_for": "15m", "share": 0.5, "sites": "feeder"},
    "explains": "silence",
}


def streets(town: Town, count: int) -> list[str]:
    """Put meters below the northern feeder, each heard at its own moment of the last ten minutes before noon."""
    with town.connection.transaction():
        town.connection.execute(b"UPDATE site SET kind = 'feeder' WHERE slug = 'north'")
        rows = town.connection.execute(
            b"INSERT INTO device (organisation_id, external_id, name, site_id, source, tags, status)"
            b" SELECT %s, 'n' || i, 'n' || i, %s, 'tests', '{meter}', 'active' FROM generate_series(1, %s) i"
            b" RETURNING external_id, id",
            (town.feed.organisation, town.sites["north-1"], count),
        ).fetchall()
    town.feed.devices |= dict(rows)
    names = [name for name, _ in rows]
    heard = [(name, NOON - 10 * MINUTE * (number % 100 + 1) / 100) for number, name in enumerate(names)]
    for begin in range(0, count, 2000):
        town.feed.contacts(heard[begin : begin + 2000])
    return names


def cut(town: Town, count: int, *, measured: bool) -> None:
    for name, site, tags in (("s1", "south", ("meter",)), ("s2", "south", ("meter",))):
        town.device(name, site, tags=tags)
    town.device("main", "north", "flow_rate")
    if measured:
        town.device("feeder", "north", "line_voltage")
    else:
        with town.connection.transaction():
            save_rule(town.connection, parse_rule(INFERRED), "tests")
    streets(town, count)
    town.feed.contacts([(name, NOON - 5 * MINUTE) for name in ("s1", "s2")])
    town.engineer.settle(NOON - MINUTE)
    if measured:
        town.feed.readings("line_voltage", [("feeder", NOON, 0.0)])
    town.feed.contacts([("s2", NOON + minute * MINUTE) for minute in range(0, 120, 10)])
    for minute in (1, 12, 14, 16, 18, 20, 22, 30):
        town.pass_until(NOON + minute * MINUTE)
    town.feed.readings("flow_rate", [("main", NOON + 40 * MINUTE, 5000.0)])
    for minute in (41, 43, 60, 90):
        town.pass_until(NOON + minute * MINUTE)


def hold(town: Town, count: int, cause: str) -> None:
    """Tell what has to be true after it."""
    rows = town.connection.execute(
        b"SELECT count(*) FILTER (WHERE a.explained_by IS NOT NULL), count(DISTINCT a.incident_id)"
        b" FROM alert a JOIN device d ON d.id = a.device_id JOIN rule_version v ON v.id = a.rule_version_id"
        b" WHERE v.condition_kind = 'absence' AND d.external_id LIKE 'n%%' AND a.state = 'firing'"
    ).fetchone()
    town.connection.commit()
    assert rows == (count, 1)
    assert sorted(town.subjects) == sorted([cause, "[CRITICAL] Burst: main", "[MINOR] Meter silent: s1"])


@pytest.mark.parametrize("measured", [True, False], ids=["measured", "inferred"])
def test_a_feeder_s_silent_meters_are_one_incident_and_one_message(town: Town, measured: bool) -> None:
    cut(town, 60, measured=measured)
    hold(town, 60, _cause(measured=measured))


@pytest.mark.slow
@pytest.mark.parametrize("measured", [True, False], ids=["measured", "inferred"])
def test_ten_thousand_silent_meters_are_one_incident_and_one_message(town: Town, measured: bool) -> None:
    cut(town, 10_000, measured=measured)
    hold(town, 10_000, _cause(measured=measured))


def _cause(*, measured: bool) -> str:
    if measured:
        return "[CRITICAL] Feeder without voltage: feeder"
    return "[CRITICAL] Meters of one feeder silent together: north"
