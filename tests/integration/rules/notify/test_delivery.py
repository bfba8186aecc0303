import threading
from datetime import timedelta

import httpx
import pytest

from rules.notify.delivery import Turn
from rules.notify.signature import is_authentic, new_secret
from tests.integration.rules.notify.alerts import NOW, add, add_alert, outbox_rows, receipts, tell
from tests.integration.rules.notify.delivering import Clock, deliverer, serve
from tests.integration.rules.notify.http_receiver import HttpReceiver, status
from tests.integration.rules.notify.smtp_receiver import SmtpReceiver
from veldwatch.model.notifications import Channel
from veldwatch.storage import outbox
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.receivers import disable_receiver


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
    connection.commit()
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
