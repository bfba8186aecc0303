"""Pipeline: does Veldwatch itself keep up, from message to notification?"""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards import appearance, frame, links
from dashboards.panels import Column, Panel, bars, columns_of, figure, figures, rows

_FILE = "pipeline"


def build() -> Dashboard:
    """Build it: traffic, delay, errors and saturation of intake, then messages to people."""
    head = frame.Frame(
        uid=links.PIPELINE,
        title="Pipeline",
        question="Does Veldwatch itself keep up, from message to notification?",
        level="operations",
        since="now-24h",
        timezone="utc",
    )
    return (
        head.build()
        .with_panel(columns_of(_MESSAGES, "mps"))
        .with_panel(columns_of(_LOG, "ops"))
        .with_panel(columns_of(_DELAY, "s"))
        .with_panel(rows(_CONSUMERS, _CONSUMER_COLUMNS))
        .with_panel(bars(_QUARANTINE, "none", label="reason"))
        .with_panel(rows(_QUARANTINED, _QUARANTINED_COLUMNS))
        .with_panel(figures(_OUTBOX, "none", name="state", value="messages", colours=appearance.OUTBOX_STATE_COLOURS))
        .with_panel(figure(_OLDEST, "dtdurations", [(60, "#ff9830"), (600, "#c4162a")]))
        .with_panel(bars(_ATTEMPTS, "none", label="outcome"))
    )


_MESSAGES = Panel(
    dashboard=_FILE,
    query="messages",
    title="Messages stored",
    description="Messages a second that were committed, of large fleets told by every n-th device, of busy ones"
    " in some stretches of time. Falls to nothing when the broker or intake is away.",
)
_LOG = Panel(
    dashboard=_FILE,
    query="log",
    title="Commits",
    description="Committed writes a second, as the log keeps them (for hours). Few large ones are better than many"
    " small.",
)
_DELAY = Panel(
    dashboard=_FILE,
    query="delay",
    title="Delay",
    description="From the newest observation of a contact to its arrival: median, 95 % and longest. Devices that store"
    " and forward lengthen it; so does an intake that lags. Of large fleets every n-th device is looked at, of busy"
    " ones some stretches of time.",
)
_CONSUMERS = Panel(
    dashboard=_FILE,
    query="consumers",
    title="Readers of the log",
    description="How far rules, rollups and streams are behind: batches, and the age of the oldest that they have"
    " not read.",
)
_CONSUMER_COLUMNS = (
    Column(name="consumer", title="Reader"),
    Column(name="batches_behind", title="Batches behind", unit="none"),
    Column(name="seconds_behind", title="Behind", unit="dtdurations"),
    Column(name="updated_at", title="Last commit", unit="dateTimeFromNow"),
)
_QUARANTINE = Panel(
    dashboard=_FILE,
    query="quarantine",
    title="Quarantine",
    description="Different messages that could not be stored, by reason. A new reason is a new format or a broken"
    " device.",
)
_QUARANTINED = Panel(
    dashboard=_FILE,
    query="quarantined",
    title="Newest in quarantine",
    description="What could not be stored and why; the console shows the bytes and can replay them.",
)
_QUARANTINED_COLUMNS = (
    Column(name="last_received_at", title="Last received", unit="dateTimeAsIso", width=170),
    Column(name="reason", title="Reason", width=160),
    Column(name="source", title="Source", width=110),
    Column(name="topic", title="Topic"),
    Column(name="detail", title="What is wrong"),
    Column(name="count", title="Times", unit="none", width=70),
    Column(name="replayed_at", title="Replayed", unit="dateTimeAsIso", width=170),
)
_OUTBOX = Panel(
    dashboard=_FILE,
    query="outbox",
    title="Messages to people",
    description="Messages of the chosen time by state. Suppressed ones carry a reason in the console.",
    width=9,
    height=6,
)
_OLDEST = Panel(
    dashboard=_FILE,
    query="oldest_message",
    title="Oldest waiting message",
    description="How long the oldest message that is not delivered has waited.",
    width=5,
    height=6,
)
_ATTEMPTS = Panel(
    dashboard=_FILE,
    query="attempts",
    title="Attempts to deliver",
    description="Attempts by outcome. Temporary failures are tried again with growing pauses.",
    width=10,
    height=6,
)
