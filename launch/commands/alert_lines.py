"""Alerts and incidents as lines for a terminal, and as the JSON that the HTTP API gives."""

import json
from collections.abc import Iterator

from pydantic import BaseModel

from veldwatch.command_line import shown
from veldwatch.model.impact import spoken_impact
from veldwatch.storage.impacts import estimate_of
from veldwatch.storage.pool import Row

SHORT = 8
"""Digits of an id that lines show; they name it as well as all do, where no other begins so."""


def as_json(model: type[BaseModel], row: Row) -> str:
    """Give one object as the API would."""
    return json.dumps(_dump(model, row), indent=2, ensure_ascii=False)


def page_as_json(model: type[BaseModel], rows: list[Row], *, more: bool) -> str:
    """Give a list as one object: `items`, and whether there are `more`."""
    return json.dumps({"items": [_dump(model, row) for row in rows], "more": more}, indent=2, ensure_ascii=False)


def alert_line(row: Row) -> str:
    """Say an alert in a line: id, severity, state, since when, where, what, whose."""
    place = row["device_name"] or row["site"] or row["organisation"]
    parts = [_id(row), row["severity"], state_of(row), shown(row["opened_at"]), f"{place}: {row['summary']}"]
    return "\t".join([*parts, *_marks(row)])


def alert_story(row: Row) -> Iterator[str]:
    """Tell an alert with what became of it and who was told, oldest first."""
    place = " / ".join(part for part in (row["organisation"], row["site"], row["device"]) if part)
    yield f"alert {row['id']}"
    yield f"{row['severity']}  {state_of(row)}  {row['rule_title']} ({row['rule']} version {row['rule_version']})"
    yield row["summary"]
    yield f"where      {place}{_name(row)}"
    yield f"held       {_stretch(row)}"
    yield from _impact(row)
    if row["explained_by_title"]:
        yield f"explained  {row['explained_by_title']}"
    if row["explains"]:
        yield f"explains   {row['explains']} alerts"
    if row["incident_id"]:
        yield f"incident   {row['incident_id']}"
    yield from (f"work       {mark}" for mark in _marks(row))
    yield from (f"  {shown(step['at'])}  {step['kind']}  {step['author']}" for step in row["transitions"])
    yield from (f"  {shown(word['created_at'])}  {word['author']}: {word['body']}" for word in row["comments"])
    for told in row["notifications"]:
        why = f" ({told['reason']})" if told["reason"] else ""
        yield f"  {shown(told['created_at'])}  {told['kind']} to {told['receiver']}: {told['state']}{why}"


def incident_line(row: Row) -> str:
    """Say an incident in a line: id, severity, state, since when, what, of how many alerts, whose."""
    parts = [_id(row), row["severity"], row["state"], shown(row["opened_at"]), row["title"]]
    parts.append(f"{row['open_alerts']} of {row['alerts']} alerts open")
    spoken = spoken_impact(estimate_of(row))
    return "\t".join([*parts, *([spoken] if spoken else []), *_work(row)])


def incident_story(row: Row) -> Iterator[str]:
    """Tell an incident with what people did and what became of its alerts, oldest first."""
    yield f"incident {row['id']}"
    yield f"{row['severity']}  {row['state']}{'  planned' if row['is_planned'] else ''}  {row['title']}"
    where = ", ".join([*row["organisations"], *([row["site_name"] or row["site"]] if row["site"] else [])])
    yield f"where      {where}"
    yield f"held       {_stretch(row)}"
    counts = f"{row['alerts']}, {row['open_alerts']} open, {row['acknowledged_alerts']} acknowledged"
    yield f"alerts     {counts}, of {row['devices']} devices"
    yield from _impact(row)
    yield from (f"work       {part}" for part in _work(row))
    for entry in row["entries"]:
        other = entry["alert_id"] or entry["other_id"]
        body = f": {entry['body']}" if entry["body"] else f" {str(other)[:SHORT]}" if other else ""
        yield f"  {shown(entry['at'])}  {entry['kind']}  {entry['author']}{body}"
    for step in row["course"]:
        times = f" x {step['count']}" if step["count"] > 1 else ""
        yield f"  {shown(step['at'])}  {step['kind']}{times}  {step['title']}"


def state_of(row: Row) -> str:
    """Say an alert's state, and a person's verdict where there is one."""
    return f"{row['state']} ({row['resolution']})" if row["resolution"] else row["state"]


def _dump(model: type[BaseModel], row: Row) -> object:
    return model.model_validate(row).model_dump(mode="json")


def _id(row: Row) -> str:
    return str(row["id"])[:SHORT]


def _name(row: Row) -> str:
    return f" ({row['device_name']})" if row["device_name"] else ""


def _stretch(row: Row) -> str:
    end = shown(row["resolved_at"]) if row["resolved_at"] else "now"
    return f"{shown(row['opened_at'])} to {end}"


def _impact(row: Row) -> Iterator[str]:
    spoken = spoken_impact(estimate_of(row))
    if spoken:
        yield f"impact     {spoken}"


def _marks(row: Row) -> list[str]:
    marks = [f"taken by {row['acknowledged_by']}"] if row["acknowledged_by"] else []
    marks += [f"assigned to {row['assigned_to']}"] if row["assigned_to"] else []
    marks += [f"resolved by {row['resolved_by']}"] if row["resolved_by"] else []
    return marks


def _work(row: Row) -> list[str]:
    work = [f"assigned to {row['assigned_to']}"] if row["assigned_to"] else []
    return [*work, *([f"resolved by {row['resolved_by']}"] if row["resolved_by"] else [])]
