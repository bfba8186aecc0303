"""What ingest tells Prometheus."""

from prometheus_client import Counter, Gauge, Histogram

MESSAGES = Counter("veldwatch_ingest_messages_total", "Messages taken from the broker and settled")
READINGS = Counter("veldwatch_ingest_readings_total", "Readings that were new and stored")
POSITIONS = Counter("veldwatch_ingest_positions_total", "Fixes that were new and stored")
EVENTS = Counter("veldwatch_ingest_events_total", "Events that were new and stored")
QUARANTINED = Counter("veldwatch_ingest_quarantined_total", "Messages or parts of one in quarantine", ["reason"])
UNDATED = Counter(
    "veldwatch_ingest_retained_undated_total", "Values and events of retained messages that say no time, not stored"
)
REPLAYED = Counter("veldwatch_ingest_replayed_total", "Quarantined messages taken in again", ["outcome"])
RETRIES = Counter("veldwatch_ingest_retries_total", "Batches tried again", ["reason"])
BATCH_SECONDS = Histogram(
    "veldwatch_ingest_batch_seconds",
    "From the first message of a batch at hand to its commit",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
IN_FLIGHT = Gauge("veldwatch_ingest_in_flight_messages", "Messages received and not yet acknowledged")
CONNECTED = Gauge("veldwatch_ingest_broker_connected", "1 while there is a session with the broker")
