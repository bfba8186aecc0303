-- Back-tests that somebody asked for: work for the rules program, and what came of it, kept for a while.
CREATE TABLE backtest (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- NULL: it may look at devices of every organisation
    organisation_id integer REFERENCES organisation,
    -- of one rule, in its canonical form
    definition jsonb NOT NULL,
    since timestamptz NOT NULL,
    until timestamptz NOT NULL,
    -- where night is night
    time_zone text NOT NULL,
    requested_by text NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'finished', 'cancelled', 'failed')),
    -- a run that nobody carries on is begun again
    attempts integer NOT NULL DEFAULT 0,
    -- sources that are folded, of how many
    done integer NOT NULL DEFAULT 0,
    total integer,
    observations bigint NOT NULL DEFAULT 0,
    started_at timestamptz,
    finished_at timestamptz,
    result jsonb,
    -- failed: a sentence
    error text,
    CHECK (until > since),
    CHECK ((state IN ('finished', 'cancelled', 'failed')) = (finished_at IS NOT NULL)),
    CHECK ((state = 'finished') = (result IS NOT NULL)),
    CHECK ((state = 'failed') = (error IS NOT NULL))
);
-- One at a time for each organisation, and one for all of them.
CREATE UNIQUE INDEX backtest_unfinished ON backtest (coalesce(organisation_id, 0)) WHERE finished_at IS NULL;
CREATE INDEX backtest_finished ON backtest (finished_at) WHERE finished_at IS NOT NULL;
