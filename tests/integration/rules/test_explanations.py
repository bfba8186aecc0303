"""A feeder dies: what its silence explains, and what not, whatever was recorded first."""

import re
import threading
from collections.abc import Generator
from datetime import UTC, datetime, timedelta

import pytest

from rules.notify.delivery import Deliverer
from rules.notify.email import EmailChannel
from rules.notify.stages import Pacing
from tests.integration.rules.feed import Engineer, Feed
from tests.integration.rules.notify.smtp_receiver import SmtpReceiver, smtp_receiver
from veldwatch.config import Settings
from veldwatch.model.identifiers import DeviceId, SiteId
from veldwatch.model.notifications import Channel
from veldwatch.model.register import Device, Site
from veldwatch.storage import register
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.receivers import NewReceiver, add_receiver
from veldwatch.storage.rules import save_rule
from veldwatch.wire.rule_document import parse_rule

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PACING = Pacing(settling=MINUTE)
RULES = (
    {
        "id": "feeder-dead",
        "title": "Feeder without voltage",
        "severity": "critical",
        "condition": {"kind": "threshold", "metric": "line_voltage", "below": 550},
        "explains": "silence",
    },
    {
        "id": "silent",
        "title": "Meter silent",
        "severity": "minor",
        "select": {"tags": ["meter"]},
        "condition": {"kind": "absence", "silent_for": "20m"},
    },
    {
        "id": "gateway-silent",
        "title": "Gateway silent",
        "severity": "major",
        "select": {"tags": ["gateway"]},
        "condition": {"kind": "absence", "silent_for": "10m"},
        "explains": "silence_behind_gateway",
    },
    {
        "id": "burst",
        "title": "Burst",
        "severity": "critical",
        "condition": {"kind": "threshold", "metric": "flow_rate", "above": 1000},
    },
)


class Town:
    """Two feeders with meters, and what is mailed of their alerts."""

    def __init__(self, feed: Feed, engineer: Engineer, mail: SmtpReceiver) -> None:
        self.feed, self.engineer, self.mail = feed, engineer, mail
        self.connection = feed.writer.connection
        with self.connection.transaction():
            for rule in RULES:
                save_rule(self.connection, parse_rule(rule), "tests")
            self.receiver = add_receiver(
                self.connection, NewReceiver(slug="ops", channel=Channel.EMAIL, address="ops@example.org")
            )
        self.sites: dict[str, SiteId] = {}
        for slug, parent in (("town", None), ("north", "town"), ("north-1", "north"), ("south", "town")):
            with self.connection.transaction():
                self.sites[slug] = register.ensure_site(
                    self.connection,
                    Site(
                        organisation_id=feed.organisation,
                        slug=slug,
                        parent_id=None if parent is None else self.sites[parent],
                    ),
                )

    def device(
        self, name: str, site: str, *metrics: str, tags: tuple[str, ...] = (), gateway: str | None = None
    ) -> None:
        feed = self.feed
        with self.connection.transaction():
            made = register.ensure_device(
                self.connection,
                Device(
                    organisation_id=feed.organisation,
                    external_id=name,
                    source="tests",
                    tags=tags,
                    site_id=self.sites[site],
                    gateway_id=None if gateway is None else DeviceId(feed.devices[gateway]),
                ),
            )
            known = register.ensure_series(self.connection, [(made, metric, "") for metric in metrics])
        feed.devices[name] = made
        for (_, metric), found in known.items():
            feed.series[name, metric] = found.series_id

    def deliver(self, now: datetime) -> None:
        deliverer = Deliverer(
            senders={Channel.EMAIL: EmailChannel(settings=Settings(smtp_host="127.0.0.1", smtp_port=self.mail.port))},
            clock=lambda: now,
            pacing=PACING,
        )
        with connect(self.feed.dsn, autocommit=True) as delivering:
            deliverer.serve(delivering, self.receiver, threading.Event())

    def pass_until(self, now: datetime) -> None:
        """Let the engine and the deliverer do all that there is to do at a time, and a settling time later."""
        self.engineer.settle(now)
        self.deliver(now)

    @property
    def subjects(self) -> list[str]:
        return [str(message["Subject"]) for message in self.mail.mails]

    def explained(self) -> dict[str, str | None]:
        """Give for each device that is or was silent the device whose alert explains it."""
        rows = self.connection.execute(
            b"SELECT d.external_id, e.external_id FROM alert a JOIN rule_version v ON v.id = a.rule_version_id"
            b" JOIN device d ON d.id = a.device_id LEFT JOIN alert c ON c.id = a.explained_by"
            b" LEFT JOIN device e ON e.id = c.device_id WHERE v.condition_kind = 'absence' AND a.state <> 'retracted'"
        ).fetchall()
        self.connection.commit()
        return {row[0]: row[1] for row in rows}


@pytest.fixture
def mail() -> Generator[SmtpReceiver]:
    with smtp_receiver() as receiver:
        yield receiver


@pytest.fixture
def town(feed: Feed, engineer: Engineer, mail: SmtpReceiver, connection: Connection) -> Town:
    del connection
    return Town(feed, engineer, mail)


def power_cut(town: Town) -> None:
    """Four meters, a burst sensor, a feeder meter: north dies at noon, and one meter of south with it."""
    town.device("feeder", "north", "line_voltage")
    for name, site in (("n1", "north-1"), ("n2", "north-1"), ("n3", "north"), ("s1", "south"), ("s2", "south")):
        town.device(name, site, tags=("meter",))
    town.device("main", "north", "flow_rate")
    town.engineer.settle(NOON - 30 * MINUTE)
    for minute in (-20, -10):
        town.feed.contacts([(name, NOON + minute * MINUTE) for name in ("n1", "n2", "n3", "s1", "s2")])
    town.feed.contacts([("s2", NOON + minute * MINUTE) for minute in range(0, 120, 10)])
    town.feed.readings("line_voltage", [("feeder", NOON - 10 * MINUTE, 11000.0)])


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
