"""Impact through the whole engine: larger leaks rank higher, held against the size that the simulator injected."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from rules.rule_files import pack_path, read_rules
from simulators.building import Run, build_fleet
from simulators.report import Place
from simulators.scenario_files import load_scenario
from simulators.timetable import TimedFault
from tests.integration.rules.feed import Engineer, Feed
from veldwatch.model.notifications import Channel
from veldwatch.model.register import Profile
from veldwatch.storage import register
from veldwatch.storage.connection import Connection
from veldwatch.storage.receivers import NewReceiver, add_receiver
from veldwatch.storage.rules import save_rule

BEGINS = datetime(2026, 11, 22, tzinfo=UTC)
DAYS = timedelta(days=2)
LEAKS = (40.0, 120.0, 350.0, 900.0, 2500.0)
"""L/h. Homes use some 20 L/h; sizes differ by more than homes do."""


def played(leaks: Mapping[str, float]) -> list[tuple[str, datetime, float]]:
    """Play some of the town's meters, a leak behind each: device, time, register in m3."""
    town = load_scenario("town")
    meters = [plan for plan in town.devices if plan.model == "water_meter" and plan.id in leaks]
    own = [plan.model_copy(update={"gateway": None, "interval_seconds": 900.0}) for plan in meters]
    # A feeder's load shedding is none of theirs.
    sites = tuple(site.model_copy(update={"settings": {}}) for site in town.sites)
    scenario = town.model_copy(update={"devices": tuple(own), "sites": sites, "faults": ()})
    begins, ends = _milliseconds(BEGINS), _milliseconds(BEGINS + DAYS)
    fleet = build_fleet(scenario, Run(seed=7, begins_at=begins, live_from=ends, ends_at=ends))
    for plan in own:
        fault = TimedFault(
            key=plan.id,
            kind="leak",
            place=Place(organisation=plan.organisation, device=plan.id),
            starts=begins + 3 * 3_600_000,
            parameters={"litres_per_hour": leaks[plan.id]},
        )
        fleet.check(fault)
        fleet.timetable.add(fault)
    found: list[tuple[str, datetime, float]] = []
    for message in fleet.advance(ends):
        if not message.topic.endswith("/readings"):
            continue
        for one in _listed(json.loads(message.payload)):
            if "volume" in one["readings"]:
                at = datetime.fromisoformat(str(one["observed_at"]))
                found.append((message.topic.split("/")[3], at, _value(one["readings"]["volume"])))
    return found


def _listed(document: object) -> list[dict[str, dict[str, object]]]:
    return document if isinstance(document, list) else [document]  # pyright: ignore[reportReturnType, reportUnknownVariableType]


def _value(reading: object) -> float:
    return float(reading["value"] if isinstance(reading, dict) else reading)  # pyright: ignore[reportArgumentType, reportUnknownArgumentType]


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def test_larger_leaks_rank_higher_and_messages_say_how_large(
    feed: Feed, engineer: Engineer, connection: Connection
) -> None:
    meters = [plan.id for plan in load_scenario("town").devices if plan.model == "water_meter"][: len(LEAKS)]
    leaks = dict(zip(meters, LEAKS, strict=True))
    for name in leaks:
        feed.device(name, ["volume"])
    connection.execute("UPDATE series SET unit = 'm3', kind = 'counter'")
    profile = register.ensure_profile(connection, Profile(slug="water-meter", name="Water meter", kind="meter"))
    connection.execute("UPDATE device SET profile_id = %s", [profile])
    connection.execute("UPDATE organisation SET currency = 'USD', water_tariff = 2")
    (leak,) = [rule for rule in read_rules(pack_path("water")) if rule.id == "water.leak"]
    save_rule(connection, leak, "tests")
    add_receiver(connection, NewReceiver(slug="desk", channel=Channel.EMAIL, address="desk@town.example"))
    connection.commit()
    engineer.settle(BEGINS)
    feed.readings("volume", played(leaks))
    engineer.settle(BEGINS + DAYS)
    rows = connection.execute(
        "SELECT d.external_id, a.impact_water, a.impact_money FROM alert a JOIN device d ON d.id = a.device_id"
        " WHERE a.state = 'firing' ORDER BY a.impact_water DESC"
    ).fetchall()
    assert [row[0] for row in rows] == sorted(leaks, key=lambda name: -leaks[name])
    for name, litres, money in rows:
        # What the home uses itself is in it, and the pressure behind a leak goes with the hour.
        assert 0.6 * leaks[name] < litres < leaks[name] + 150
        assert abs(money - litres / 500) < 1e-9
    said = connection.execute("SELECT message ->> 'text', message #> '{alert,impact,water}' FROM outbox").fetchall()
    assert len(said) == len(LEAKS)
    assert all(" Impact: about " in text and "L/h" in text and "USD/h." in text for text, _ in said)
    assert sorted(water for _, water in said) == sorted(row[1] for row in rows)
