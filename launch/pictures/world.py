"""Four weeks of a town and a reserve in a database, with the rules at work hour by hour, as if they had just happened.

Everything in it is a function of the scenario and the code: the time is the scenario's, people and mail servers are
stood in for by a rule, and nothing is drawn by chance but what the seed draws.
"""

import threading
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from launch.scorecard.replay import pipeline_of
from rules.engine import EngineSettings
from rules.notify.delivery import Deliverer
from rules.notify.stages import Pacing
from rules.rounds import Rounds
from rules.rule_files import PACKS, read_rules
from simulators.building import Run, build_fleet
from simulators.moment import from_milliseconds, to_milliseconds
from simulators.planned_calendar import planned_calendars
from simulators.registration import register
from simulators.scenario import Scenario
from simulators.scenario_files import load_scenario
from veldwatch.config import Settings, patience_of
from veldwatch.errors import DeliveryFailed
from veldwatch.model.notifications import Channel
from veldwatch.model.telemetry import Message
from veldwatch.storage.alerts import AlertFilter, Deed, acknowledge, list_alerts
from veldwatch.storage.calendars import CalendarImport, import_calendar
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.consumption_rollups import judge_new
from veldwatch.storage.editions import Edition, identify
from veldwatch.storage.frozen_time import freeze, lay_clock, set_clock
from veldwatch.storage.intake import IntakeWriter
from veldwatch.storage.interruptions import Place
from veldwatch.storage.outbox import Notification, due_receivers
from veldwatch.storage.receivers import NewReceiver, add_receiver
from veldwatch.storage.rollups import roll_up
from veldwatch.storage.rules import save_rule
from veldwatch.wire.calendar_file import read_calendar

SCENARIO = Path(__file__).parent / "scenario.yaml"
ENDS_AT = datetime(2026, 2, 2, 16, 30, tzinfo=UTC)
"""A Monday evening: what every picture takes for now."""
CHOICES: Mapping[str, Mapping[str, Sequence[str]]] = {
    "water": {"organisation": ["quernford-utility"], "night_zone": ["Africa/Lusaka"]},
    "electricity": {"organisation": ["quernford-utility"]},
    "wildlife": {"organisation": ["tallgrass-agency"], "tracker": ["Elephant", "Lion", "Rhino", "Wild dog"]},
    "site": {"site": ["Station Road 3"]},
    "device": {"site": ["Saltmarket"], "device": ["Inlet Saltmarket"]},
}
"""What somebody has chosen on a dashboard before it is drawn: beginnings of texts or values, by variable."""
_PACKS = ("water", "electricity", "conservation", "environment", "platform")
_PATIENCE = {"critical": timedelta(minutes=9), "major": timedelta(minutes=50), "minor": timedelta(hours=7)}
"""How long people leave an alert alone before they take it up; nobody takes up the others."""
_RECEIVERS = (
    NewReceiver(slug="duty-water", channel=Channel.EMAIL, address="duty@quernford.example",
                organisation="quernford-utility", minimum_severity="minor"),
    NewReceiver(slug="duty-reserve", channel=Channel.EMAIL, address="rangers@tallgrass.example",
                organisation="tallgrass-agency", minimum_severity="minor"),
    NewReceiver(slug="work-orders", channel=Channel.WEBHOOK, address="https://orders.quernford.example/veldwatch",
                organisation="quernford-utility", minimum_severity="major"),
)  # fmt: skip  # one argument a line is long to read past


@dataclass(slots=True, kw_only=True)
class _Post:
    """Stands in for a mail server and a web server that is away now and then."""

    sent: int = 0

    def send(self, notification: Notification) -> str:
        """Take it; every ninth attempt is turned away for now."""
        self.sent += 1
        if self.sent % 9 == 0:
            raise DeliveryFailed("451 try again later", permanent=False)
        return "250 taken" if notification.channel is Channel.EMAIL else "HTTP 200"


@dataclass(slots=True, kw_only=True)
class _Hours:
    """What happens each hour: the rules look at what came, people are told, and some take up what waits."""

    connection: Connection
    rounds: Rounds
    now: datetime
    post: _Post = field(default_factory=_Post)

    def pass_to(self, now: datetime) -> None:
        self.now = now
        self.rounds.settle(now)
        deliverer = Deliverer(
            senders={Channel.EMAIL: self.post, Channel.WEBHOOK: self.post},
            clock=lambda: self.now,
            pacing=Pacing(settling=timedelta(minutes=5)),
        )
        for receiver in due_receivers(self.connection, now, limit=100):
            deliverer.serve(self.connection, receiver, threading.Event())
        which = AlertFilter(states=["firing"], acknowledged=False, explained=False)
        for alert in list_alerts(self.connection, None, which, limit=500):
            patience = _PATIENCE.get(alert["severity"])
            taken_up_at = None if patience is None else alert["recorded_at"] + patience
            if taken_up_at is not None and taken_up_at <= now:
                acknowledge(self.connection, Deed(alert_id=alert["id"], author="chipo", scope=None, now=taken_up_at))


def make_world(settings: Settings, begins_at: datetime, ends_at: datetime = ENDS_AT) -> None:
    """Play the scenario from its beginning to `ends_at` into an empty, migrated database.

    Args:
        settings: with the DSN of the database.
    """
    scenario = load_scenario(str(SCENARIO))
    run = Run(
        seed=scenario.seed,
        begins_at=to_milliseconds(begins_at),
        live_from=to_milliseconds(begins_at),
        ends_at=to_milliseconds(ends_at),
    )
    with connect(settings.dsn, autocommit=True) as connection:
        register(connection, scenario)
        _import_plans(connection, settings, scenario, run)
        _prepare(connection)
        hours = _Hours(connection=connection, rounds=Rounds(connection, EngineSettings()), now=begins_at)
        lay_clock(connection)
        hours.pass_to(begins_at)
        with closing(IntakeWriter(settings.dsn)) as writer:
            pipeline = pipeline_of(settings)
            messages = build_fleet(scenario, run).advance(to_milliseconds(ends_at))
            waiting = list[Message]()
            step = timedelta(minutes=30)
            for message in messages:
                due = from_milliseconds(message.due)
                while due >= hours.now + step:
                    set_clock(connection, hours.now + step)
                    pipeline.store(writer, waiting)
                    waiting = []
                    hours.pass_to(hours.now + step)
                waiting.append(Message(message.topic, message.payload, due))
            set_clock(connection, ends_at)
            pipeline.store(writer, waiting)
            hours.pass_to(ends_at)
    _catch_up(settings.dsn)
    with connect(settings.dsn, autocommit=True) as connection:
        freeze(connection, ends_at)
        # as the server's own daemon would have done by now
        connection.execute("ANALYZE")


def _import_plans(connection: Connection, settings: Settings, scenario: Scenario, run: Run) -> None:
    for organisation, text in planned_calendars(scenario, run).items():
        asked = CalendarImport(
            organisation=organisation, slug="planned", kind="planned", file=read_calendar(text), place=Place(), zone=UTC
        )
        now = from_milliseconds(run.begins_at)
        import_calendar(connection, asked, author="planner", scope=None, now=now, patience=patience_of(settings))


def _prepare(connection: Connection) -> None:
    with connection.transaction():
        for pack in _PACKS:
            for rule in read_rules(PACKS / f"{pack}.yaml"):
                save_rule(connection, rule, "packs")
        for receiver in _RECEIVERS:
            add_receiver(connection, receiver)


def _catch_up(dsn: str) -> None:
    """Bring rollups and consumption up to the last batch."""
    with connect(dsn) as connection:
        owned = identify(connection).edition is not Edition.COMMUNITY
        connection.commit()
        while owned and roll_up(connection).more:
            pass
        while judge_new(connection).more:
            pass
