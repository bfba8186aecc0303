-- Who is told, what is to be sent, and a receipt for each attempt.
CREATE TABLE receiver (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    slug text NOT NULL UNIQUE,
    -- NULL: alerts of every organisation
    organisation_id integer REFERENCES organisation,
    channel text NOT NULL CHECK (channel IN ('email', 'webhook')),
    -- an e-mail address, or a URL
    address text NOT NULL,
    -- webhook: the key of the HMAC signature
    secret text,
    minimum_severity text NOT NULL DEFAULT 'info'
        CHECK (minimum_severity IN ('info', 'minor', 'major', 'critical')),
    enabled boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE outbox (
    -- uuid5 of (transition's alert, kind, event time, receiver): the stable id that receivers deduplicate by
    id uuid PRIMARY KEY,
    transition_id bigint NOT NULL REFERENCES alert_transition,
    alert_id uuid NOT NULL REFERENCES alert,
    receiver_id integer NOT NULL REFERENCES receiver,
    -- everything a channel needs, fixed when the transition was committed
    message jsonb NOT NULL,
    state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'failed', 'suppressed')),
    -- suppressed, failed: why, from the closed list in veldwatch/model/notifications.py
    reason text,
    attempts integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    delivered_at timestamptz
);
CREATE INDEX outbox_due ON outbox (next_attempt_at) WHERE state = 'pending';
CREATE INDEX outbox_alert ON outbox (alert_id);

CREATE TABLE attempt (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    outbox_id uuid NOT NULL REFERENCES outbox,
    number integer NOT NULL,
    at timestamptz NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('delivered', 'temporary_failure', 'permanent_failure')),
    -- the receiver's own words: an SMTP reply, an HTTP status
    detail text NOT NULL,
    UNIQUE (outbox_id, number)
);
