-- Silence counts only while somebody listens: when that was is stored too, so that alerts follow from stored data alone.
CREATE TABLE watch (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- who listened: an ingestor's MQTT client id
    ingestor text NOT NULL,
    began_at timestamptz NOT NULL,
    -- listened without a break until here; the newest span of an ingestor that listens grows every few seconds
    seen_at timestamptz NOT NULL,
    CHECK (seen_at >= began_at)
) WITH (fillfactor = 50);
CREATE INDEX watch_ingestor ON watch (ingestor, id DESC);
