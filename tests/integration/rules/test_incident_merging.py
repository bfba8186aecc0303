"""Incidents that prove to be one, on the real database: by a later alert, by people, and apart again."""

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from random import Random
from uuid import UUID

import pytest

from rules.correlation.order import correlate
from rules.notify.webhook import new_client
from tests.integration.rules.notify import alerts as notifications
from tests.integration.rules.notify.delivering import Clock, deliverer, serve
from tests.integration.rules.notify.http_receiver import http_receiver
from tests.integration.rules.test_incidents import MINUTE, NOON, Town, heads_of
from veldwatch.errors import Conflict
from veldwatch.model.alert import AlertState
from veldwatch.model.explanation import DEFAULT_PATIENCE
from veldwatch.model.handling import Resolution
from veldwatch.model.identifiers import AlertId
from veldwatch.model.incident import Head, gather_near
from veldwatch.model.incident_merging import Base, Sign, merge
from veldwatch.model.notifications import Channel
from veldwatch.storage.alert_history import inherit_handling, record_alert, take_turn
from veldwatch.storage.alerts import Deed, get_alert, tell_alert
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.incident_changes import merge_incident, put_back, split_incident, take_out
from veldwatch.storage.incidents import (
    IncidentDeed,
    IncidentFilter,
    acknowledge_incident,
    assign_incident,
    comment_incident,
    get_incident,
    list_incidents,
    resolve_incident,
    tell_incident,
)


@pytest.fixture
def town(connection: Connection) -> Town:
    town = Town(connection)
    for number in range(4):
        town.device(f"d{number}", None, (31.0, -10 + number * 0.002))
    return town


def deed(incident: UUID | None, author: str = "Chanda") -> IncidentDeed:
    assert incident is not None
    return IncidentDeed(incident_id=incident, author=author, scope=None, now=NOON)


def on(alert: AlertId) -> Deed:
    return Deed(alert_id=alert, author="Chanda", scope=None, now=NOON)


def two(town: Town) -> tuple[AlertId, AlertId]:
    """Make two incidents that are near each other, and not near enough."""
    pair = town.make("burst", "d0", 0), town.make("burst", "d2", 1)
    town.record(*pair)
    assert town.incident(pair[0]) != town.incident(pair[1])
    return pair


def test_a_later_alert_makes_two_incidents_one_with_all_that_people_did(town: Town) -> None:
    first, other = two(town)
    old = town.incident(other)
    comment_incident(town.connection, deed(old), "digging already")
    assign_incident(town.connection, deed(old), "Grace Banda")
    acknowledge_incident(town.connection, deed(old))
    between = town.make("burst", "d1", 2)
    town.record(between)
    assert town.groups() == [sorted([first, other, between])]
    story = tell_incident(town.connection, None, old or UUID(int=0))
    assert story["id"] == town.incident(first)
    assert (story["alerts"], story["acknowledged_alerts"], story["assigned_to"]) == (3, 1, "Grace Banda")
    kinds = [(entry["kind"], entry["author"]) for entry in story["entries"]]
    assert kinds == [("commented", "Chanda"), ("assigned", "Chanda"), ("acknowledged", "Chanda"), ("merged", "engine")]
    assert story["entries"][-1]["other_id"] == old
    assert len(list_incidents(town.connection, None, IncidentFilter(), limit=10)) == 1
    # Once more is nothing more.
    town.record(first, other, between)
    assert len(tell_incident(town.connection, None, story["id"])["entries"]) == 4
    # Without what showed them to be one they are two again.
    town.change(between, state=AlertState.RETRACTED)
    assert town.groups() == sorted([[first], [other]])
    assert town.incident(other) == old
    assert tell_incident(town.connection, None, old or UUID(int=0))["assigned_to"] == "Grace Banda"


def test_a_cause_that_becomes_known_late_makes_one_of_incidents_that_people_work_on(town: Town) -> None:
    for name, site in (("feeder", "north"), ("m1", "north-1"), ("m2", "north")):
        town.device(name, site)
    silent = town.make("silent", "m1", -1), town.make("silent", "m2", 30)
    town.record(*silent)
    one, other = (town.incident(alert) for alert in silent)
    assert one != other
    for number, person in ((one, "Grace"), (other, "Moses")):
        assign_incident(town.connection, deed(number), person)
        comment_incident(town.connection, deed(number), f"{person} looks")
    cause = town.make("feeder-dead", "feeder", -2)
    town.record(cause)
    assert town.groups() == [sorted([cause, *silent])]
    for number in (one, other):
        story = tell_incident(town.connection, None, number or UUID(int=0))
        assert (story["id"], story["assigned_to"]) == (town.incident(cause), "Moses")
        assert [entry["body"] for entry in story["entries"]] == ["Grace", "Grace looks", "Moses", "Moses looks"]


def test_people_merge_incidents_and_take_it_back(town: Town) -> None:
    town.device("far", None, (18.0, 4.0))
    first, far = town.make("burst", "d0", 0), town.make("burst", "far", 3000)
    town.record(first, far)
    one, other = town.incident(first), town.incident(far)
    assert merge_incident(town.connection, deed(other), one or UUID(int=0)) == one
    assert merge_incident(town.connection, deed(one), other or UUID(int=0)) == one
    assert town.groups() == [sorted([first, far])]
    # What is recorded later changes nothing of it.
    town.change(far, state=AlertState.RESOLVED, resolved_at=NOON + 4000 * MINUTE)
    assert town.groups() == [sorted([first, far])]
    story = tell_incident(town.connection, None, other or UUID(int=0))
    assert [(entry["kind"], entry["author"]) for entry in story["entries"]] == [("merged", "Chanda")]
    split_incident(town.connection, deed(other))
    assert (town.incident(first), town.incident(far)) == (one, other)
    with pytest.raises(Conflict, match="by hand"):
        split_incident(town.connection, deed(one))


def test_an_alert_is_taken_out_and_put_back(town: Town) -> None:
    alerts = [town.make("burst", f"d{number}", number) for number in (0, 1)]
    town.record(*alerts)
    first, second = alerts
    old = town.incident(first)
    comment_incident(town.connection, deed(old), "looks like one")
    for _ in range(2):
        take_out(town.connection, on(first))
    stays = town.incident(second)
    assert town.groups() == sorted([[first], [second]])
    # The incident goes on without the alert that founded it.
    assert get_incident(town.connection, None, old or UUID(int=0))["id"] == stays
    said = [
        (entry["kind"], entry["alert_id"])
        for entry in tell_incident(town.connection, None, stays or UUID(int=0))["entries"]
    ]
    assert said == [("commented", None), ("taken_out", first)]
    assert get_alert(town.connection, None, first)["taken_out_by"] == "Chanda"
    # It gathers nothing: what is near both goes to what stayed.
    third = town.make("burst", "d0", 3)
    town.record(third)
    town.record(first)
    assert town.groups() == sorted([[first], sorted([second, third])])
    with pytest.raises(Conflict, match="itself"):
        take_out(town.connection, on(town_alone(town)))
    for _ in range(2):
        put_back(town.connection, on(first))
    assert town.incident(first) == town.incident(second) == town.incident(third) == old
    kinds = [step["kind"] for step in tell_alert(town.connection, None, first)["transitions"]]
    assert kinds == ["taken_out", "put_back"]


def town_alone(town: Town) -> AlertId:
    town.device("alone", None, (20.0, 4.0))
    alert = town.make("burst", "alone", 0)
    town.record(alert)
    return alert


def test_what_a_cause_explains_leaves_with_it_and_what_is_taken_out_of_a_cut_stays_out(town: Town) -> None:
    for name, site in (("feeder", "north"), ("m1", "north-1"), ("m2", "north-1"), ("pipe", "north")):
        town.device(name, site)
    silent = [town.make("silent", name, 1) for name in ("m1", "m2")]
    cause, burst = town.make("feeder-dead", "feeder", 0), town.make("burst", "pipe", 2)
    town.record(cause, burst, *silent)
    take_out(town.connection, on(silent[0]))
    town.record(cause, *silent)
    assert town.groups() == sorted([[silent[0]], sorted([cause, burst, silent[1]])])
    take_out(town.connection, on(cause))
    assert town.groups() == sorted([[silent[0]], [burst], sorted([cause, silent[1]])])
    for alert in (cause, silent[0]):
        put_back(town.connection, on(alert))
    assert town.groups() == [sorted([cause, burst, *silent])]


def test_a_merge_stays_with_those_who_stay_when_the_alert_that_it_names_is_taken_out(town: Town) -> None:
    alerts = [town.make("burst", f"d{number}", number) for number in (0, 1)]
    town.device("far", None, (18.0, 4.0))
    far = town.make("burst", "far", 3000)
    town.record(*alerts, far)
    merge_incident(town.connection, deed(town.incident(alerts[0])), town.incident(far) or UUID(int=0))
    take_out(town.connection, on(alerts[0]))
    assert town.groups() == sorted([[alerts[0]], sorted([alerts[1], far])])


def test_what_people_said_follows_an_alert_that_late_data_moves(town: Town) -> None:
    town.device("far", None, (18.0, 4.0))
    alerts = [town.make("burst", "d0", 0), town.make("burst", "d1", 1), town.make("burst", "far", 3000)]
    town.record(*alerts)
    first, second, far = alerts
    merge_incident(town.connection, deed(town.incident(second)), town.incident(far) or UUID(int=0))
    take_out(town.connection, on(first))
    moved = town.make("burst", "d0", -1)
    replaced = replace(town.alerts[first], state=AlertState.RETRACTED, superseded_by=moved)
    town.alerts[first] = replaced
    with town.connection.transaction():
        take_turn(town.connection)
        for alert in (moved, first):
            record_alert(town.connection, town.about[alert], town.alerts[alert], "it is so", [], NOON)
        inherit_handling(town.connection, [first])
        correlate(town.connection, [moved, first], DEFAULT_PATIENCE, NOON)
    assert town.groups() == sorted([[moved], sorted([second, far])])


def test_what_came_after_a_verdict_on_all_of_it_has_none(town: Town) -> None:
    first = town.make("burst", "d0", 0)
    town.record(first)
    incident = town.incident(first)
    resolve_incident(town.connection, deed(incident), Resolution.FIXED)
    assert get_incident(town.connection, None, incident or UUID(int=0))["resolved_by"] == "Chanda"
    town.record(town.make("burst", "d1", 5))
    assert get_incident(town.connection, None, incident or UUID(int=0))["resolved_by"] is None


def test_people_work_on_an_incident_again_and_again_while_the_engine_writes_its_alerts_in_other_orders(
    town: Town, dsn: str
) -> None:
    alerts = [town.make("burst", f"d{number}", number) for number in (0, 1, 2, 3)]
    town.record(*alerts)
    incident = town.incident(alerts[0])
    town.connection.commit()

    def engine(seed: int) -> None:
        draw = Random(seed)  # noqa: S311  # the same each time
        with connect(dsn, application="engine") as connection:
            for _ in range(12):
                order = draw.sample(alerts, len(alerts))
                with connection.transaction():
                    take_turn(connection)
                    for alert in order:
                        record_alert(connection, town.about[alert], town.alerts[alert], "it is so", [], NOON)
                    correlate(connection, order, DEFAULT_PATIENCE, NOON)

    def person(name: str) -> None:
        with connect(dsn, application=name) as connection:
            for number in range(12):
                with connection.transaction():
                    acknowledge_incident(connection, deed(incident, name))
                with connection.transaction():
                    assign_incident(connection, deed(incident, name), f"{name} {number}")
                with connection.transaction():
                    alert = alerts[number % len(alerts)]
                    (put_back if number % 2 else take_out)(connection, replace(on(alert), author=name))

    with ThreadPoolExecutor(4) as pool:
        work = [pool.submit(engine, seed) for seed in (1, 2)] + [
            pool.submit(person, name) for name in ("Grace", "Moses")
        ]
        for each in work:
            each.result(timeout=120)
    rows = town.connection.execute(b"SELECT DISTINCT acknowledged_by FROM alert").fetchall()
    assert len(rows) == 1


def test_nobody_is_told_again_of_what_was_told_before_the_incidents_were_one(town: Town, dsn: str) -> None:
    organisation, clock = town.organisation, Clock()
    with http_receiver() as hook, new_client() as client, connect(dsn, autocommit=True) as delivering:
        receiver = notifications.add(town.connection, "hook", Channel.WEBHOOK, hook.url)

        def transition_of(alert: AlertId, kind: str) -> int | None:
            """Give the one that is told already; None: a new one is."""
            told = "SELECT transition_id FROM outbox WHERE alert_id = %s AND message->>'kind' = %s"
            row = town.connection.execute(told, (alert, kind)).fetchone()
            return None if row is None else row[0]

        def say(kind: str, *alerts: AlertId) -> list[str]:
            for alert in alerts:
                about = notifications.Alert(id=alert, organisation_id=organisation)
                notifications.tell(town.connection, about, kind, transition=transition_of(alert, kind))
            town.connection.commit()
            before = len(hook.requests)
            serve(delivering, receiver, deliverer(clock, client))
            return [json.loads(request.body)["data"]["alert"]["id"] for request in hook.requests[before:]]

        pair = two(town)
        assert sorted(say("firing", *pair)) == sorted(str(alert) for alert in pair)
        between = town.make("burst", "d1", 2)
        town.record(between)
        assert say("firing", between) == [str(between)]
        town.record(*pair)
        take_out(town.connection, on(between))
        assert say("firing") == []
        put_back(town.connection, on(between))
        assert say("firing", *pair, between) == []
        assert sorted(say("resolved", *pair, between)) == sorted(str(alert) for alert in (*pair, between))


@pytest.mark.parametrize("seed", range(2))
def test_what_people_say_and_what_is_recorded_in_any_order_end_in_the_same_incidents(
    connection: Connection, seed: int
) -> None:
    town, draw = Town(connection), Random(seed)  # noqa: S311  # the same each time
    for number in range(10):
        town.device(f"e{number}", draw.choice([None, "north", "north-1", "south"]), (31.0, -10 + number * 0.0015))
    drawn = [(f"e{draw.randrange(10)}", draw.randrange(900), draw.choice([5, 60, 600])) for _ in range(36)]
    made = sorted({town.make("burst", device, at, ended=at + lasted) for device, at, lasted in drawn})
    draw.shuffle(made)
    for place in range(0, len(made), 4):
        town.record(*made[place : place + 4])
        known = made[: place + 4]
        with suppress(Conflict):
            draw.choice([take_out, take_out, put_back])(connection, on(draw.choice(known)))
        pair = [town.incident(alert) for alert in draw.sample(known, 2)]
        if draw.random() < 0.3:
            merge_incident(connection, deed(pair[0]), pair[1] or UUID(int=0))
        taken = draw.choice(known)
        if draw.random() < 0.3:
            # Late data takes one back, and brings it again.
            kept = town.alerts[taken]
            town.change(taken, state=AlertState.RETRACTED)
            town.change(taken, state=kept.state)
    assert town.groups() == expected_groups(town, set(made))


def expected_groups(town: Town, made: set[AlertId]) -> list[list[AlertId]]:
    """Gather all at once what is recorded, with what people said."""
    known: dict[UUID, Head] = {head.id: head for head in heads_of(town, made)}
    apart = {row[0] for row in town.connection.execute(b"SELECT alert_id FROM incident_apart")}
    said = town.connection.execute(b"SELECT alert_id, other_id FROM incident_merge WHERE ended_at IS NULL").fetchall()
    found = gather_near(head for head in known.values() if head.id not in apart)
    base = {**found.founders, **{number: number for number in apart}}
    bases = [Base(id=number, began_at=known[number].opened_at, founder=known[number]) for number in set(base.values())]
    signs = [Sign(order=known[number].order, incidents=near) for number, near in found.near.items()]
    roots = merge(bases, signs, [(base[one], base[other]) for one, other in said])
    groups: dict[UUID, list[AlertId]] = {}
    for number, joined in base.items():
        groups.setdefault(roots[joined], []).append(AlertId(number))
    return sorted(sorted(group) for group in groups.values())
