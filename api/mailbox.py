"""The demo's mailbox: messages in a Maildir, newest first, as plain text."""

import email
import email.policy
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

from api.models.operation import Mail

_LONGEST_TEXT = 20_000


def read_mailbox(path: Path, limit: int) -> list[Mail]:
    """Read the newest messages of a Maildir; one that is delivered or moved meanwhile is left out or read later."""
    if not path.is_dir():
        return []
    newest = sorted(_files(path), key=lambda file: file.name, reverse=True)[:limit]
    return [mail for file in newest if (mail := _read(file)) is not None]


def _files(path: Path) -> list[Path]:
    # A Maildir's names begin with the second of delivery. Source: D. J. Bernstein, "Using maildir format".
    return [file for folder in ("new", "cur") if (path / folder).is_dir() for file in (path / folder).iterdir()]


def _read(file: Path) -> Mail | None:
    try:
        message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    except FileNotFoundError:
        return None
    assert isinstance(message, EmailMessage)  # noqa: S101  # what this policy makes
    return Mail.model_validate(
        {
            "key": file.name.split(":")[0],
            "to": str(message["to"] or ""),
            "from": str(message["from"] or ""),
            "subject": str(message["subject"] or ""),
            "date": _date(message),
            "text": _text(message),
        }
    )


def _date(message: EmailMessage) -> datetime | None:
    moment = getattr(message["date"], "datetime", None)
    if not isinstance(moment, datetime):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _text(message: EmailMessage) -> str:
    body = message.get_body(preferencelist=("plain",))
    if body is None:
        return ""
    try:
        return str(body.get_content())[:_LONGEST_TEXT]
    except (LookupError, UnicodeError, KeyError):
        return ""  # a character set or transfer encoding that nobody knows
