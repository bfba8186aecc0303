"""Alerts: what was raised, was it answered, and which rules are noisy?"""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards import appearance, columns, frame, links, variables
from dashboards.panels import Column, Panel, bars, figure, figures, log, rows

_FILE = "alerts"


def build() -> Dashboard:
    """Build it: counts, time to answer, when they fired, noise by rule, the list and its log."""
    head = frame.Frame(
        uid=links.ALERTS,
        title="Alerts",
        question="What was raised, was it answered, and which rules are noisy?",
        level="operations",
        since="now-7d",
    )
    return (
        head.build()
        .with_variable(variables.organisation())
        .with_variable(variables.severity())
        .with_panel(figures(_STATES, "none", name="state", value="alerts", colours=appearance.ALERT_STATE_COLOURS))
        .with_panel(figure(_WAITING, "none", [(1, "#ff9830"), (10, "#c4162a")]))
        .with_panel(figure(_ANSWER, "dtdurations", [(1800, "#ff9830"), (7200, "#c4162a")]))
        .with_panel(bars(_FIRED, "none", label="severity", colours=appearance.SEVERITY_COLOURS))
        .with_panel(rows(_RULES, _RULE_COLUMNS))
        .with_panel(rows(_LIST, _LIST_COLUMNS))
        .with_panel(log(_TRANSITIONS))
    )


_STATES = Panel(
    dashboard=_FILE,
    query="states",
    title="Alerts",
    description="Alerts that overlap the chosen time, by state. Retracted: data that came late showed that it never"
    " was.",
    width=12,
    height=5,
)
_WAITING = Panel(
    dashboard=_FILE,
    query="waiting",
    title="Waiting for somebody",
    description="Firing alerts that nobody has acknowledged, whatever the chosen time.",
    width=6,
    height=5,
)
_ANSWER = Panel(
    dashboard=_FILE,
    query="answer",
    title="Time to acknowledge",
    description="Half of the acknowledged alerts were answered within this time of being recorded.",
    width=6,
    height=5,
)
_FIRED = Panel(
    dashboard=_FILE,
    query="fired",
    title="When they fired",
    description="Alerts by the time when their condition was met (the devices' time, not when we heard of it).",
)
_RULES = Panel(
    dashboard=_FILE,
    query="rules",
    title="By rule",
    description="How often each rule fired and how often it was taken back. Many alerts of few devices ask for a"
    " repair, of many devices for a better rule.",
)
_RULE_COLUMNS = (
    Column(name="rule", title="Rule"),
    Column(name="alerts", title="Alerts", unit="none", width=90),
    Column(name="retracted", title="Taken back", unit="none", width=100),
    Column(name="devices", title="Devices", unit="none", width=90),
)
_LIST = Panel(
    dashboard=_FILE,
    query="list",
    title="List",
    description="Every alert that overlaps the chosen time. Late: recorded long after its time, told as history.",
    width=24,
    height=11,
)
_LIST_COLUMNS = (
    columns.SEVERITY,
    columns.ALERT_STATE,
    columns.OPENED,
    columns.FIRED,
    columns.RESOLVED,
    Column(name="late", title="Late", width=70),
    columns.RULE,
    columns.DEVICE,
    Column(name="site_name", title="Site"),
    Column(name="value", title="Value", unit="none", width=90),
    columns.SUMMARY,
    columns.ACKNOWLEDGED,
    columns.HIDDEN_DEVICE,
)
_TRANSITIONS = Panel(
    dashboard=_FILE,
    query="transitions",
    title="What happened to them",
    description="Each change of each alert as it was recorded, newest first, with who made it.",
    width=24,
    height=10,
)
