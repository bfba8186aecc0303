import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rules.notify.delivery import Deliverer, Turn
from rules.notify.program import NotifyProgram
from rules.notify.signature import sign
from rules.notify.turns import Slots
from tests.integration.rules.notify.alerts import add, add_alert, outbox_rows, tell
from tests.integration.rules.notify.http_receiver import Handler, HttpReceiver, drip, http_receiver, never, status
from tests.integration.rules.notify.smtp_dialogue import smtp_dialogue
from tests.integration.rules.notify.smtp_receiver import smtp_receiver
from veldwatch.model.notifications import Channel
from veldwatch.storage import outbox
from veldwatch.storage.connection import Connection, connect
from veldwatch.storage.wakeups import listen

PROGRAM = "from rules.notify.commands import app; app()"


def wait_until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


@contextmanager
def notify(dsn: str, **settings: object) -> Generator[subprocess.Popen[bytes]]:
    said = {"group_wait_seconds": 0, **settings}
    environment = {f"VELDWATCH_{name.upper()}": str(value) for name, value in said.items()}
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "run"],
        env={**os.environ, "VELDWATCH_DSN": dsn, "NO_PROXY": "*", **environment},
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def told(connection: Connection, receiver: HttpReceiver, count: int) -> Callable[[], bool]:
    return lambda: len(receiver.requests) >= count and not pending(connection)


def pending(connection: Connection) -> bool:
    return any(state == "pending" for state, _, _ in outbox_rows(connection))


def now() -> datetime:
    return datetime.now(UTC)


def test_an_alert_is_told_within_a_second_and_the_program_ends_when_asked(dsn: str, connection: Connection) -> None:
    with http_receiver() as hook, smtp_receiver() as mail:
        add(connection, "hook", Channel.WEBHOOK, hook.url)
        add(connection, "ops")
        with notify(dsn, smtp_host="127.0.0.1", smtp_port=mail.port) as process:
            tell(connection, add_alert(connection), now=now())
            wait_until(told(connection, hook, 1))
            started = time.monotonic()
            tell(connection, add_alert(connection), now=now())
            wait_until(told(connection, hook, 2))
            assert time.monotonic() - started < 2.0
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=5) == 0
        assert len(mail.mails) == 2


def test_killed_between_send_and_receipt_it_repeats_with_the_same_identifier(dsn: str, connection: Connection) -> None:
    running: list[subprocess.Popen[bytes]] = []

    def kill_sender(handler: Handler) -> None:
        """The receiver has the message; the sender dies before it hears so."""
        running[-1].kill()
        running[-1].wait()
        handler.close_connection = True

    with http_receiver(kill_sender, status(200)) as hook:
        add(connection, "hook", Channel.WEBHOOK, hook.url)
        tell(connection, add_alert(connection), now=now())
        with notify(dsn) as first:
            running.append(first)
            wait_until(lambda: first.poll() is not None)
        assert outbox_rows(connection) == [("pending", None, 0)]
        with notify(dsn):
            wait_until(told(connection, hook, 2))
        assert outbox_rows(connection) == [("delivered", None, 1)]
        first_request, second_request = hook.requests
        assert first_request.headers["webhook-id"] == second_request.headers["webhook-id"]
        assert first_request.body == second_request.body


def test_killed_again_and_again_it_tells_everything_once(dsn: str, connection: Connection) -> None:
    with http_receiver() as hook:
        add(connection, "hook", Channel.WEBHOOK, hook.url)
        for _ in range(60):
            tell(connection, add_alert(connection), now=now())
        kills = 0
        while pending(connection):
            with notify(dsn) as process:
                goal = len(hook.requests) + 15
                wait_until(lambda goal=goal: len(hook.requests) >= goal or not pending(connection))
                process.kill()
                kills += 1
            assert kills < 15
        identifiers = [request.headers["webhook-id"] for request in hook.requests]
        assert len(set(identifiers)) == 60
        assert len(identifiers) <= 60 + kills


def test_a_dead_receiver_delays_nobody_else(dsn: str, connection: Connection) -> None:
    released = threading.Event()
    with http_receiver(never(released)) as dead, http_receiver() as alive:
        add(connection, "dead", Channel.WEBHOOK, dead.url)
        add(connection, "alive", Channel.WEBHOOK, alive.url)
        for _ in range(5):
            tell(connection, add_alert(connection), now=now())
        with notify(dsn):
            wait_until(lambda: len(alive.requests) == 5, seconds=40)
            assert len(dead.requests) <= 2
        released.set()


def add_dead(connection: Connection, address: str, organisation: str, count: int = 40) -> None:
    for number in range(count):
        add(connection, f"dead-{number}", Channel.WEBHOOK, f"{address}?{number}", organisation=organisation)


@pytest.mark.several_backends("many receivers are served at once")
def test_many_dead_receivers_of_one_organisation_delay_no_other(dsn: str, connection: Connection) -> None:
    released = threading.Event()
    with http_receiver(drip(released)) as dead, http_receiver() as alive:
        water, wildlife = add_alert(connection, "demo-water"), add_alert(connection, "demo-wildlife")
        add_dead(connection, dead.url, "demo-water")
        add(connection, "alive", Channel.WEBHOOK, alive.url, organisation="demo-wildlife")
        tell(connection, water, now=now())
        with notify(dsn):
            wait_until(lambda: len(dead.requests) >= 12)
            started = time.monotonic()
            tell(connection, wildlife, now=now())
            wait_until(lambda: len(alive.requests) == 1)
            assert time.monotonic() - started < 3
        released.set()


@pytest.mark.several_backends("many receivers are served at once")
def test_many_receivers_known_to_be_dead_delay_nobody(dsn: str, connection: Connection) -> None:
    released = threading.Event()
    with http_receiver(never(released)) as dead, http_receiver() as alive:
        alert = add_alert(connection)
        add_dead(connection, dead.url, "demo-water")
        for hour in range(12):
            tell(connection, add_alert(connection), now=now() - timedelta(hours=hour))
        # They were tried in vain before: another program has left that behind.
        connection.execute("UPDATE outbox SET attempts = 1")
        connection.commit()
        add(connection, "alive", Channel.WEBHOOK, alive.url, organisation="demo-water")
        with notify(dsn):
            wait_until(lambda: len(dead.requests) >= 8)
            started = time.monotonic()
            tell(connection, alert, now=now())
            wait_until(lambda: len(alive.requests) == 1)
            assert time.monotonic() - started < 3
            assert len(dead.requests) <= 16
        released.set()


@pytest.mark.several_backends("many receivers are served at once")
def test_receivers_with_a_backlog_take_turns_with_those_who_wait(dsn: str, connection: Connection) -> None:
    def slowly(handler: Handler) -> None:
        time.sleep(0.5)
        status(200)(handler)

    with http_receiver(slowly) as slow, http_receiver() as quick:
        for number in range(12):
            add(connection, f"slow-{number}", Channel.WEBHOOK, slow.url)
        for _ in range(40):
            tell(connection, add_alert(connection), now=now())
        add(connection, "quick", Channel.WEBHOOK, quick.url)
        with notify(dsn):
            wait_until(lambda: len(slow.requests) >= 12)
            tell(connection, add_alert(connection), now=now())
            wait_until(lambda: len(quick.requests) == 1, seconds=12)
            # Twenty seconds of work each: it did not wait until one of them had nothing left.
            assert len(slow.requests) < 12 * 30


def test_a_relay_that_thinks_for_minutes_delays_no_webhook_and_not_the_programs_end(
    dsn: str, connection: Connection
) -> None:
    with http_receiver() as hook, smtp_dialogue() as relay:
        relay.judged.clear()
        add(connection, "ops")
        add(connection, "hook", Channel.WEBHOOK, hook.url)
        with notify(dsn, smtp_host="127.0.0.1", smtp_port=relay.port) as process:
            tell(connection, add_alert(connection), now=now())
            wait_until(lambda: len(relay.contents) == 1 and len(hook.requests) == 1)
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=8) == 0
        assert sorted(state for state, _, _ in outbox_rows(connection)) == ["delivered", "pending"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting(Deliverer):
    """A deliverer that says of each turn to whom it was given."""

    turns: queue.Queue[int]

    def serve(
        self,
        connection: Connection,
        receiver_id: int,
        stop: threading.Event,
        check: Callable[[], None] = lambda: None,
        turn_is_over: Callable[[], bool] = lambda: False,
    ) -> Turn:
        turn = Deliverer.serve(self, connection, receiver_id, stop, check, turn_is_over)
        self.turns.put(receiver_id)
        return turn


@pytest.mark.several_backends("a lock is held by one session and asked for by another")
def test_receivers_that_another_program_serves_make_nobody_look_at_once(dsn: str, connection: Connection) -> None:
    receivers = {add(connection, f"ops-{number}") for number in range(4)}
    tell(connection, add_alert(connection), now=now())
    stop, turns = threading.Event(), queue.Queue[int]()
    deliverer = Counting(senders={}, clock=now, turns=turns)
    program = NotifyProgram(dsn=dsn, deliverer=deliverer, stop=stop, slots=Slots(in_all=2))
    with ExitStack() as stack:
        other = stack.enter_context(connect(dsn, autocommit=True))
        listening = stack.enter_context(connect(dsn, autocommit=True))
        for receiver in receivers:
            stack.enter_context(outbox.receiver_lock(other, receiver))
        listen(listening, outbox.CHANNEL)
        running = threading.Thread(target=program.run)
        running.start()
        served = {turns.get(timeout=60) for _ in receivers}
        stop.set()
        running.join()
        assert served == receivers
        assert list(listening.notifies(timeout=0)) == []


@pytest.mark.several_backends("the server ends the backend of a program")
def test_it_outlives_the_database(dsn: str, connection: Connection) -> None:
    with http_receiver() as hook:
        add(connection, "hook", Channel.WEBHOOK, hook.url)
        with notify(dsn) as process:
            tell(connection, add_alert(connection), now=now())
            wait_until(told(connection, hook, 1))
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND application_name LIKE 'veldwatch-notify%'"
            )
            connection.commit()
            tell(connection, add_alert(connection), now=now())
            wait_until(told(connection, hook, 2))
            assert process.poll() is None


@pytest.mark.parametrize(
    "arguments", [["receiver", "list"], ["receiver", "disable", "ops"], ["receiver", "enable", "ops"]]
)
def test_receivers_are_kept_from_the_command_line(dsn: str, connection: Connection, arguments: list[str]) -> None:
    add(connection, "ops")
    environment = {**os.environ, "VELDWATCH_DSN": dsn}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], env=environment, capture_output=True, text=True, check=True
    )
    assert "ops" in done.stdout


def test_a_webhooks_secret_is_made_and_shown_once(dsn: str, connection: Connection) -> None:
    environment = {**os.environ, "VELDWATCH_DSN": dsn}
    command = [sys.executable, "-c", PROGRAM, "receiver"]
    added = subprocess.run(
        [*command, "add", "hook", "webhook", "https://example.org/x"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    row = connection.execute("SELECT secret FROM receiver").fetchone()
    assert row is not None
    assert row[0].startswith("whsec_")
    assert row[0] in added.stdout
    listed = subprocess.run([*command, "list"], env=environment, capture_output=True, text=True, check=True)
    assert "whsec_" not in listed.stdout


SECRET = "whsec_" + "c2VjcmV0" * 4


@pytest.mark.parametrize("named", ["secret", "-"])
def test_a_webhooks_own_secret_is_read_from_a_file_or_standard_input(
    named: str, dsn: str, connection: Connection, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text(f"{SECRET}\n", encoding="utf-8")
    file = named if named == "-" else str(tmp_path / named)
    added = ["receiver", "add", "hook", "webhook", "https://example.org/x", "--secret-file", file]
    subprocess.run(
        [sys.executable, "-c", PROGRAM, *added],
        env={**os.environ, "VELDWATCH_DSN": dsn},
        input=f"{SECRET}\n",
        text=True,
        check=True,
    )
    assert connection.execute("SELECT secret FROM receiver").fetchone() == (SECRET,)


def verify(arguments: list[str], body: bytes) -> subprocess.CompletedProcess[bytes]:
    moment = int(time.time())
    headers = ["--id", "a", "--timestamp", str(moment), "--signature", sign(SECRET, "a", moment, b"{}")]
    command = [sys.executable, "-m", "launch", "notify", "verify", *headers, *arguments]
    return subprocess.run(command, input=body, capture_output=True, check=False)


def test_a_webhook_is_checked_by_hand_without_its_secret_in_the_command_line(tmp_path: Path) -> None:
    secret, body = tmp_path / "secret", tmp_path / "body.json"
    secret.write_text(SECRET, encoding="utf-8")
    body.write_bytes(b"{}")
    assert verify(["--secret-file", str(secret)], b"{}").returncode == 0
    assert verify(["--secret-file", str(secret)], b"{ }").returncode == 1
    assert verify(["--secret-file", "-", str(body)], SECRET.encode()).returncode == 0
    both = verify(["--secret-file", "-"], b"{}")
    assert both.returncode == 2
    assert b"standard input is the body" in both.stderr


def test_it_ends_in_words_when_another_version_has_migrated_the_database(dsn: str, connection: Connection) -> None:
    with http_receiver() as hook:
        add(connection, "hook", Channel.WEBHOOK, hook.url)
        environment = {**os.environ, "VELDWATCH_DSN": dsn, "NO_PROXY": "*", "VELDWATCH_GROUP_WAIT_SECONDS": "0"}
        command = [sys.executable, "-m", "launch", "notify", "run"]
        with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
            try:
                tell(connection, add_alert(connection), now=now())
                wait_until(told(connection, hook, 1))
                connection.execute(
                    "INSERT INTO migration (number, name, digest, edition) VALUES (9999, 'new', 'x', 'postgresql')"
                )
                tell(connection, add_alert(connection), now=now())
                connection.commit()
                _, words = process.communicate(timeout=20)
            finally:
                process.kill()
        assert process.returncode == 2
        assert "error: the database has migrations [9999] that this program does not know (use a newer one)" in words
        assert len(hook.requests) == 1
        assert [state for state, _, _ in outbox_rows(connection)].count("pending") == 1
