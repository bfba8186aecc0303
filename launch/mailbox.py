"""The demo's mail server: takes every mail on loopback and keeps it in a Maildir, which the console shows.

A mail is in its file before it is accepted. Only the last thousand are kept.
"""

import mailbox
import threading
from pathlib import Path

import structlog
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

KEPT = 1000
_log = structlog.get_logger()


class MaildirReceiver:
    """What the SMTP server hands mails to.

    Args:
        folder: the Maildir, made if missing.
        kept: mails beyond these are removed, oldest first.
    """

    def __init__(self, folder: Path, kept: int = KEPT) -> None:
        self._maildir = mailbox.Maildir(folder, create=True)
        self._kept = kept

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: ARG002, N802  # the library's names
        """Keep a mail and accept it."""
        content = envelope.original_content or b""
        self._maildir.add(mailbox.MaildirMessage(content))
        self._forget_old()
        _log.info("mail kept", recipients=envelope.rcpt_tos, bytes=len(content))
        return "250 kept"

    def _forget_old(self) -> None:
        # A key begins with the time of arrival, then with the count of this process: its order is that of arrival.
        keys = sorted(self._maildir.keys(), key=_arrival)
        for key in keys[: -self._kept]:
            self._maildir.discard(key)


def receive_mail(folder: Path, host: str, port: int, stop: threading.Event) -> None:
    """Take mails until stopped."""
    controller = Controller(MaildirReceiver(folder), hostname=host, port=port)
    controller.start()
    try:
        stop.wait()
    finally:
        controller.stop()


def _arrival(key: str) -> tuple[int, int]:
    """Order keys by seconds, then by microseconds.

    Source: mailbox.Maildir names a file `seconds.M<microseconds>P<process>Q<count>.host`.
    """
    seconds, _, rest = key.partition(".")
    return int(seconds), int(rest[1:].partition("P")[0] or 0)
