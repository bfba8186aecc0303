"""Several notifications in one message: which belong together, which leads, and what the message says.

Pure. What is due for one receiver at once and has one cause or incident is one message, led by the worst; what has
neither is told by itself.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from veldwatch.model.notifications import NEWS, SEVERITIES
from veldwatch.storage.outbox_due import Due

LISTED = 10
"""Alerts that a message names besides the one that leads it."""
ENUMERATED = 100
"""Alerts that a program is told by name."""


def bundles(kept: Iterable[Due]) -> list[list[Due]]:
    """Put together what goes out as one message, worst first in each; in the order in which the first came.

    What was composed already stays as it is.
    """
    found: dict[tuple[str, str], list[Due]] = {}
    for due in kept:
        key = str(due.id) if due.is_composed or due.attempts else group_of(due)
        found.setdefault((due.kind, key), []).append(due)
    return [sorted(each, key=_worst_first) for each in found.values()]


def group_of(due: Due) -> str:
    """Name what an alert belongs to; itself, where nothing else is known."""
    if due.kind == "resolved":
        return str(due.bundle or due.id)
    if due.kind not in NEWS:
        return str(due.id)
    return str(due.incident or due.cause or f"alert:{due.alert_id}")


def compose_group(own: Mapping[str, Any], others: Sequence[Mapping[str, Any]], count: int) -> dict[str, object]:
    """Say several alerts in one message.

    Args:
        own: the message of the alert that leads.
        others: of the next, worst first; `ENUMERATED` of them at most.
        count: how many there are, the leading one counted.
    """
    more = count - 1
    listed = [f"- {_line(message)}" for message in others[:LISTED]]
    if more > LISTED:
        listed.append(f"- and {more - LISTED} more")
    text = "\n".join([str(own.get("text", "")), "", f"With it, worst first ({more} more):", *listed])
    enumerated = [_entry(message) for message in (own, *others)][:ENUMERATED]
    return {
        **own,
        "headline": f"{own.get('headline', 'alert')} (and {more} more)",
        "text": text,
        "grouped": {"count": count, "alerts": enumerated},
    }


def say_still_silent(message: Mapping[str, Any], cause: str, until: datetime) -> dict[str, object]:
    """Say that what explained an alert is over, and that it holds all the same."""
    note = f"{cause} explained it until {_spoken(until)}; it still holds."
    return {
        **message,
        "headline": f"Still: {message.get('headline', 'alert')}",
        "text": f"{note} {message.get('text', '')}",
    }


def say_was_silenced(message: Mapping[str, Any], author: str, reason: str, ended_at: datetime) -> dict[str, object]:
    """Say that a silence kept a message back."""
    note = f"It was silenced by {author} until {_spoken(ended_at)} ({reason}) and still holds."
    return {**message, "text": f"{note} {message.get('text', '')}"}


def _worst_first(due: Due) -> tuple[object, ...]:
    return (-SEVERITIES.index(due.severity), not due.is_cause, due.opened_at, str(due.id))


def _alert(message: Mapping[str, Any]) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", message.get("alert") or {})


def _line(message: Mapping[str, Any]) -> str:
    return f"[{str(_alert(message).get('severity', '')).upper()}] {message.get('headline', 'alert')}"


def _entry(message: Mapping[str, Any]) -> dict[str, object]:
    names = ("id", "rule", "severity", "organisation", "site", "device", "opened_at")
    return {"headline": message.get("headline"), **{name: _alert(message).get(name) for name in names}}


def _spoken(time: datetime) -> str:
    return f"{time:%-d %b %Y %H:%M:%S} UTC"
