import threading
import time
from collections.abc import Generator

import pytest

from rules.notify.delivery import Deliverer
from rules.notify.email import EmailChannel, Patience
from tests.integration.rules.notify.alerts import NOW, add, add_alert, outbox_rows, receipts, tell
from tests.integration.rules.notify.smtp_dialogue import SmtpDialogue, smtp_dialogue
from veldwatch.config import Settings
from veldwatch.model.notifications import Channel
from veldwatch.storage.connection import Connection, connect


@pytest.fixture
def relay() -> Generator[SmtpDialogue]:
    with smtp_dialogue() as dialogue:
        yield dialogue


def deliver(dsn: str, receiver: int, settings: Settings, patience: Patience | None = None) -> None:
    channel = EmailChannel(settings=settings, patience=patience or Patience())
    deliverer = Deliverer(senders={Channel.EMAIL: channel}, clock=lambda: NOW)
    with connect(dsn, autocommit=True) as own:
        deliverer.serve(own, receiver, threading.Event())


def settings_of(relay: SmtpDialogue, **others: str) -> Settings:
    return Settings(smtp_host="127.0.0.1", smtp_port=relay.port).model_copy(update=others)


@pytest.mark.parametrize(
    ("step", "reply"),
    [
        ("greeting", "554 5.7.1 no service for your address"),
        ("EHLO", "550 access denied"),
        ("MAIL", "530 5.7.0 Must issue a STARTTLS command first"),
        ("MAIL", "553 5.7.1 sender address rejected: not owned by user"),
        ("RCPT", "530 5.7.0 authentication required"),
        ("RCPT", "554 5.7.1 <ops@example.org>: Relay access denied"),
        ("RCPT", "503 5.5.1 log in first"),
        ("DATA", "530 5.7.0 authentication required"),
    ],
)
def test_a_fault_of_set_up_costs_no_mail(
    step: str, reply: str, dsn: str, connection: Connection, relay: SmtpDialogue
) -> None:
    if step == "greeting":
        relay.greeting = reply
    else:
        relay.replies = {step: reply, **({"HELO": reply} if step == "EHLO" else {})}
    receiver = add(connection, "ops")
    tell(connection, add_alert(connection))
    deliver(dsn, receiver, settings_of(relay))
    assert outbox_rows(connection) == [("pending", None, 1)]
    assert receipts(connection)[0][2] == reply
    relay.greeting, relay.replies = "220 ready", {}
    connection.execute("UPDATE outbox SET next_attempt_at = %s", (NOW,))
    connection.execute("UPDATE receiver SET not_before = NULL")
    connection.commit()
    deliver(dsn, receiver, settings_of(relay))
    assert outbox_rows(connection) == [("delivered", None, 2)]


@pytest.mark.parametrize(
    ("step", "reply"), [("RCPT", "550 5.1.1 no such user"), (".", "554 5.7.1 looks like spam"), ("DATA", "554 no")]
)
def test_what_the_server_says_of_recipient_or_content_is_for_good(
    step: str, reply: str, dsn: str, connection: Connection, relay: SmtpDialogue
) -> None:
    relay.replies = {step: reply}
    receiver = add(connection, "ops")
    tell(connection, add_alert(connection))
    deliver(dsn, receiver, settings_of(relay))
    assert outbox_rows(connection) == [("failed", "refused", 1)]


def test_a_relay_that_looks_at_a_mail_for_long_gets_one_copy(
    dsn: str, connection: Connection, relay: SmtpDialogue
) -> None:
    receiver = add(connection, "ops")
    tell(connection, add_alert(connection))
    relay.judged.clear()
    threading.Timer(1.5, relay.judged.set).start()
    patience = Patience(step_seconds=0.5, dialogue_seconds=1.0)
    deliver(dsn, receiver, settings_of(relay), patience)
    assert outbox_rows(connection) == [("delivered", None, 1)]
    assert len(relay.contents) == 1


def test_a_relay_that_never_says_what_became_of_a_mail_is_given_up_on_for_now(
    dsn: str, connection: Connection, relay: SmtpDialogue
) -> None:
    receiver = add(connection, "ops")
    tell(connection, add_alert(connection))
    relay.judged.clear()
    deliver(dsn, receiver, settings_of(relay), Patience(judgement_seconds=0.5))
    assert outbox_rows(connection) == [("pending", None, 1)]


def test_a_relay_that_drips_its_greeting_is_given_up_on_for_now(
    dsn: str, connection: Connection, relay: SmtpDialogue
) -> None:
    relay.drips = True
    receiver = add(connection, "ops")
    tell(connection, add_alert(connection))
    started = time.monotonic()
    deliver(dsn, receiver, settings_of(relay), Patience(dialogue_seconds=1.0))
    assert time.monotonic() - started < 4
    assert outbox_rows(connection) == [("pending", None, 1)]
    assert receipts(connection)[0][2] == "the SMTP server took too long in all"


def test_a_password_that_smtp_cannot_say_is_a_fault_of_set_up_and_is_not_shown(
    dsn: str, connection: Connection, relay: SmtpDialogue
) -> None:
    relay.replies = {"EHLO": "250-ready\r\n250 AUTH PLAIN LOGIN", "AUTH": "334 "}
    receiver = add(connection, "ops")
    tell(connection, add_alert(connection))
    deliver(dsn, receiver, settings_of(relay, smtp_username="veldwatch", smtp_password="geheimé"))
    assert outbox_rows(connection) == [("pending", None, 1)]
    words = receipts(connection)[0][2]
    assert words.startswith("VELDWATCH_SMTP_USERNAME or VELDWATCH_SMTP_PASSWORD")
    assert "é" not in words
    assert "\\xe9" not in words


def test_a_mail_server_whose_name_cannot_be_one_is_a_fault_of_set_up(dsn: str, connection: Connection) -> None:
    receiver = add(connection, "ops")
    tell(connection, add_alert(connection))
    deliver(dsn, receiver, Settings(smtp_host="mail..example.org"))
    assert outbox_rows(connection) == [("pending", None, 1)]
    assert receipts(connection)[0][2].startswith("bad VELDWATCH_SMTP_HOST: 'mail..example.org'")
