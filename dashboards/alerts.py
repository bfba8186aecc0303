"""Alerts and incidents: what holds, what caused it, was somebody told, was it answered, which rules are loud?"""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards import appearance, columns, datasource, frame, links, variables
from dashboards.panels import Column, Panel, bars, figure, figures, lines, log, rows, section

_FILE = "alerts"


def build() -> Dashboard:
    """Build it: counts, incidents with their causes, answers, who was told, loud rules, the list and its log."""
    head = frame.Frame(
        uid=links.ALERTS,
        title="Alerts and incidents",
        question="What holds, what caused it, was somebody told, was it answered, and which rules are loud?",
        level="operations",
        since="now-7d",
    )
    return (
        head.build()
        .with_variable(variables.organisation())
        .with_variable(variables.severity())
        .with_panel(figures(_OPEN, "none", name="severity", value="alerts", colours=appearance.SEVERITY_COLOURS))
        .with_panel(figure(_OPEN_INCIDENTS, "none", [(1, "#ff9830")]))
        .with_panel(figure(_WAITING, "none", [(1, "#ff9830"), (10, "#c4162a")]))
        .with_panel(figure(_OLDEST, "dtdurations", [(1800, "#ff9830"), (7200, "#c4162a")]))
        .with_panel(rows(_INCIDENTS, _INCIDENT_COLUMNS))
        .with_row(section("Over time"))
        .with_panel(bars(_FIRED, "none", label="severity", colours=appearance.SEVERITY_COLOURS))
        .with_panel(lines(_HELD, "none", label="severity", colours=appearance.SEVERITY_COLOURS).decimals(0))
        .with_row(section("Answers"))
        .with_panel(rows(_ANSWER, _ANSWER_COLUMNS))
        .with_panel(rows(_TOLD, _TOLD_COLUMNS))
        .with_panel(rows(_RULES, _RULE_COLUMNS))
        .with_row(section("Every one of them"))
        .with_panel(rows(_LIST, _LIST_COLUMNS))
        .with_panel(log(_TRANSITIONS))
    )


_OPEN = Panel(
    dashboard=datasource.SHARED,
    query="firing",
    terms={"severities": "${severity:sqlstring}"},
    title="Firing alerts",
    description="Alerts whose condition holds now, by severity, acknowledged or not, whatever the chosen time.",
    width=12,
    height=4,
)
_OPEN_INCIDENTS = Panel(
    dashboard=_FILE,
    query="open_incidents",
    title="Open incidents",
    description="What the alerts that hold come down to: alerts of one cause are one incident.",
    width=4,
    height=4,
)
_WAITING = Panel(
    dashboard=_FILE,
    query="waiting",
    title="Waiting for somebody",
    description="Firing alerts that nobody has acknowledged and nothing else explains, whatever the chosen time.",
    width=4,
    height=4,
)
_OLDEST = Panel(
    dashboard=_FILE,
    query="oldest",
    title="Oldest of them",
    description="How long the oldest alert that waits for somebody has been known.",
    width=4,
    height=4,
)
_INCIDENTS = Panel(
    dashboard=_FILE,
    query="incidents",
    title="Incidents",
    description="Incidents that overlap the chosen time, open ones first, then the worst: what caused them, how many"
    " alerts they gather, and how many customers they concern, where the register knows.",
    width=24,
    height=12,
)
_INCIDENT_COLUMNS = (
    columns.SEVERITY,
    columns.INCIDENT_STATE,
    columns.OPENED,
    Column(name="lasted", title="Lasted", unit="dtdurations", width=120),
    Column(name="cause", title="Cause"),
    columns.DEVICE,
    columns.SITE,
    Column(name="alerts", title="Alerts", unit="none", width=80),
    Column(name="customers", title="Customers", unit="none", width=100),
    Column(name="acknowledged_by", title="Taken up by", width=110),
    Column(name="resolved_at", title="Ended", hidden=True),
    columns.HIDDEN_DEVICE,
    columns.HIDDEN_SITE,
    columns.HIDDEN_ORGANISATION,
)
_FIRED = Panel(
    dashboard=_FILE,
    query="fired",
    title="When they fired",
    description="Alerts by the time when their condition was met (the devices' time, not when we heard of it).",
)
_HELD = Panel(
    dashboard=datasource.SHARED,
    query="held",
    terms={"severities": "${severity:sqlstring}", "least": "3600000"},
    title="How many held at once",
    description="Alerts that held at each time, by severity. A level that only rises is a backlog.",
)
_ANSWER = Panel(
    dashboard=_FILE,
    query="answer",
    title="Time to answer",
    description="Of the alerts that fired in the chosen time and that nothing else explains: how long until somebody"
    " acknowledged them, from when they were recorded, and until they ended; of half of them, and of nine in ten.",
    height=7,
)
_ANSWER_COLUMNS = (
    columns.SEVERITY,
    Column(name="alerts", title="Alerts", unit="none", width=75),
    Column(name="acknowledged", title="Taken up", unit="none", width=85),
    Column(name="acknowledge_median", title="Half in", unit="dtdurations"),
    Column(name="acknowledge_p90", title="9 in 10 in", unit="dtdurations"),
    Column(name="resolve_median", title="Half ended in", unit="dtdurations"),
    Column(name="resolve_p90", title="9 in 10 in ", unit="dtdurations"),
)
_TOLD = Panel(
    dashboard=_FILE,
    query="told",
    title="Who was told",
    description="Messages of the chosen time by receiver: delivered, waiting, failed, and not sent for a reason"
    " (explained, grouped, silenced, too mild); how long half of the delivered ones took.",
    height=7,
)
_TOLD_COLUMNS = (
    Column(name="receiver", title="Receiver"),
    Column(name="channel", title="Channel", width=90),
    Column(name="delivered", title="Delivered", unit="none", width=90),
    Column(name="waiting", title="Waiting", unit="none", width=80),
    Column(name="failed", title="Failed", unit="none", width=75, limits=((1, "#c4162a"),)),
    Column(name="suppressed", title="Not sent", unit="none", width=85),
    Column(name="seconds", title="Took", unit="dtdurations", width=90),
    Column(name="last_at", title="Last", unit="dateTimeFromNow", width=120),
)
_RULES = Panel(
    dashboard=_FILE,
    query="rules",
    title="Loudest rules",
    description="How often each rule fired, on how many devices, how much of it something else explains, how often"
    " late data took it back and people called it a false alarm. Many alerts of few devices ask for a repair, of"
    " many devices for a better rule.",
    width=24,
    height=10,
)
_RULE_COLUMNS = (
    Column(name="rule", title="Rule"),
    Column(name="alerts", title="Alerts", unit="none", width=110),
    Column(name="devices", title="Devices", unit="none", width=110),
    Column(name="explained", title="Explained", unit="percent", decimals=0, full=100, width=220),
    Column(name="retracted", title="Taken back", unit="none", width=120),
    Column(name="false_alarms", title="False alarms", unit="none", width=120),
)
_LIST = Panel(
    dashboard=_FILE,
    query="list",
    title="List",
    description="Every alert that overlaps the chosen time, those that hold first. Late: recorded long after its"
    " time, told as history.",
    width=24,
    height=11,
)
_LIST_COLUMNS = (
    columns.SEVERITY,
    columns.ALERT_STATE,
    columns.OPENED,
    Column(name="fired_at", title="Condition met", hidden=True),
    Column(name="resolved_at", title="Ended", unit="dateTimeAsIso", width=160),
    Column(name="late", title="Late", width=70),
    columns.RULE,
    columns.DEVICE,
    Column(name="site_name", title="Site", hidden=True),
    columns.SUMMARY,
    columns.ACKNOWLEDGED,
    columns.HIDDEN_DEVICE,
    columns.HIDDEN_SITE,
    columns.HIDDEN_ORGANISATION,
)
_TRANSITIONS = Panel(
    dashboard=_FILE,
    query="transitions",
    title="What happened to them",
    description="Each change of each alert as it was recorded, newest first, with who made it.",
    width=24,
    height=10,
)
