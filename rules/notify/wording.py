"""What people and programs read: one notification as subject, plain text, HTML and JSON.

Pure. Everything that came from outside (device names, summaries) is made one line where a header or a table cell is
meant, and escaped in HTML.
"""

import html
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

from veldwatch.model.spoken import number_text
from veldwatch.storage.outbox import Notification

# C0, DEL, C1, line and paragraph separators: any of them can end a header line or hide text in some reader.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
_LONGEST_SUBJECT = 180
_FACTS = (
    ("Severity", "severity"),
    ("Device", "device_name"),
    ("Identifier", "device"),
    ("Site", "site"),
    ("Organisation", "organisation"),
    ("Rule", "rule"),
    ("Began", "opened_at"),
    ("Fired", "fired_at"),
    ("Ended", "resolved_at"),
    ("Value", "value"),
)
_HISTORY = "This is history: it was recorded long after it happened, because its data came late."


def one_line(text: str) -> str:
    """Replace every run of control characters and line ends by a space."""
    return _CONTROL.sub(" ", text).strip()


def subject(notification: Notification) -> str:
    """Say the severity and the headline in one line."""
    severity = _alert(notification).get("severity")
    prefix = f"[{one_line(str(severity)).upper()}] " if severity else ""
    line = prefix + one_line(str(notification.message.get("headline", "alert")))
    return line if len(line) <= _LONGEST_SUBJECT else line[: _LONGEST_SUBJECT - 1] + "…"


def plain_text(notification: Notification, console_url: str) -> str:
    """Write the message for a reader without HTML."""
    lines = [subject(notification), ""]
    lines += [_HISTORY, ""] if notification.message.get("late") else []
    lines += [str(notification.message.get("text", "")).strip(), ""]
    lines += [f"{name + ':':14}{value}" for name, value in _facts(notification)]
    lines += ["", f"Open it: {link(notification, console_url)}", f"Notification {notification.id}"]
    return "\n".join(lines) + "\n"


def hypertext(notification: Notification, console_url: str) -> str:
    """Write the message as a small HTML page without anything to load."""
    rows = "".join(
        f'<tr><th align="left" style="padding-right:12px">{_escape(name)}</th><td>{_escape(value)}</td></tr>'
        for name, value in _facts(notification)
    )
    history = f"<p><em>{_HISTORY}</em></p>" if notification.message.get("late") else ""
    text = _escape(str(notification.message.get("text", "")).strip()).replace("\n", "<br>")
    return (
        '<!doctype html><html lang="en"><body style="font-family:sans-serif;max-width:40em">'
        f"<h2>{_escape(subject(notification))}</h2>{history}<p>{text}</p><table>{rows}</table>"
        f'<p><a href="{_escape(link(notification, console_url))}">Open in Veldwatch</a></p></body></html>\n'
    )


def document(notification: Notification) -> bytes:
    """Encode the message for a program: the same bytes at every attempt.

    Source: Standard Webhooks, section "payload structure": type, timestamp, data.
    """
    content = {
        "type": f"alert.{notification.kind}",
        "timestamp": notification.created_at.isoformat(),
        "data": {"id": str(notification.id), **notification.message},
    }
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def link(notification: Notification, console_url: str) -> str:
    """Point to the alert in the console."""
    return f"{console_url.rstrip('/')}/#/alerts/{notification.alert_id}"


def _facts(notification: Notification) -> list[tuple[str, str]]:
    alert = _alert(notification)
    return [(name, _shown(key, alert[key])) for name, key in _FACTS if alert.get(key) not in (None, "")]


def _shown(key: str, value: object) -> str:
    text = number_text(value) if isinstance(value, float) else one_line(str(value))
    if not key.endswith("_at"):
        return text
    try:
        return f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError):
        return text


def _alert(notification: Notification) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", notification.message.get("alert") or {})


def _escape(text: str) -> str:
    return html.escape(text, quote=True)
