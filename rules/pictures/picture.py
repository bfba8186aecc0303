"""A rule-test file as a picture: for each test what was observed, the limits, and the alerts, on one axis of time."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from textwrap import wrap

from rules.pictures import ink
from rules.pictures.axes import Axis, round_times
from rules.pictures.charts import Map
from rules.pictures.kinds import parts_of
from rules.pictures.plot import Frame, draw_chart, draw_map
from rules.rule_tests import ExpectedAlert, RuleTest
from veldwatch.wire.durations import format_duration

_WIDTH, _LEFT, _RIGHT = 760, 72, 20
_CHART, _MAP, _BETWEEN, _AXIS = 130, 250, 34, 26
_LANE, _LINE, _LEGEND, _END = 40, 18, 40, 18
_LETTERS = 88
"""Of a test's name in a line."""
_MOST_TOLD = 6
"""Alerts of a test whose times are written out."""


def draw(tests: Sequence[RuleTest]) -> str:
    """Draw the tests of a file, one below the other."""
    marks: list[str] = []
    top = 0.0
    for test in tests:
        top = _draw_test(test, top, marks)
    marks += _legend(top + 24)
    title = "; ".join(test.name for test in tests)
    return ink.sheet(_WIDTH, round(top + _LEGEND), title, marks)


def _draw_test(test: RuleTest, top: float, marks: list[str]) -> float:
    """Add a test's marks; give the pixel where it ends."""
    seconds = test.until.total_seconds()
    time = Axis(low=0.0, high=seconds, start=_LEFT, end=_WIDTH - _RIGHT)
    alerts = test.found()
    held = [_held(alert, seconds) for alert in alerts]
    top += 28
    for words in wrap(test.name, _LETTERS):
        marks.append(ink.text((24, top), words, size=14))
        top += _LINE
    top += _BETWEEN - 14
    for part in parts_of(test):
        if isinstance(part, Map):
            frame = Frame(time=time, top=top, bottom=top + _MAP)
            marks += draw_map(part, frame, held)
        else:
            frame = Frame(time=time, top=top, bottom=top + _CHART)
            marks += _guides(alerts, frame)
            marks += draw_chart(part, frame, held)
        top = frame.bottom + _BETWEEN
    marks += _lane(alerts, Frame(time=time, top=top - 14, bottom=top - 14 + _LANE))
    top += _LANE - 14
    marks += _time_axis(test.until, Frame(time=time, top=top, bottom=top))
    top += _AXIS
    told = [_told(alert) for alert in alerts[:_MOST_TOLD]] or ["no alert"]
    for words in told:
        marks.append(ink.text((_LEFT, top + 12), words, ink="faint"))
        top += _LINE
    return top + _END


def _time_axis(until: timedelta, frame: Frame) -> Iterator[str]:
    yield ink.line([(frame.left, frame.bottom), (frame.right, frame.bottom)], ink="faint")
    for moment in round_times(until.total_seconds()):
        x = frame.time.place(moment.total_seconds())
        yield ink.line([(x, frame.bottom), (x, frame.bottom + 4)], ink="faint")
        words = format_duration(moment) if moment else "0"
        yield ink.text((x, frame.bottom + 17), words, ink="faint", size=11, anchor="middle")


def _guides(alerts: Sequence[ExpectedAlert], frame: Frame) -> Iterator[str]:
    """Shade the time in which alerts held, lightly before they fired."""
    for alert in alerts:
        for since, until, opacity in _stages(alert, frame):
            size = (max(until - since, 0.8), frame.bottom - frame.top)
            yield ink.box((since, frame.top), size, ink="alarm", opacity=opacity / 6)


def _lane(alerts: Sequence[ExpectedAlert], frame: Frame) -> Iterator[str]:
    middle = (frame.top + frame.bottom) / 2
    yield ink.text((frame.left - 8, middle + 4), "alert", ink="faint", size=11, anchor="end")
    for alert in alerts:
        for since, until, opacity in _stages(alert, frame):
            yield ink.box((since, middle - 6), (max(until - since, 1.0), 12), ink="alarm", opacity=opacity)
    for alert in alerts:
        opened, fired, resolved = (
            None if moment is None else (frame.time.place(moment.total_seconds()), middle)
            for moment in (alert.opened_at, alert.fired_at, alert.resolved_at)
        )
        if resolved is not None:
            yield ink.square(resolved, ink="over")
        if opened is not None:
            yield ink.dot(opened, ink="paper", radius=5)
            yield ink.ring(opened, ink="ink", radius=5)
        if fired is not None:
            yield ink.triangle(fired, ink="ink")


def _stages(alert: ExpectedAlert, frame: Frame) -> Iterator[tuple[float, float, float]]:
    """Give (from pixel, to pixel, opacity) of an alert while it was pending and while it fired."""
    place = frame.time.place
    opened = place(alert.opened_at.total_seconds())
    end = frame.right if alert.resolved_at is None else place(alert.resolved_at.total_seconds())
    fired = end if alert.fired_at is None else min(place(alert.fired_at.total_seconds()), end)
    yield opened, fired, 0.35
    if fired < end:
        yield fired, end, 0.9


def _held(alert: ExpectedAlert, seconds: float) -> tuple[float, float]:
    end = seconds if alert.resolved_at is None else alert.resolved_at.total_seconds()
    return alert.opened_at.total_seconds(), end


def _told(alert: ExpectedAlert) -> str:
    named = (("opened", alert.opened_at), ("fired", alert.fired_at), ("resolved", alert.resolved_at))
    known = [f"{name} at {_written(moment)}" for name, moment in named if moment is not None]
    missing = ["pending"] if alert.fired_at is None else ["holds still"] if alert.resolved_at is None else []
    return ", ".join(known + missing)


def _written(moment: timedelta) -> str:
    return format_duration(moment) if moment else "0"


def _legend(y: float) -> Iterator[str]:
    yield ink.dot((31, y - 4), ink="paper", radius=5)
    yield ink.ring((31, y - 4), ink="ink", radius=5)
    yield ink.text((44, y), "opened", ink="faint", size=11)
    yield ink.triangle((108, y - 4), ink="ink")
    yield ink.text((120, y), "fired", ink="faint", size=11)
    yield ink.square((172, y - 4), ink="over")
    yield ink.text((184, y), "resolved", ink="faint", size=11)
    yield ink.box((250, y - 10), (28, 12), ink="alarm", opacity=0.35)
    yield ink.text((286, y), "before it fired", ink="faint", size=11)
    yield ink.box((380, y - 10), (28, 12), ink="alarm", opacity=0.9)
    yield ink.text((416, y), "firing", ink="faint", size=11)
