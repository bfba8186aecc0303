import threading
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import httpx
import pytest

from rules.notify.delivery import Deliverer, Turn
from rules.notify.email import EmailChannel
from rules.notify.signature import is_authentic, new_secret
from rules.notify.webhook import WebhookChannel, new_client
from tests.integration.rules.notify.alerts import NOW, add, add_alert, outbox_rows, receipts, tell
from tests.integration.rules.notify.http_receiver import HttpReceiver, hang_up, http_receiver, never, status
from tests.integration.rules.notify.smtp_receiver import SmtpReceiver, smtp_receiver
from veldwatch.config import Settings
from veldwatch.model.notifications import Channel
from veldwatch.storage import outbox
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.outbox import Notification
from veldwatch.storage.receivers import disable_receiver


@dataclass(slots=True)
class Clock:
    """Time that moves when a test says so."""

    now: datetime = field(default=NOW)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def delivering(dsn: str) -> Generator[Connection]:
    with connect(dsn, autocommit=True) as opened:
        yield opened


@pytest.fixture
def client() -> Generator[httpx.Client]:
    with new_client() as opened:
        yield opened


@pytest.fixture
def hook() -> Generator[HttpReceiver]:
    with http_receiver() as receiver:
        yield receiver


@pytest.fixture
def mail() -> Generator[SmtpReceiver]:
    with smtp_receiver() as receiver:
        yield receiver


def deliverer(clock: Clock, client: httpx.Client, smtp_port: int = 1, maximum_attempts: int = 3) -> Deliverer:
    settings = Settings(smtp_host="127.0.0.1", smtp_port=smtp_port)
    return Deliverer(
        senders={
            Channel.EMAIL: EmailChannel(settings=settings),
            Channel.WEBHOOK: WebhookChannel(client=client, clock=clock),
        },
        clock=clock,
        maximum_attempts=maximum_attempts,
    )


def serve(connection: Connection, receiver_id: int, deliver: Deliverer) -> int:
    return deliver.serve(connection, receiver_id, threading.Event()).attempted


def test_an_alert_is_mailed_and_its_end_answers_the_first_mail(
    connection: Connection, delivering: Connection, clock: Clock, client: httpx.Client, mail: SmtpReceiver
) -> None:
    receiver = add(connection, "ops")
    alert = add_alert(connection)
    tell(connection, alert)
    tell(connection, alert, "resolved")
    serve(delivering, receiver, deliverer(clock, client, mail.port))
    assert [message["Subject"] for message in mail.mails] == [
        "[MAJOR] Leak at Banda: firing",
        "[MAJOR] Leak at Banda: resolved",
    ]
    assert mail.mails[1]["In-Reply-To"] == mail.mails[0]["Message-ID"]
    assert [part.get_content_type() for part in mail.mails[0].walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]
    assert outbox_rows(connection) == [("delivered", None, 1), ("delivered", None, 1)]
    assert [outcome for _, outcome, _ in receipts(connection)] == ["delivered", "delivered"]


def test_a_webhook_is_signed_and_carries_the_stable_identifier(
    connection: Connection, delivering: Connection, clock: Clock, client: httpx.Client, hook: HttpReceiver
) -> None:
    secret = new_secret()
    receiver = add(connection, "hook", Channel.WEBHOOK, hook.url, secret=secret)
    tell(connection, add_alert(connection))
    serve(delivering, receiver, deliverer(clock, client))
    (request,) = hook.requests
    row = connection.execute("SELECT id FROM outbox").fetchone()
    assert row is not None
    assert request.headers["webhook-id"] == str(row[0])
    assert is_authentic(
        secret,
        message_id=request.headers["webhook-id"],
        timestamp=request.headers["webhook-timestamp"],
        signatures=request.headers["webhook-signature"],
        body=request.body,
        now=NOW,
    )


def test_the_same_transition_written_again_is_told_once(
    connection: Connection, delivering: Connection, clock: Clock, client: httpx.Client, hook: HttpReceiver
) -> None:
    receiver = add(connection, "hook", Channel.WEBHOOK, hook.url)
    alert = add_alert(connection)
    assert tell(connection, alert) == 1
    row = connection.execute("SELECT id FROM alert_transition").fetchone()
    assert row is not None
    assert tell(connection, alert, transition=row[0]) == 0
    serve(delivering, receiver, deliverer(clock, client))
    assert tell(connection, alert, transition=row[0]) == 0
    serve(delivering, receiver, deliverer(clock, client))
    assert len(hook.requests) == 1


def test_only_receivers_of_that_organisation_and_severity_are_told(connection: Connection) -> None:
    water, wildlife = add_alert(connection, "demo-water"), add_alert(connection, "demo-wildlife")
    add(connection, "all")
    add(connection, "water", organisation="demo-water")
    add(connection, "woken", minimum_severity="critical")
    assert tell(connection, water, severity="major") == 2
    assert tell(connection, wildlife, severity="minor") == 1
    assert tell(connection, wildlife, "corrected", severity="critical") == 2


def test_history_is_kept_and_never_sent(
    connection: Connection, delivering: Connection, clock: Clock, client: httpx.Client, hook: HttpReceiver
) -> None:
    receiver = add(connection, "hook", Channel.WEBHOOK, hook.url)
    alert = add_alert(connection)
    tell(connection, alert, suppressed="history")
    tell(connection, alert, "resolved")
    serve(delivering, receiver, deliverer(clock, client))
    assert not hook.requests
    assert outbox_rows(connection) == [("suppressed", "history", 0), ("suppressed", "not_told", 0)]


def test_a_receiver_that_was_never_told_of_the_alert_is_not_told_of_its_end(
    connection: Connection, delivering: Connection, clock: Clock, client: httpx.Client, hook: HttpReceiver
) -> None:
    alert = add_alert(connection)
    tell(connection, alert)
    late = add(connection, "late", Channel.WEBHOOK, hook.url)
    tell(connection, alert, "resolved")
    serve(delivering, late, deliverer(clock, client))
    assert not hook.requests
    assert outbox_rows(connection) == [("suppressed", "not_told", 0)]


def test_who_was_told_of_an_alert_is_told_what_became_of_the_one_in_its_place(
    connection: Connection, delivering: Connection, clock: Clock, client: httpx.Client, hook: HttpReceiver
) -> None:
    hook.answers = [status(503), status(200)]
    receiver = add(connection, "hook", Channel.WEBHOOK, hook.url)
    alert, in_its_place, again = add_alert(connection), add_alert(connection), add_alert(connection)
    tell(connection, alert)
    tell(connection, in_its_place, "corrected", supersedes=alert)
    tell(connection, again, "corrected", supersedes=in_its_place)
    tell(connection, again, "resolved")
    deliver = deliverer(clock, client)
    # The first attempt fails: what follows waits for it, though it is of another alert.
    serve(delivering, receiver, deliver)
    assert len(hook.requests) == 1
    for _ in range(4):
        clock.now += timedelta(hours=2)
        serve(delivering, receiver, deliver)
    assert [state for state, _, _ in outbox_rows(connection)] == ["delivered"] * 4


def test_a_receiver_that_was_disabled_since_is_not_told(
    connection: Connection, delivering: Connection, clock: Clock, client: httpx.Client, hook: HttpReceiver
) -> None:
    receiver = add(connection, "hook", Channel.WEBHOOK, hook.url)
    tell(connection, add_alert(connection))
    disable_receiver(connection, "hook")
    connection.commit()
    serve(delivering, receiver, deliverer(clock, client))
    assert outbox_rows(connection) == [("suppressed", "receiver_disabled", 0)]


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


def test_nobody_is_told_of_the_end_before_the_beginning(
    connection: Connection, delivering: Connection, clock: Clock, client: httpx.Client, hook: HttpReceiver
) -> None:
    hook.answers = [status(503), status(200)]
    receiver = add(connection, "hook", Channel.WEBHOOK, hook.url)
    alert = add_alert(connection)
    tell(connection, alert)
    deliver = deliverer(clock, client)
    serve(delivering, receiver, deliver)
    tell(connection, alert, "resolved")
    assert outbox.due_receivers(delivering, clock.now, 10) == []
    assert serve(delivering, receiver, deliver) == 0
    clock.now += timedelta(seconds=10)
    assert serve(delivering, receiver, deliver) == 2
    assert b"resolved" in hook.requests[2].body


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


def test_a_turn_that_is_over_ends_between_two_messages_and_the_rest_is_still_due(
    connection: Connection, delivering: Connection, clock: Clock, client: httpx.Client, hook: HttpReceiver
) -> None:
    receiver = add(connection, "hook", Channel.WEBHOOK, hook.url)
    for _ in range(5):
        tell(connection, add_alert(connection))
    deliver = deliverer(clock, client)
    stop = threading.Event()
    turn = deliver.serve(delivering, receiver, stop, turn_is_over=lambda: len(hook.requests) == 2)
    assert turn == Turn(2, failed=False)
    assert deliver.serve(delivering, receiver, stop) == Turn(3, failed=False)


def test_a_turn_says_whether_it_ended_in_a_failure_for_now(
    connection: Connection, delivering: Connection, clock: Clock, client: httpx.Client, hook: HttpReceiver
) -> None:
    hook.answers = [status(400), status(503)]
    receiver = add(connection, "hook", Channel.WEBHOOK, hook.url)
    for _ in range(3):
        tell(connection, add_alert(connection))
    turn = deliverer(clock, client).serve(delivering, receiver, threading.Event())
    assert turn == Turn(2, failed=True)


@pytest.mark.several_backends("a lock is held by one session and asked for by another")
def test_two_deliverers_do_not_tell_a_receiver_twice(
    dsn: str, connection: Connection, clock: Clock, client: httpx.Client, hook: HttpReceiver
) -> None:
    receiver = add(connection, "hook", Channel.WEBHOOK, hook.url)
    for _ in range(20):
        tell(connection, add_alert(connection))
    deliver = deliverer(clock, client)

    def work() -> None:
        with connect(dsn, autocommit=True) as own:
            serve(own, receiver, deliver)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    identifiers = [request.headers["webhook-id"] for request in hook.requests]
    assert len(identifiers) == len(set(identifiers)) == 20


def test_a_slow_delivery_holds_no_transaction_that_readers_of_the_log_would_wait_for(
    dsn: str, connection: Connection, clock: Clock, client: httpx.Client, hook: HttpReceiver
) -> None:
    seen: list[object] = []

    def look(handler: object) -> None:
        with connect(dsn, autocommit=True) as other:
            seen.append(
                other.execute(
                    "SELECT count(*) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND backend_xid IS NOT NULL"
                ).fetchone()
            )
        status(200)(handler)  # pyright: ignore[reportArgumentType]  # the server's handler

    hook.answers = [look]
    receiver = add(connection, "hook", Channel.WEBHOOK, hook.url)
    tell(connection, add_alert(connection))
    with connect(dsn, autocommit=True) as own:
        serve(own, receiver, deliverer(clock, client))
    assert seen == [(0,)]
