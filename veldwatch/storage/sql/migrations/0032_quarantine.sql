-- Quarantine is worked off: messages are replayed through intake or discarded, with who, when and what came of it; and it has an end.
CREATE TABLE quarantine_replay (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    requested_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    requested_by text NOT NULL,
    -- slug that the asker may see alone; NULL: all
    organisation text,
    selection jsonb NOT NULL,
    asked integer NOT NULL DEFAULT 0,
    -- were selected too, and cannot be replayed: cut, or of a file
    left_out integer NOT NULL DEFAULT 0,
    stored integer NOT NULL DEFAULT 0,
    failed integer NOT NULL DEFAULT 0,
    cancelled integer NOT NULL DEFAULT 0,
    cancelled_at timestamptz,
    cancelled_by text,
    finished_at timestamptz,
    CHECK (stored + failed + cancelled <= asked),
    CHECK ((cancelled_at IS NULL) = (cancelled_by IS NULL))
);

CREATE TABLE quarantine_discard (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    author text NOT NULL,
    reason text NOT NULL CHECK (reason <> ''),
    organisation text,
    selection jsonb NOT NULL,
    discarded integer NOT NULL DEFAULT 0
);

ALTER TABLE quarantine RENAME COLUMN replayed_at TO settled_at;
ALTER TABLE quarantine
    -- open: waits for somebody; stored: a replay took it in; discarded: somebody gave it up; merged: it fails for another
    -- reason now, under which it has a row already
    ADD COLUMN state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'stored', 'discarded', 'merged')),
    -- when it came, the first thousand times, as far as no replay took it in: a payload without a time of its own tells
    -- another thing each time
    ADD COLUMN arrivals timestamptz[] NOT NULL DEFAULT '{}',
    ADD COLUMN organisation text,
    ADD COLUMN device text,
    ADD COLUMN topic_pattern text NOT NULL DEFAULT '',
    -- longer than the limit when it came: what is kept is not the whole
    ADD COLUMN cut boolean NOT NULL DEFAULT false,
    -- the broker had kept it: no sign of life
    ADD COLUMN retained boolean NOT NULL DEFAULT false,
    -- its devices' contact was stored when it came
    ADD COLUMN heard boolean NOT NULL DEFAULT false,
    -- a line of a file has no topic that a source could take
    ADD COLUMN origin text NOT NULL DEFAULT 'message' CHECK (origin IN ('message', 'file')),
    ADD COLUMN attempts integer NOT NULL DEFAULT 0,
    ADD COLUMN attempted_at timestamptz,
    ADD COLUMN merged_into bigint REFERENCES quarantine ON DELETE SET NULL,
    ADD COLUMN discard_id bigint REFERENCES quarantine_discard;

UPDATE quarantine
SET state = CASE WHEN settled_at IS NULL THEN 'open' ELSE 'stored' END,
    arrivals = CASE WHEN settled_at IS NULL THEN ARRAY[received_at] ELSE '{}' END,
    organisation = CASE WHEN topic LIKE 'veldwatch/v1/%/%' THEN split_part(topic, '/', 3) END,
    topic_pattern = regexp_replace(topic, '[^/]*[0-9][^/]*', '+', 'g'),
    cut = (reason = 'payload_too_large'),
    origin = CASE WHEN topic LIKE 'file/%' THEN 'file' ELSE 'message' END;

ALTER TABLE quarantine ADD CHECK ((state = 'open') = (settled_at IS NULL));
CREATE INDEX quarantine_open ON quarantine (id) WHERE state = 'open';
CREATE INDEX quarantine_settled ON quarantine (settled_at) WHERE state <> 'open';
CREATE INDEX quarantine_merged ON quarantine (merged_into) WHERE merged_into IS NOT NULL;

-- Which messages a replay takes in, and what came of each; no outcome: it waits for ingest.
CREATE TABLE quarantine_attempt (
    replay_id bigint NOT NULL REFERENCES quarantine_replay,
    quarantine_id bigint NOT NULL REFERENCES quarantine ON DELETE CASCADE,
    -- in the order in which they came
    place integer NOT NULL,
    outcome text CHECK (outcome IN ('stored', 'failed', 'cancelled')),
    at timestamptz,
    reason text,
    detail text,
    PRIMARY KEY (replay_id, quarantine_id),
    CHECK ((outcome IS NULL) = (at IS NULL))
);
CREATE UNIQUE INDEX quarantine_attempt_waiting ON quarantine_attempt (quarantine_id) WHERE outcome IS NULL;
CREATE INDEX quarantine_attempt_queue ON quarantine_attempt (replay_id, place) WHERE outcome IS NULL;
CREATE INDEX quarantine_attempt_of ON quarantine_attempt (quarantine_id);

-- How much there is, so that intake knows at once whether there is room.
CREATE TABLE quarantine_tally (
    reason text NOT NULL,
    source text NOT NULL,
    state text NOT NULL,
    kept bigint NOT NULL,
    kept_bytes bigint NOT NULL,
    PRIMARY KEY (reason, source, state)
) WITH (fillfactor = 50);

INSERT INTO quarantine_tally (reason, source, state, kept, kept_bytes)
SELECT reason, source, state, count(*), sum(octet_length(payload)) FROM quarantine GROUP BY reason, source, state;

CREATE FUNCTION tally_quarantine() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        DELETE FROM quarantine_tally;
    ELSIF TG_OP = 'INSERT' THEN
        INSERT INTO quarantine_tally AS t (reason, source, state, kept, kept_bytes)
        SELECT reason, source, state, count(*), sum(octet_length(payload)) FROM added
        GROUP BY reason, source, state ORDER BY reason, source, state
        ON CONFLICT (reason, source, state) DO UPDATE
        SET kept = t.kept + EXCLUDED.kept, kept_bytes = t.kept_bytes + EXCLUDED.kept_bytes;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO quarantine_tally AS t (reason, source, state, kept, kept_bytes)
        SELECT reason, source, state, -count(*), -sum(octet_length(payload)) FROM removed
        GROUP BY reason, source, state ORDER BY reason, source, state
        ON CONFLICT (reason, source, state) DO UPDATE
        SET kept = t.kept + EXCLUDED.kept, kept_bytes = t.kept_bytes + EXCLUDED.kept_bytes;
    ELSE
        INSERT INTO quarantine_tally AS t (reason, source, state, kept, kept_bytes)
        SELECT reason, source, state, sum(kept), sum(bytes)
        FROM (SELECT reason, source, state, 1 AS kept, octet_length(payload) AS bytes FROM added
              UNION ALL
              SELECT reason, source, state, -1, -octet_length(payload) FROM removed) AS changed
        GROUP BY reason, source, state
        HAVING sum(kept) <> 0 OR sum(bytes) <> 0
        ORDER BY reason, source, state
        ON CONFLICT (reason, source, state) DO UPDATE
        SET kept = t.kept + EXCLUDED.kept, kept_bytes = t.kept_bytes + EXCLUDED.kept_bytes;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER quarantine_added AFTER INSERT ON quarantine REFERENCING NEW TABLE AS added
FOR EACH STATEMENT EXECUTE FUNCTION tally_quarantine();
CREATE TRIGGER quarantine_changed AFTER UPDATE ON quarantine REFERENCING NEW TABLE AS added OLD TABLE AS removed
FOR EACH STATEMENT EXECUTE FUNCTION tally_quarantine();
CREATE TRIGGER quarantine_removed AFTER DELETE ON quarantine REFERENCING OLD TABLE AS removed
FOR EACH STATEMENT EXECUTE FUNCTION tally_quarantine();
CREATE TRIGGER quarantine_emptied AFTER TRUNCATE ON quarantine
FOR EACH STATEMENT EXECUTE FUNCTION tally_quarantine();

-- What is only counted: state open: it came when its reason and source had no room; another: it was settled long ago.
CREATE TABLE quarantine_counted (
    reason text NOT NULL,
    source text NOT NULL,
    state text NOT NULL,
    messages bigint NOT NULL,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    PRIMARY KEY (reason, source, state)
);

-- The messages that a selection names: {"ids": [..], "states": [..], "reasons": [..], "organisation", "source",
-- "topic_pattern", "topic" (a part of it), "device", "since", "until" (of the last arrival), "up_to" (an id)}.
-- One plain SELECT: the planner puts it in place of its call, and only what is asked for is looked at.
CREATE FUNCTION quarantine_matching(selection jsonb) RETURNS SETOF quarantine LANGUAGE sql STABLE AS $$
    SELECT q.* FROM quarantine q
    WHERE (NOT selection ? 'ids'
           OR q.id = ANY (ARRAY(SELECT jsonb_array_elements_text(selection -> 'ids')::bigint)))
      AND (NOT selection ? 'states' OR selection -> 'states' ? q.state)
      AND (NOT selection ? 'reasons' OR selection -> 'reasons' ? q.reason)
      AND (NOT selection ? 'organisation' OR q.organisation = selection ->> 'organisation')
      AND (NOT selection ? 'source' OR q.source = selection ->> 'source')
      AND (NOT selection ? 'topic_pattern' OR q.topic_pattern = selection ->> 'topic_pattern')
      AND (NOT selection ? 'topic' OR position(selection ->> 'topic' IN q.topic) > 0)
      AND (NOT selection ? 'device' OR q.device = selection ->> 'device')
      AND (NOT selection ? 'since' OR q.last_received_at >= (selection ->> 'since')::timestamptz)
      AND (NOT selection ? 'until' OR q.received_at < (selection ->> 'until')::timestamptz)
      AND (NOT selection ? 'up_to' OR q.id <= (selection ->> 'up_to')::bigint)
$$;

CREATE OR REPLACE VIEW dashboard.quarantine WITH (security_barrier) AS
SELECT q.id, q.received_at, q.last_received_at, q.count, q.source, q.topic, q.reason, q.detail,
       CASE WHEN q.state = 'stored' THEN q.settled_at END AS replayed_at, q.state
FROM public.quarantine q;
