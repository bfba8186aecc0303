-- What devices said, raw and immutable; readers use the views, writers the *_raw tables.
-- received_at is kept as a delay in whole seconds: 0.8 against 4.8 bytes a row once compressed.
CREATE TABLE reading_raw (
    observed_at timestamptz NOT NULL,
    series_id integer NOT NULL,
    delay_seconds integer NOT NULL,
    quality smallint NOT NULL DEFAULT 0,
    value double precision NOT NULL,
    CHECK (value > '-Infinity' AND value < 'Infinity'),
    PRIMARY KEY (series_id, observed_at)
) /*partition:observed_at*/;

CREATE TABLE position_raw (
    observed_at timestamptz NOT NULL,
    device_id integer NOT NULL,
    delay_seconds integer NOT NULL,
    quality smallint NOT NULL DEFAULT 0,
    longitude double precision NOT NULL CHECK (longitude BETWEEN -180 AND 180),
    latitude double precision NOT NULL CHECK (latitude BETWEEN -90 AND 90),
    altitude real,
    accuracy real,
    speed real,
    heading real,
    PRIMARY KEY (device_id, observed_at)
) /*partition:observed_at*/;

CREATE TABLE event_raw (
    observed_at timestamptz NOT NULL,
    device_id integer NOT NULL,
    kind text NOT NULL,
    -- first 16 bytes of sha256 over kind and attributes: the same event twice is one row
    digest bytea NOT NULL,
    delay_seconds integer NOT NULL,
    attributes jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (device_id, observed_at, digest)
) /*partition:observed_at*/;

-- When a device was heard: one row per device and committed batch. Silence is folded over it.
CREATE TABLE contact (
    received_at timestamptz NOT NULL,
    device_id integer NOT NULL,
    messages integer NOT NULL,
    first_observed_at timestamptz,
    last_observed_at timestamptz,
    -- false: the broker published the device's last will
    online boolean NOT NULL DEFAULT true,
    PRIMARY KEY (device_id, received_at)
) /*partition:received_at*/;

CREATE TABLE quarantine (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- sha256 over topic, payload and reason: a message delivered again is counted, not repeated
    digest bytea NOT NULL UNIQUE,
    received_at timestamptz NOT NULL,
    last_received_at timestamptz NOT NULL,
    count integer NOT NULL DEFAULT 1,
    source text NOT NULL,
    topic text NOT NULL,
    payload bytea NOT NULL,
    reason text NOT NULL,
    detail text NOT NULL,
    replayed_at timestamptz
);
CREATE INDEX quarantine_reason ON quarantine (reason, id);

-- A correction or estimate beside the raw value, never over it.
CREATE TABLE validated_reading (
    series_id integer NOT NULL REFERENCES series,
    observed_at timestamptz NOT NULL,
    version integer NOT NULL DEFAULT 1,
    value double precision NOT NULL,
    method text NOT NULL,
    rule text,
    author text NOT NULL,
    reason text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (series_id, observed_at, version)
);

-- The log: one row per committed write, read in commit order by any number of consumers.
CREATE TABLE batch (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    committed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- see veldwatch/storage/log.py for the binary form
    content bytea NOT NULL
);
ALTER TABLE batch ALTER COLUMN content SET STORAGE EXTERNAL;
CREATE INDEX batch_order ON batch (xid, id);

CREATE TABLE log_cursor (
    consumer text PRIMARY KEY,
    xid xid8 NOT NULL,
    id bigint NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE VIEW reading AS
SELECT r.observed_at, r.series_id, r.value, r.quality,
       r.observed_at + make_interval(secs => r.delay_seconds) AS received_at
FROM reading_raw r;

CREATE VIEW position AS
SELECT p.observed_at, p.device_id, p.longitude, p.latitude, p.altitude, p.accuracy, p.speed, p.heading, p.quality,
       p.observed_at + make_interval(secs => p.delay_seconds) AS received_at
FROM position_raw p;

CREATE VIEW event AS
SELECT e.observed_at, e.device_id, e.kind, e.attributes, encode(e.digest, 'hex') AS digest,
       e.observed_at + make_interval(secs => e.delay_seconds) AS received_at
FROM event_raw e;
