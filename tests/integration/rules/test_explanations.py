"""A feeder dies: what its silence explains, and what not, whatever was recorded first."""

import re
import threading
from datetime import datetime

import pytest

from rules.notify.delivery import Deliverer
from tests.integration.rules.town import MINUTE, NOON, RULES, Town, power_cut
from veldwatch.model.notifications import Channel
from veldwatch.model.silence import Matcher, NewSilence
from veldwatch.storage.connection import connect
from veldwatch.storage.outbox import Notification
from veldwatch.storage.rules import save_rule
from veldwatch.storage.silences import end_silence, make_silence
from veldwatch.wire.rule_document import parse_rule


def test_a_power_cut_is_one_message_and_a_meter_outside_that_fails_with_it_alarms(town: Town) -> None:
    power_cut(town)
    town.feed.readings("line_voltage", [("feeder", NOON, 0.0)])
    for minute in (0, 2, 15, 20, 30):
        town.pass_until(NOON + minute * MINUTE)
    assert town.explained() == {"n1": "feeder", "n2": "feeder", "n3": "feeder", "s1": None}
    assert town.subjects == ["[CRITICAL] Feeder without voltage: feeder", "[MINOR] Meter silent: s1"]
    town.feed.readings("flow_rate", [("main", NOON + 31 * MINUTE, 5000.0)])
    town.pass_until(NOON + 32 * MINUTE)
    assert town.subjects[2:] == ["[CRITICAL] Burst: main"]


def test_the_same_follows_when_the_cause_becomes_known_last(town: Town) -> None:
    power_cut(town)
    town.engineer.settle(NOON + 11 * MINUTE)
    assert set(town.explained().values()) == {None}
    town.feed.readings("line_voltage", [("feeder", NOON, 0.0)])
    town.pass_until(NOON + 11 * MINUTE)
    town.pass_until(NOON + 13 * MINUTE)
    assert town.explained() == {"n1": "feeder", "n2": "feeder", "n3": "feeder", "s1": None}
    assert town.subjects == ["[CRITICAL] Feeder without voltage: feeder", "[MINOR] Meter silent: s1"]


def test_who_is_still_silent_when_the_time_to_come_back_is_over_is_told_in_one_message(town: Town) -> None:
    power_cut(town)
    town.feed.readings("line_voltage", [("feeder", NOON, 0.0)])
    for minute in (0, 12, 30):
        town.pass_until(NOON + minute * MINUTE)
    town.feed.readings("line_voltage", [("feeder", NOON + 60 * MINUTE, 11000.0)])
    town.feed.contacts([("n1", NOON + 62 * MINUTE)])
    before = len(town.mail.mails)
    for minute in (62, 70, 79):
        town.pass_until(NOON + minute * MINUTE)
    assert town.subjects[before:] == ["[CRITICAL] Over: Feeder without voltage: feeder"]
    town.pass_until(NOON + 81 * MINUTE)
    (still,) = town.subjects[before + 1 :]
    assert re.fullmatch(r"\[MINOR\] Still: Meter silent: n[23] \(and 1 more\)", still)
    text = town.mail.mails[-1].get_body(("plain",)).get_content()  # pyright: ignore[reportAttributeAccessIssue, reportOptionalMemberAccess, reportUnknownMemberType, reportUnknownVariableType]  # an EmailMessage
    assert "Feeder without voltage: feeder explained it until 22 Nov 2026 13:20:00 UTC; it still holds." in text
    rows = town.connection.execute(
        b"SELECT o.state, o.reason, count(*) FROM outbox o JOIN alert a ON a.id = o.alert_id"
        b" WHERE a.explained_by IS NOT NULL AND o.message ->> 'kind' = 'firing' GROUP BY 1, 2 ORDER BY 1, 2"
    ).fetchall()
    town.connection.commit()
    assert rows == [("delivered", "grouped", 1), ("delivered", None, 1), ("suppressed", "inhibited", 1)]
    town.feed.contacts([("n1", NOON + 80 * MINUTE), ("n2", NOON + 90 * MINUTE)])
    town.pass_until(NOON + 91 * MINUTE)
    town.feed.contacts([("n3", NOON + 95 * MINUTE)])
    before = len(town.mail.mails)
    town.pass_until(NOON + 96 * MINUTE)
    (over,) = town.subjects[before:]
    assert re.fullmatch(r"\[MINOR\] Over: Meter silent: n[23] \(and 1 more\)", over)


def test_a_silent_gateway_explains_the_devices_behind_it(town: Town) -> None:
    town.device("gw", "south", tags=("gateway",))
    for name in ("a", "b"):
        town.device(name, "south", tags=("meter",), gateway="gw")
    town.device("c", "south", tags=("meter",))
    town.engineer.settle(NOON)
    town.feed.contacts([(name, NOON + 5 * MINUTE) for name in ("gw", "a", "b", "c")])
    for minute in (5, 20, 40, 42):
        town.pass_until(NOON + minute * MINUTE)
    assert town.explained() == {"gw": None, "a": "gw", "b": "gw", "c": None}
    assert town.subjects == ["[MAJOR] Gateway silent: gw", "[MINOR] Meter silent: c"]


def test_a_cause_that_late_data_retracts_explains_nothing_any_more(town: Town) -> None:
    power_cut(town)
    town.feed.readings("line_voltage", [("feeder", NOON, 0.0)])
    town.pass_until(NOON + 15 * MINUTE)
    assert town.explained()["n1"] == "feeder"
    town.connection.execute(b"UPDATE rule SET enabled = false WHERE slug = 'feeder-dead'")
    town.connection.commit()
    town.pass_until(NOON + 16 * MINUTE)
    assert town.explained()["n1"] == "feeder"
    town.pass_until(NOON + 40 * MINUTE)
    assert re.fullmatch(r"\[MINOR\] Still: Meter silent: n. \(and 2 more\)", town.subjects[-1])


def silence(town: Town, now: datetime, ends_at: datetime) -> int:
    new = NewSilence(matcher=Matcher(organisation="town", site="north"), reason="works", starts_at=now, ends_at=ends_at)
    return make_silence(town.connection, new, author="Ada", scope=None, now=now)


def test_a_silenced_alert_is_recorded_and_told_only_when_the_silence_ends_and_it_still_holds(town: Town) -> None:
    town.device("main", "north", "flow_rate")
    town.engineer.settle(NOON - MINUTE)
    silence(town, NOON, NOON + 30 * MINUTE)
    town.feed.readings("flow_rate", [("main", NOON + MINUTE, 5000.0)])
    town.pass_until(NOON + MINUTE)
    town.pass_until(NOON + 29 * MINUTE)
    assert town.subjects == []
    town.pass_until(NOON + 31 * MINUTE)
    assert town.subjects == ["[CRITICAL] Burst: main"]
    text = town.mail.mails[-1].get_body(("plain",)).get_content()  # pyright: ignore[reportAttributeAccessIssue, reportOptionalMemberAccess, reportUnknownMemberType, reportUnknownVariableType]  # an EmailMessage
    assert "It was silenced by Ada until 22 Nov 2026 12:30:00 UTC (works) and still holds." in text


def test_what_begins_and_ends_within_a_silence_is_told_to_nobody(town: Town) -> None:
    town.device("main", "north", "flow_rate")
    town.engineer.settle(NOON - MINUTE)
    silence(town, NOON, NOON + 30 * MINUTE)
    town.feed.readings("flow_rate", [("main", NOON + MINUTE, 5000.0)])
    town.pass_until(NOON + MINUTE)
    town.feed.readings("flow_rate", [("main", NOON + 5 * MINUTE, 1.0)])
    town.pass_until(NOON + 5 * MINUTE)
    town.pass_until(NOON + 40 * MINUTE)
    assert town.subjects == []
    rows = town.connection.execute(b"SELECT state, reason FROM outbox ORDER BY transition_id").fetchall()
    town.connection.commit()
    assert rows == [("suppressed", "silenced"), ("suppressed", "not_told")]


def test_a_silence_that_is_ended_early_lets_go_at_once(town: Town) -> None:
    town.device("main", "north", "flow_rate")
    town.engineer.settle(NOON - MINUTE)
    number = silence(town, NOON, NOON + 30 * MINUTE)
    town.feed.readings("flow_rate", [("main", NOON + MINUTE, 5000.0)])
    town.pass_until(NOON + MINUTE)
    now = NOON + 2 * MINUTE
    end_silence(town.connection, number, now, author="Ada", scope=None, now=now)
    town.deliver(now)
    assert town.subjects == ["[CRITICAL] Burst: main"]


def test_ten_thousand_alerts_are_explained_at_once_when_the_cause_comes_last(town: Town) -> None:
    town.device("feeder", "north", "line_voltage")
    town.engineer.settle(NOON - MINUTE)
    with town.connection.transaction():
        town.connection.execute(
            b"INSERT INTO device (organisation_id, external_id, name, site_id, source, tags)"
            b" SELECT %s, 'm' || i, 'm' || i, %s, 'tests', '{meter}' FROM generate_series(1, 10000) i",
            (town.feed.organisation, town.sites["north-1"]),
        )
        town.connection.execute(
            b"INSERT INTO alert (id, rule_version_id, organisation_id, device_id, site_id, subject, severity, state,"
            b" opened_at, fired_at, recorded_at, summary)"
            b" SELECT gen_random_uuid(), v.id, d.organisation_id, d.id, d.site_id, 'device:' || d.id, 'minor',"
            b" 'firing', %s, %s, %s, 'silent'"
            b" FROM device d, rule_version v JOIN rule r ON r.id = v.rule_id"
            b" WHERE r.slug = 'silent' AND d.source = 'tests' AND d.external_id LIKE 'm%%'",
            (NOON - MINUTE, NOON + 19 * MINUTE, NOON + 19 * MINUTE),
        )
    town.feed.readings("line_voltage", [("feeder", NOON, 0.0)])
    town.engineer.settle(NOON + 20 * MINUTE)
    row = town.connection.execute(b"SELECT count(*) FROM alert WHERE explained_by IS NOT NULL").fetchone()
    town.connection.commit()
    assert row == (10000,)


def test_a_power_cut_that_nothing_measures_is_one_message_while_it_grows(town: Town) -> None:
    for number in range(6):
        town.device(f"m{number}", "north-1", tags=("meter",))
    town.device("s1", "south", tags=("meter",))
    town.engineer.settle(NOON - MINUTE)
    for number in range(6):
        town.feed.contacts([(f"m{number}", NOON + number * MINUTE)])
    town.feed.contacts([("s1", NOON + MINUTE)])
    for minute in range(20, 32):
        town.pass_until(NOON + minute * MINUTE)
    silent_in_north = [subject for subject in town.subjects if "s1" not in subject]
    assert len(silent_in_north) == 1
    assert sum("s1" in subject for subject in town.subjects) == 1
    for number in range(6):
        town.feed.contacts([(f"m{number}", NOON + (40 + number) * MINUTE)])
        town.pass_until(NOON + (40 + number) * MINUTE)
    town.pass_until(NOON + 47 * MINUTE)
    over = [subject for subject in town.subjects if "Over" in subject]
    assert len(over) == 1


def test_silences_of_one_cut_that_get_worse_one_after_another_are_told_once_as_worse(town: Town) -> None:
    with town.connection.transaction():
        worse = {**RULES[1], "escalate": [{"severity": "critical", "after": "30m"}]}
        save_rule(town.connection, parse_rule(worse), "tests")
    for number in range(4):
        town.device(f"m{number}", "north-1", tags=("meter",))
    town.engineer.settle(NOON - MINUTE)
    for number in range(4):
        town.feed.contacts([(f"m{number}", NOON + number * MINUTE)])
    for minute in range(20, 60):
        town.pass_until(NOON + minute * MINUTE)
    assert [subject.split(":")[0] for subject in town.subjects] == ["[MINOR] Meter silent", "[CRITICAL] Worse"]


class Killed(BaseException):
    """The deliverer dies between what it committed and what it sent."""


class DyingChannel:
    """A channel in front of which a deliverer dies once."""

    def __init__(self) -> None:
        self.sent: list[Notification] = []
        self.alive = False

    def send(self, notification: Notification) -> str:
        self.sent.append(notification)
        if not self.alive:
            raise Killed
        return "accepted"


def test_a_deliverer_that_dies_before_it_sends_a_group_sends_the_same_message_again(town: Town) -> None:
    for number in range(3):
        town.device(f"m{number}", "north-1", tags=("meter",))
    town.engineer.settle(NOON - MINUTE)
    town.feed.contacts([(f"m{number}", NOON) for number in range(3)])
    town.engineer.settle(NOON + 21 * MINUTE)
    channel = DyingChannel()
    deliverer = Deliverer(senders={Channel.EMAIL: channel}, clock=lambda: NOON + 30 * MINUTE)
    with connect(town.feed.dsn, autocommit=True) as delivering, pytest.raises(Killed):
        deliverer.serve(delivering, town.receiver, threading.Event())
    channel.alive = True
    with connect(town.feed.dsn, autocommit=True) as delivering:
        deliverer.serve(delivering, town.receiver, threading.Event())
    first, second = channel.sent
    assert (first.id, first.message) == (second.id, second.message)
    assert first.message["grouped"]["count"] == 3
    rows = town.connection.execute(b"SELECT DISTINCT state FROM outbox").fetchall()
    town.connection.commit()
    assert rows == [("delivered",)]
