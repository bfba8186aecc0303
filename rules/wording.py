"""What an alert says: its summary, the messages that tell of it, and its evidence as a document.

No sentence says "now": every message gives the time at which the thing happened and the time at which it was
recorded, and one that was recorded late says so first.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from rules.instants import to_datetime
from rules.lifecycle import Revision, Transition
from rules.sentences import sentence_of, spoken
from rules.store import Entry, Telling
from rules.targets import Target
from veldwatch.model.alert import Alert, TransitionKind
from veldwatch.model.conditions.inputs import Input
from veldwatch.model.message_template import render
from veldwatch.model.rule import time_to_fire
from veldwatch.model.spoken import duration_text, unit_text

_HEADLINES = {
    TransitionKind.FIRING: "",
    TransitionKind.RAISED: "Worse: ",
    TransitionKind.RESOLVED: "Over: ",
    TransitionKind.CORRECTED: "Correction: ",
    TransitionKind.RETRACTED: "Withdrawn: ",
}


def entry_of(target: Target, revision: Revision, now: datetime, news_age: timedelta) -> Entry:
    """Put a revision into words."""
    summary = summary_of(target, revision.alert)
    tellings = [
        Telling(number, _message(target, revision.alert, transition, summary, now, news_age))
        for number, transition in enumerate(revision.transitions)
        if transition.tell
    ]
    return Entry(target, revision, summary, evidence_of(target, revision.alert), tuple(tellings))


def summary_of(target: Target, alert: Alert) -> str:
    """Say in one line what happened, by the rule's own template if it has one."""
    if target.rule.message is None:
        return sentence_of(target, alert)
    return render(target.rule.message, _fields(target, alert))


def evidence_of(target: Target, alert: Alert) -> dict[str, object]:  # noqa: PLR0911  # one for each input
    """Write the observations that made an alert so that each can be found again; what is written already stays."""
    observations: Sequence[Sequence[Any]] | None = alert.evidence.get("observations")  # pyright: ignore[reportAssignmentType]  # lifecycle put them there
    if observations is None:
        return dict(alert.evidence)
    times = [to_datetime(seen[0]).isoformat() for seen in observations]
    match target.input:
        case Input.READINGS:
            readings = [{"observed_at": at, "value": seen[1]} for at, seen in zip(times, observations, strict=True)]
            return {"series_id": target.source_id, "readings": readings}
        case Input.POSITIONS:
            fixes = [
                {"observed_at": at, "longitude": seen[1], "latitude": seen[2]}
                for at, seen in zip(times, observations, strict=True)
            ]
            return {"device_id": target.source_id, "fixes": fixes}
        case Input.CONTACTS:
            return {"device_id": target.source_id, "contacts": [{"received_at": at} for at in times]}
        case Input.EVENTS:
            events = [
                {"observed_at": at, "kind": seen[1], "attributes": json.loads(seen[2])}
                for at, seen in zip(times, observations, strict=True)
            ]
            return {"device_id": target.source_id, "events": events}
        case Input.SAMPLES:
            samples = [{"observed_at": at, "values": seen[1]} for at, seen in zip(times, observations, strict=True)]
            others = {"others": list(target.source.others)} if target.source.others else {}
            return {"series_ids": list(target.source.slots), **others, "samples": samples}
        case Input.BUCKETS:
            buckets = [{"until": at, "values": seen[1]} for at, seen in zip(times, observations, strict=True)]
            return {"grid": type(target.rule.condition).__name__, "buckets": buckets}


def farewell(last: Mapping[str, Any], alert: Alert, now: datetime) -> dict[str, object]:
    """Say that an alert is no longer watched, because its rule was changed, disabled or withdrawn.

    Args:
        last: the last message of this alert; it names rule and device as people know them.
    """
    about: dict[str, object] = dict(last.get("alert", {}))
    about["resolved_at"] = _stamp(alert.resolved_at)
    title = str(last.get("headline", "alert")).removeprefix("Earlier: ")
    summary = about.get("summary")
    return {
        "kind": TransitionKind.RESOLVED.value,
        "headline": f"No longer watched: {title}",
        "text": f"{summary}. Its rule was changed or withdrawn on {spoken(now)}; whether it is over is not known.",
        "late": False,
        "alert": about,
    }


def _message(
    target: Target, alert: Alert, transition: Transition, summary: str, now: datetime, news_age: timedelta
) -> dict[str, object]:
    late = now - transition.at > news_age
    headline = f"{target.rule.title}: {target.place.name}"
    return {
        "kind": transition.kind.value,
        "headline": ("Earlier: " if late else "") + _HEADLINES.get(transition.kind, "") + headline,
        "text": " ".join(_sentences(alert, transition, summary, now, late=late)),
        "late": late,
        "alert": {
            "id": str(alert.id),
            "rule": target.rule.id,
            "severity": transition.severity or target.rule.severity.value,
            "organisation": target.place.organisation,
            "site": target.site_slug,
            "device": target.device.external_id if target.device else None,
            "device_name": target.place.name,
            "opened_at": _stamp(alert.opened_at),
            "fired_at": _stamp(alert.fired_at),
            "resolved_at": _stamp(alert.resolved_at),
            "value": alert.value,
            "summary": summary,
            "runbook": target.rule.runbook,
        },
    }


def _sentences(alert: Alert, transition: Transition, summary: str, now: datetime, *, late: bool) -> list[str]:
    sentences: list[str] = []
    if late:
        sentences.append(f"This happened on {spoken(transition.at)} and was recorded on {spoken(now)}: it is history.")
    sentences.append(f"{summary}.")
    match transition.kind:
        case TransitionKind.CORRECTED:
            sentences.append(f"Data that came late changed what was told: {_course(alert)}.")
            sentences.append(f"Before, it was: {_course_before(transition.detail)}.")
        case TransitionKind.RETRACTED:
            sentences.append("Data that came late shows that this did not happen; please disregard it.")
            sentences.append(f"What was told: {_course_before(transition.detail)}.")
        case TransitionKind.RAISED:
            sentences.append(f"It is {transition.severity} since {spoken(transition.at)}; it {_course(alert)}.")
        case _:
            sentences.append(f"It {_course(alert)}.")
    if not late:
        sentences.append(f"Recorded on {spoken(now)}.")
    return sentences


def _course(alert: Alert) -> str:
    return _course_of(spoken(alert.opened_at), spoken(alert.fired_at), spoken(alert.resolved_at))


def _course_before(detail: Mapping[str, str | None]) -> str:
    opened, fired, resolved = (
        spoken(datetime.fromisoformat(text)) if (text := detail.get(f"{name}_before")) else None
        for name in ("opened_at", "fired_at", "resolved_at")
    )
    return _course_of(opened, fired, resolved)


def _course_of(opened: str | None, fired: str | None, resolved: str | None) -> str:
    course = f"began on {opened}"
    if fired is not None and fired != opened:
        course += f", had lasted long enough on {fired}"
    return course + (f", ended on {resolved}" if resolved is not None else ", with no end known")


def _fields(target: Target, alert: Alert) -> dict[str, str | float | None]:
    return {
        "title": target.rule.title,
        "device": target.device.external_id if target.device else None,
        "device_name": target.place.name,
        "organisation": target.place.organisation,
        "site": target.site_slug,
        "metric": target.series.metric if target.series else None,
        "unit": unit_text(target.series.unit) if target.series else None,
        "value": alert.value,
        "opened_at": spoken(alert.opened_at),
        "fired_at": spoken(alert.fired_at),
        "duration": duration_text(time_to_fire(target.rule)),
    }


def _stamp(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat()
