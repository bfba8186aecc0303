"""Storage: how much room does the data take, does its upkeep go well, how long will the disk last?"""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards import appearance, frame, links
from dashboards.panels import Column, Panel, columns_of, figure, rows

_FILE = "storage"


def build() -> Dashboard:
    """Build it: the whole and what a reading takes, then tables, growth by week, upkeep, and parts."""
    head = frame.Frame(
        uid=links.STORAGE,
        title="Storage",
        question="How much room does the data take, and does its upkeep go well?",
        level="operations",
        since="now-90d",
        timezone="utc",
    )
    return (
        head.build()
        .with_panel(figure(_TOTAL, "bytes", []))
        .with_panel(figure(_PER_READING, "bytes", []))
        .with_panel(figure(_COMPRESSED, "percentunit", []))
        .with_panel(figure(_LATEST, "dtdurations", [(900, "#ff9830"), (7200, "#c4162a")]))
        .with_panel(columns_of(_GROWTH, "bytes"))
        .with_panel(rows(_UPKEEP, _UPKEEP_COLUMNS))
        .with_panel(rows(_DIVIDED, _DIVIDED_COLUMNS))
        .with_panel(rows(_WHOLE, _WHOLE_COLUMNS))
    )


_TOTAL = Panel(
    dashboard=_FILE,
    query="total",
    title="Database",
    description="All tables and indexes of this database, without the server's own files.",
    width=6,
    height=5,
)
_PER_READING = Panel(
    dashboard=_FILE,
    query="bytes_per_reading",
    title="A reading takes",
    description="Room of raw readings with their index, divided by their number as the server estimates it.",
    width=6,
    height=5,
)
_COMPRESSED = Panel(
    dashboard=_FILE,
    query="compressed",
    title="Readings compressed",
    description="Share of the raw readings that lie in compressed chunks. None on a server without columnstore.",
    width=6,
    height=5,
)
_LATEST = Panel(
    dashboard=_FILE,
    query="latest_work",
    title="Upkeep late by",
    description="How long the upkeep that is latest has waited: rollups, consumption, compression.",
    width=6,
    height=5,
)
_GROWTH = Panel(
    dashboard=_FILE,
    query="growth",
    title="Raw telemetry by its own time",
    description="Room of the months or chunks of readings, positions, events and contacts, where each begins. A step"
    " down is compression, or a fleet that went silent.",
    height=9,
)
_UPKEEP = Panel(
    dashboard=_FILE,
    query="upkeep",
    title="Upkeep",
    description="What keeps rollups, consumption and columnstore in order: late by more than a quarter of an hour, or"
    " failing, somebody should look.",
    height=9,
)
_UPKEEP_COLUMNS = (
    Column(name="work", title="Work"),
    Column(name="state", title="State", words=appearance.UPKEEP_STATE_COLOURS, width=100),
    Column(name="last_success_at", title="Last done", unit="dateTimeFromNow"),
    Column(name="late_seconds", title="Late by", unit="dtdurations"),
    Column(name="failures", title="Failures", unit="none", width=90),
)
_DIVIDED = Panel(
    dashboard=_FILE,
    query="divided",
    title="Telemetry and rollups",
    description="Tables that time divides. Rows are estimated; bytes a row are with indexes, compressed ones beside.",
    width=15,
    height=9,
)
_DIVIDED_COLUMNS = (
    Column(name="table_name", title="Table"),
    Column(name="rows", title="Rows", unit="short"),
    Column(name="bytes", title="Size", unit="bytes"),
    Column(name="bytes_per_row", title="Bytes a row", unit="bytes"),
    Column(name="compressed_bytes_per_row", title="Compressed", unit="bytes"),
    Column(name="parts", title="Parts", unit="none", width=70),
    Column(name="began", title="From", unit="dateTimeAsIso", width=170),
    Column(name="ended", title="To", unit="dateTimeAsIso", width=170),
)
_WHOLE = Panel(
    dashboard=_FILE,
    query="whole",
    title="Other tables",
    description="The largest of the tables that time does not divide. A log that grows has a reader that stands still.",
    width=9,
    height=9,
)
_WHOLE_COLUMNS = (
    Column(name="table_name", title="Table"),
    Column(name="rows", title="Rows", unit="short"),
    Column(name="bytes", title="Size", unit="bytes"),
)
