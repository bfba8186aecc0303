-- Rules, the engine's own state, and the alerts that are the fold's result.
CREATE TABLE rule (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    slug text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9][a-z0-9.-]{0,126}$'),
    -- NULL: applies to every organisation that its selector matches
    organisation_id integer REFERENCES organisation,
    enabled boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE rule_version (
    -- uuid5 of the canonical definition: the same definition is the same version on every machine
    id uuid PRIMARY KEY,
    rule_id integer NOT NULL REFERENCES rule,
    version integer NOT NULL,
    definition jsonb NOT NULL,
    active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL DEFAULT '',
    -- when the engine folded the history of the subjects that existed already; NULL: not yet
    activated_at timestamptz,
    UNIQUE (rule_id, version)
);
CREATE UNIQUE INDEX rule_version_active ON rule_version (rule_id) WHERE active;

-- Where each fold stands: its state at `position`, in a compact form that only rules/ reads.
CREATE TABLE fold (
    rule_version_id uuid NOT NULL REFERENCES rule_version ON DELETE CASCADE,
    -- what the fold runs over: 'series:17', 'device:4'
    subject text NOT NULL,
    position timestamptz,
    -- observations up to here are never folded again: history before a new rule, or dropped by retention; NULL: none such
    floor timestamptz,
    -- when `now` alone next changes the result (hold_for, silence); NULL: never
    wake_at timestamptz,
    state jsonb NOT NULL,
    PRIMARY KEY (rule_version_id, subject)
);
CREATE INDEX fold_wake ON fold (wake_at) WHERE wake_at IS NOT NULL;

-- Earlier states of a fold, thinned with age, from which a late reading refolds.
CREATE TABLE fold_checkpoint (
    rule_version_id uuid NOT NULL,
    subject text NOT NULL,
    position timestamptz NOT NULL,
    state jsonb NOT NULL,
    PRIMARY KEY (rule_version_id, subject, position),
    FOREIGN KEY (rule_version_id, subject) REFERENCES fold ON DELETE CASCADE
);

CREATE TABLE alert (
    -- uuid5 of (rule version, subject, opened_at)
    id uuid PRIMARY KEY,
    rule_version_id uuid NOT NULL REFERENCES rule_version,
    organisation_id integer NOT NULL REFERENCES organisation,
    device_id integer REFERENCES device,
    site_id integer REFERENCES site,
    series_id integer REFERENCES series,
    subject text NOT NULL,
    severity text NOT NULL CHECK (severity IN ('info', 'minor', 'major', 'critical')),
    -- retracted: data that came late shows that it never was; kept, with its correction
    state text NOT NULL CHECK (state IN ('pending', 'firing', 'resolved', 'retracted')),
    -- event times: when the condition began, when it had lasted hold_for, when it last held
    opened_at timestamptz NOT NULL,
    fired_at timestamptz,
    resolved_at timestamptz,
    -- when the engine first recorded it firing: the delay to fired_at tells an old fact from news
    recorded_at timestamptz NOT NULL,
    late boolean NOT NULL DEFAULT false,
    value double precision,
    summary text NOT NULL,
    -- the exact readings, fixes or contacts that made it so
    evidence jsonb NOT NULL DEFAULT '{}',
    -- the fold's position when the end was decided; NULL: the next observation may still change it
    settled_at timestamptz,
    -- somebody was to be told that it fires: only then is a change of it a correction to tell
    told boolean NOT NULL DEFAULT false,
    -- retracted because late data moved the beginning: the alert that stands in its place
    superseded_by uuid,
    acknowledged_at timestamptz,
    acknowledged_by text,
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK (state <> 'firing' OR fired_at IS NOT NULL),
    CHECK (state <> 'resolved' OR (resolved_at IS NOT NULL AND resolved_at >= opened_at))
);
CREATE INDEX alert_state ON alert (state, opened_at DESC);
CREATE INDEX alert_device ON alert (device_id, opened_at DESC);
CREATE INDEX alert_fold ON alert (rule_version_id, subject, opened_at);
CREATE INDEX alert_unsettled ON alert (rule_version_id, subject) WHERE settled_at IS NULL AND state <> 'retracted';

CREATE TABLE alert_transition (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alert_id uuid NOT NULL REFERENCES alert,
    kind text NOT NULL CHECK (kind IN
        ('pending', 'firing', 'resolved', 'retracted', 'corrected', 'acknowledged', 'commented')),
    -- event time of the change, and when it was recorded
    at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    author text NOT NULL DEFAULT 'engine',
    detail jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX alert_transition_alert ON alert_transition (alert_id, id);

CREATE TABLE alert_comment (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alert_id uuid NOT NULL REFERENCES alert,
    author text NOT NULL,
    body text NOT NULL CHECK (length(body) BETWEEN 1 AND 4000),
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX alert_comment_alert ON alert_comment (alert_id, id);
