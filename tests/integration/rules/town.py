"""A town of two feeders, and what is mailed of its alerts."""

import threading
from datetime import UTC, datetime, timedelta

from rules.notify.delivery import Deliverer
from rules.notify.email import EmailChannel
from rules.notify.stages import Pacing
from tests.integration.rules.feed import Engineer, Feed
from tests.integration.rules.notify.smtp_receiver import SmtpReceiver
from veldwatch.config import Settings
from veldwatch.model.identifiers import DeviceId, SiteId
from veldwatch.model.notifications import Channel
from veldwatch.model.register import Device, Site
from veldwatch.storage import register
from veldwatch.storage.connection import connect
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
