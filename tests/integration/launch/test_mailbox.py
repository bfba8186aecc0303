import mailbox
import smtplib
import threading
from collections.abc import Generator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path

from aiosmtpd.controller import Controller

from launch.mailbox import MaildirReceiver, receive_mail
from launch.ports import choose_port


@contextmanager
def receiver(folder: Path, kept: int) -> Generator[int]:
    port = choose_port(0)
    controller = Controller(MaildirReceiver(folder, kept=kept), hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


def test_a_mail_is_kept_as_it_was_sent(tmp_path: Path) -> None:
    with receiver(tmp_path / "mails", kept=10) as port:
        send(port, "Leak at meter 7")
    (mail,) = mailbox.Maildir(tmp_path / "mails").values()
    assert mail["Subject"] == "Leak at meter 7"
    assert mail["To"] == "operators@veldwatch.example"


def test_only_the_last_mails_are_kept(tmp_path: Path) -> None:
    with receiver(tmp_path / "mails", kept=3) as port:
        for number in range(5):
            send(port, f"number {number}")
    assert sorted(mail["Subject"] for mail in mailbox.Maildir(tmp_path / "mails")) == [
        "number 2",
        "number 3",
        "number 4",
    ]


def test_the_server_ends_when_it_is_told_to(tmp_path: Path) -> None:
    stop = threading.Event()
    server = threading.Thread(target=receive_mail, args=(tmp_path / "mails", "127.0.0.1", choose_port(0), stop))
    server.start()
    stop.set()
    server.join(10)
    assert not server.is_alive()


def send(port: int, subject: str) -> None:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = subject, "veldwatch@localhost", "operators@veldwatch.example"
    message.set_content("text")
    with smtplib.SMTP("127.0.0.1", port) as connection:
        connection.send_message(message)
