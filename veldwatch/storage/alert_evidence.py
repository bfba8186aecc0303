"""Why an alert is: the observations that made it, those around them, the rule as it was then, and its limits.

For every kind of condition: what an alert rests on says which series, fixes, events or contacts are read around it.
Of an alert about many devices the buckets that it rests on are all there is.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from veldwatch.storage.alerts import get_alert
from veldwatch.storage.connection import Connection
from veldwatch.storage.pool import Row, fetch_rows
from veldwatch.storage.queries import load_queries

_QUERIES = load_queries("alert_evidence")
_LEAST_ROOM, _MOST_ROOM = timedelta(minutes=30), timedelta(days=7)
_OTHERS = {"positions": "fixes"}
MOST = 5000
"""Observations of one series or device around an alert."""


def tell_evidence(connection: Connection, scope: int | None, alert_id: UUID, now: datetime) -> Row:
    """Give what an alert rests on, in a form that is the same for all conditions.

    Raises:
        NotFound: there is no such alert, or it is another organisation's.
    """
    alert = get_alert(connection, scope, alert_id)
    (rule,) = fetch_rows(connection, _QUERIES["rule"], {"id": alert_id})
    evidence: dict[str, Any] = alert["evidence"]
    since, until = _around(alert, now)
    span: dict[str, object] = {"since": since, "until": until, "limit": MOST}
    numbers = _series(alert, evidence)
    series = fetch_rows(connection, _QUERIES["series"], {"series": numbers}) if numbers else []
    of_device = {**span, "device_id": alert["device_id"]}
    has_device = alert["device_id"] is not None
    looked_at = {*evidence, *(_OTHERS.get(other, other) for other in evidence.get("others", ()))}
    return {
        "alert_id": alert_id,
        "summary": alert["summary"],
        "explained": explained(alert, rule),
        "value": alert["value"],
        "rule": rule,
        "limits": limits(rule["definition"]),
        "observations": evidence,
        "since": since,
        "until": until,
        "series": [
            {**one, "readings": fetch_rows(connection, _QUERIES["readings"], {**span, "series_id": one["series_id"]})}
            for one in series
        ],
        "fixes": fetch_rows(connection, _QUERIES["fixes"], of_device) if has_device and "fixes" in looked_at else [],
        "events": _events(connection, rule["definition"], of_device) if has_device and "events" in looked_at else [],
        "contacts": (
            fetch_rows(connection, _QUERIES["contacts"], of_device) if has_device and "contacts" in looked_at else []
        ),
    }


def kinds_of_events(condition: Mapping[str, Any]) -> list[str]:
    """Name the kinds of events that a condition and its parts look at, sorted."""
    found = {pattern["kind"] for key in ("events", "cleared_by") for pattern in condition.get(key, ())}
    for part in _parts(condition.get("of")):
        found.update(kinds_of_events(part))
    return sorted(found)


def limits(definition: Mapping[str, Any]) -> list[dict[str, Any]]:
    """List a rule's limits, the mildest first; `drawn`: they are of the readings' own scale."""
    condition: Mapping[str, Any] = definition["condition"]
    drawn = condition["kind"] == "threshold"
    own = [(name, condition[name]) for name in ("above", "below") if isinstance(condition.get(name), (int, float))]
    outside = condition.get("outside")
    if isinstance(outside, list):
        own += list(zip(("below", "above"), outside, strict=False))  # pyright: ignore[reportUnknownArgumentType]
    found = [(name, value, definition["severity"]) for name, value in own]
    for step in definition.get("escalate", ()):
        found += [(name, step[name], step["severity"]) for name in ("above", "below") if name in step]
    return [{"side": side, "value": value, "severity": severity, "drawn": drawn} for side, value, severity in found]


def explained(alert: Mapping[str, Any], rule: Mapping[str, Any]) -> str:
    """Say in words what made an alert."""
    end = f"to {_spoken(alert['resolved_at'])}" if alert["resolved_at"] else "on; no end is known"
    fired = f"; it fired at {_spoken(alert['fired_at'])}" if alert["fired_at"] else "; it has not fired"
    rises = "".join(f", rose to {step['severity']} at {step['at']}" for step in alert["raises"])
    return (
        f"{alert['summary']}. The condition {rule['definition']['condition']['kind']!r} of rule {rule['slug']!r},"
        f" version {rule['version']}, held from {_spoken(alert['opened_at'])} {end}{fired}{rises}."
    )


def _parts(of: object) -> list[Mapping[str, Any]]:
    """List the conditions that one is combined of; other kinds have a word there."""
    if isinstance(of, Mapping):
        return [cast("Mapping[str, Any]", of)]
    return cast("list[Mapping[str, Any]]", of) if isinstance(of, list) else []


def _events(connection: Connection, definition: Mapping[str, Any], of_device: Mapping[str, object]) -> list[Row]:
    kinds = kinds_of_events(definition["condition"])
    return fetch_rows(connection, _QUERIES["events"], {**of_device, "kinds": kinds})


def _around(alert: Mapping[str, Any], now: datetime) -> tuple[datetime, datetime]:
    end = alert["resolved_at"] or max(now, alert["opened_at"])
    room = min(max((end - alert["opened_at"]) / 2, _LEAST_ROOM), _MOST_ROOM)
    return alert["opened_at"] - room, end + room


def _series(alert: Mapping[str, Any], evidence: Mapping[str, Any]) -> list[int]:
    named = [alert["series_id"], evidence.get("series_id"), *evidence.get("series_ids", ())]
    return list(dict.fromkeys(number for number in named if number))


def _spoken(time: datetime) -> str:
    return f"{time:%-d %b %Y %H:%M:%S} UTC"
