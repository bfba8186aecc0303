"""What came of an attempt: tried again, given up, and for how long the receiver is left alone."""

import threading
import time
from datetime import timedelta

import httpx
import pytest

from rules.notify.delivery import Deliverer, Turn
from rules.notify.email import EmailChannel
from rules.notify.signature import new_secret
from tests.integration.rules.notify.alerts import add, add_alert, outbox_rows, receipts, tell
from tests.integration.rules.notify.delivering import Clock, deliverer, serve
from tests.integration.rules.notify.http_receiver import HttpReceiver, hang_up, never, status
from tests.integration.rules.notify.smtp_receiver import SmtpReceiver
from veldwatch.config import Settings
from veldwatch.model.notifications import Channel
from veldwatch.storage import outbox
from veldwatch.storage.connection import Connection
from veldwatch.storage.outbox import Notification


@pytest.mark.parametrize("code", [408, 425, 429, 500, 502, 503])
def test_a_temporary_answer_is_tried_again_later_with_the_same_identifier(
    code: int, connection: Connection, delivering: Connection, clock: Clock, client: httpx.Client, hook: HttpReceiver
) -> None:
    hook.answers = [status(code, b"busy"), status(200)]
    receiver = add(connection, "hook", Channel.WEBHOOK, hook.url)
    tell(connection, add_alert(connection))
    deliver = deliverer(clock, client)
    serve(delivering, receiver, deliver)
    assert outbox_rows(connection) == [("pending", None, 1)]
    assert serve(delivering, receiver, deliver) == 0
    clock.now += timedelta(seconds=5)
    serve(delivering, receiver, deliver)
    assert outbox_rows(connection) == [("delivered", None, 2)]
    assert hook.requests[0].headers["webhook-id"] == hook.requests[1].headers["webhook-id"]
    assert hook.requests[0].body == hook.requests[1].body
    number, outcome, detail = receipts(connection)[0]
    assert (number, outcome) == (1, "temporary_failure")
    assert detail.startswith(f"HTTP {code}")
    assert detail.endswith("busy")


@pytest.mark.parametrize("code", [301, 302, 307, 400, 401, 404, 410])
def test_a_permanent_answer_is_the_end_and_redirects_are_not_followed(
    code: int, connection: Connection, delivering: Connection, clock: Clock, client: httpx.Client, hook: HttpReceiver
) -> None:
    hook.answers = [status(code, Location="http://127.0.0.1:1/elsewhere")]
    receiver = add(connection, "hook", Channel.WEBHOOK, hook.url)
    tell(connection, add_alert(connection))
    serve(delivering, receiver, deliverer(clock, client))
    assert len(hook.requests) == 1
    assert outbox_rows(connection) == [("failed", "refused", 1)]
    assert receipts(connection)[0][1] == "permanent_failure"


def test_a_receiver_that_asks_for_time_gets_it(
    connection: Connection, delivering: Connection, clock: Clock, client: httpx.Client, hook: HttpReceiver
) -> None:
    hook.answers = [status(429, Retry_After="600"), status(200)]
    receiver = add(connection, "hook", Channel.WEBHOOK, hook.url)
    tell(connection, add_alert(connection))
    deliver = deliverer(clock, client)
    serve(delivering, receiver, deliver)
    clock.now += timedelta(seconds=599)
    assert serve(delivering, receiver, deliver) == 0
    clock.now += timedelta(seconds=1)
    assert serve(delivering, receiver, deliver) == 1


@pytest.mark.parametrize(("code", "asked", "seconds"), [(429, "600", 600), (503, "0", 5)])
def test_a_receiver_is_left_alone_whatever_else_is_due_for_it(
    code: int,
    asked: str,
    seconds: int,
    connection: Connection,
    delivering: Connection,
    clock: Clock,
    client: httpx.Client,
    hook: HttpReceiver,
) -> None:
    hook.answers = [status(code, Retry_After=asked), status(200)]
    receiver = add(connection, "hook", Channel.WEBHOOK, hook.url)
    for _ in range(5):
        tell(connection, add_alert(connection))
    deliver = deliverer(clock, client)
    serve(delivering, receiver, deliver)
    clock.now += timedelta(seconds=1)
    tell(connection, add_alert(connection), now=clock.now)
    assert outbox.due_receivers(delivering, clock.now, 10) == []
    assert serve(delivering, receiver, deliver) == 0
    clock.now += timedelta(seconds=seconds - 1)
    assert outbox.due_receivers(delivering, clock.now, 10) == [receiver]
    assert serve(delivering, receiver, deliver) == 6
    assert len(hook.requests) == 7


def test_a_message_that_fails_for_its_own_sake_keeps_no_other_waiting_for_long(
    connection: Connection, delivering: Connection, clock: Clock, client: httpx.Client, hook: HttpReceiver
) -> None:
    hook.answers = [status(500)]
    receiver = add(connection, "hook", Channel.WEBHOOK, hook.url)
    tell(connection, add_alert(connection))
    deliver = deliverer(clock, client, maximum_attempts=16)
    for _ in range(10):
        serve(delivering, receiver, deliver)
        clock.now += timedelta(hours=2)
    serve(delivering, receiver, deliver)
    hook.answers = [status(200)]
    tell(connection, add_alert(connection), now=clock.now)
    clock.now += timedelta(seconds=5)
    serve(delivering, receiver, deliver)
    assert outbox_rows(connection) == [("pending", None, 11), ("delivered", None, 1)]


def test_after_the_last_attempt_the_notification_has_failed_with_its_reason(
    connection: Connection, delivering: Connection, clock: Clock, client: httpx.Client, hook: HttpReceiver
) -> None:
    hook.answers = [hang_up]
    receiver = add(connection, "hook", Channel.WEBHOOK, hook.url)
    alert = add_alert(connection)
    tell(connection, alert)
    tell(connection, alert, "resolved")
    deliver = deliverer(clock, client, maximum_attempts=3)
    for _ in range(6):
        serve(delivering, receiver, deliver)
        clock.now += timedelta(hours=2)
    assert outbox_rows(connection) == [("failed", "attempts_exhausted", 3), ("suppressed", "not_told", 0)]
    assert [number for number, _, _ in receipts(connection)] == [1, 2, 3]


def test_an_endless_answer_is_read_no_further_than_its_beginning(
    connection: Connection, delivering: Connection, clock: Clock, client: httpx.Client, hook: HttpReceiver
) -> None:
    hook.answers = [status(400, b"x" * 5_000_000)]
    receiver = add(connection, "hook", Channel.WEBHOOK, hook.url)
    tell(connection, add_alert(connection))
    serve(delivering, receiver, deliverer(clock, client))
    assert len(receipts(connection)[0][2]) < 400


def test_a_receiver_that_never_answers_is_given_up_on_for_now(
    connection: Connection, delivering: Connection, clock: Clock, hook: HttpReceiver
) -> None:
    released = threading.Event()
    hook.answers = [never(released)]
    receiver = add(connection, "hook", Channel.WEBHOOK, hook.url)
    tell(connection, add_alert(connection))
    started = time.monotonic()
    with httpx.Client(timeout=0.3) as impatient:
        serve(delivering, receiver, deliverer(clock, impatient))
    released.set()
    assert time.monotonic() - started < 5
    assert outbox_rows(connection) == [("pending", None, 1)]
    assert "ReadTimeout" in receipts(connection)[0][2]


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "http://[::1",
        "gopher://127.0.0.1/",
        "https://hooks..example.org/x",
        "http://.example.org/",
        f"https://{'a' * 64}.example.org/",
    ],
)
def test_an_address_that_is_no_http_address_is_refused_even_from_the_database(
    address: str, connection: Connection, delivering: Connection, clock: Clock, client: httpx.Client
) -> None:
    receiver = add(connection, "hook", Channel.WEBHOOK, "http://127.0.0.1:1/")
    connection.execute("UPDATE receiver SET address = %s", (address,))
    tell(connection, add_alert(connection))
    serve(delivering, receiver, deliverer(clock, client))
    assert outbox_rows(connection) == [("failed", "refused", 1)]


@pytest.mark.parametrize(
    ("replies", "rows"),
    [
        ({"to_recipient": ["450 greylisted"]}, [("pending", None, 1)]),
        ({"to_content": ["452 disk full"]}, [("pending", None, 1)]),
        ({"to_recipient": ["550 no such user"]}, [("failed", "refused", 1)]),
        ({"to_content": ["554 looks like spam"]}, [("failed", "refused", 1)]),
    ],
)
def test_a_mail_server_says_for_now_or_for_good(
    replies: dict[str, list[str]],
    rows: list[tuple[str, str | None, int]],
    connection: Connection,
    delivering: Connection,
    clock: Clock,
    client: httpx.Client,
    mail: SmtpReceiver,
) -> None:
    for name, values in replies.items():
        setattr(mail, name, values)
    receiver = add(connection, "ops")
    tell(connection, add_alert(connection))
    serve(delivering, receiver, deliverer(clock, client, mail.port))
    assert outbox_rows(connection) == rows
    assert next(iter(replies.values()), "") == []
    assert receipts(connection)[0][2][:3].isdigit()


def test_a_mail_server_that_is_away_is_tried_again_with_the_same_message_id(
    connection: Connection, delivering: Connection, clock: Clock, client: httpx.Client, mail: SmtpReceiver
) -> None:
    receiver = add(connection, "ops")
    tell(connection, add_alert(connection))
    serve(delivering, receiver, deliverer(clock, client, smtp_port=1))
    assert outbox_rows(connection) == [("pending", None, 1)]
    clock.now += timedelta(seconds=10)
    serve(delivering, receiver, deliverer(clock, client, mail.port))
    row = connection.execute("SELECT id FROM outbox").fetchone()
    assert row is not None
    assert mail.mails[0]["Message-ID"] == f"<{row[0]}@localhost>"


def test_without_a_mail_server_mail_waits(connection: Connection, delivering: Connection, clock: Clock) -> None:
    receiver = add(connection, "ops")
    tell(connection, add_alert(connection))
    deliver = Deliverer(senders={Channel.EMAIL: EmailChannel(settings=Settings(smtp_host=""))}, clock=clock)
    serve(delivering, receiver, deliver)
    assert outbox_rows(connection) == [("pending", None, 1)]
    assert "VELDWATCH_SMTP_HOST" in receipts(connection)[0][2]


class Surprise:
    """A channel with a defect."""

    def send(self, notification: Notification) -> str:
        raise LookupError(f"secret {notification.secret}")


def test_what_a_channel_did_not_foresee_gets_a_receipt_and_an_end(
    connection: Connection, delivering: Connection, clock: Clock
) -> None:
    receiver = add(connection, "hook", Channel.WEBHOOK, "https://example.org/", secret=new_secret())
    tell(connection, add_alert(connection))
    deliver = Deliverer(senders={Channel.WEBHOOK: Surprise()}, clock=clock, maximum_attempts=2)
    serve(delivering, receiver, deliver)
    assert outbox_rows(connection) == [("pending", None, 1)]
    clock.now += timedelta(hours=1)
    serve(delivering, receiver, deliver)
    assert outbox_rows(connection) == [("failed", "attempts_exhausted", 2)]
    words = "LookupError (the log of notify says more)"
    assert receipts(connection) == [(1, "temporary_failure", words), (2, "temporary_failure", words)]


def test_a_turn_says_whether_it_ended_in_a_failure_for_now(
    connection: Connection, delivering: Connection, clock: Clock, client: httpx.Client, hook: HttpReceiver
) -> None:
    hook.answers = [status(400), status(503)]
    receiver = add(connection, "hook", Channel.WEBHOOK, hook.url)
    for _ in range(3):
        tell(connection, add_alert(connection))
    turn = deliverer(clock, client).serve(delivering, receiver, threading.Event())
    assert turn == Turn(2, failed=True)
