-- What each ingestor says of itself, every few seconds: for operators, never for rules.
CREATE TABLE ingestor (
    -- its MQTT client id
    name text PRIMARY KEY,
    started_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    protocol text NOT NULL,
    shared boolean NOT NULL,
    -- received and not yet acknowledged
    in_flight integer NOT NULL,
    oldest_unacknowledged_at timestamptz,
    -- the newest message of its own that came back through the broker's queue and was committed, and how long that took
    probed_at timestamptz,
    queue_delay_seconds double precision
) WITH (fillfactor = 50);

CREATE TABLE ingestor_source (
    ingestor text NOT NULL REFERENCES ingestor ON DELETE CASCADE,
    -- '': topics that no source takes
    source text NOT NULL,
    -- since the ingestor started
    messages bigint NOT NULL,
    quarantined bigint NOT NULL,
    messages_per_second double precision NOT NULL,
    last_received_at timestamptz NOT NULL,
    -- of the latest message: from the newest time that it tells to its arrival; NULL: it tells none
    lag_seconds double precision,
    PRIMARY KEY (ingestor, source)
) WITH (fillfactor = 50);
