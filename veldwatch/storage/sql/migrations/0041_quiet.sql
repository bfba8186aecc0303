-- What need not be told: silences, planned interruptions, silence that another alert explains; gateways; grouped messages.

-- Through which other device a device is heard; NULL: it speaks for itself, or nobody said.
ALTER TABLE device ADD COLUMN gateway_id integer REFERENCES device CHECK (gateway_id <> id);
CREATE INDEX device_gateway ON device (gateway_id) WHERE gateway_id IS NOT NULL;
CREATE INDEX site_parent ON site (parent_id);

-- A gateway is of the same organisation, and nothing hangs on itself by way of others.
CREATE FUNCTION check_gateway() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    above integer := NEW.gateway_id;
BEGIN
    IF (SELECT organisation_id FROM device WHERE id = above) <> NEW.organisation_id THEN
        RAISE EXCEPTION 'gateway % is of another organisation', above USING ERRCODE = 'check_violation';
    END IF;
    WHILE above IS NOT NULL LOOP
        IF above = NEW.id THEN
            RAISE EXCEPTION 'device % would hang on itself', NEW.external_id USING ERRCODE = 'check_violation';
        END IF;
        above := (SELECT gateway_id FROM device WHERE id = above);
    END LOOP;
    RETURN NEW;
END;
$$;
CREATE TRIGGER device_gateway_check BEFORE INSERT OR UPDATE OF gateway_id ON device
    FOR EACH ROW WHEN (NEW.gateway_id IS NOT NULL) EXECUTE FUNCTION check_gateway();

-- A site and all above it, itself first.
CREATE FUNCTION site_path(integer) RETURNS integer[] LANGUAGE sql STABLE AS $$
    WITH RECURSIVE up AS (
        SELECT s.id, s.parent_id, 1 AS steps FROM site s WHERE s.id = $1
        UNION ALL
        SELECT s.id, s.parent_id, up.steps + 1 FROM up JOIN site s ON s.id = up.parent_id
    )
    SELECT array_agg(up.id ORDER BY up.steps) FROM up
$$;

-- What the explanation of alerts asks of every rule, without reading its whole definition.
ALTER TABLE rule_version
    ADD COLUMN condition_kind text GENERATED ALWAYS AS (definition #>> '{condition,kind}') STORED,
    ADD COLUMN explains text GENERATED ALWAYS AS (definition ->> 'explains') STORED;

-- A matcher with an expiry: what fires within it is recorded and not told. A part that is NULL or empty matches anything.
CREATE TABLE silence (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id integer REFERENCES organisation,
    -- a rule's slug; the beginning of several with * at the end
    rule text,
    -- with all sites below it
    site_id integer REFERENCES site,
    device_id integer REFERENCES device,
    tag text,
    profile text,
    severities text[] NOT NULL DEFAULT '{}',
    -- a rule's labels, all of them
    labels jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(labels) = 'object'),
    -- somebody meant to mute everything (of an organisation, or of all)
    everything boolean NOT NULL DEFAULT false,
    author text NOT NULL,
    reason text NOT NULL CHECK (length(reason) BETWEEN 1 AND 1000),
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL CHECK (ends_at >= starts_at),
    created_at timestamptz NOT NULL,
    CHECK (everything = (num_nonnulls(rule, site_id, device_id, tag, profile) = 0
                         AND severities = '{}' AND labels = '{}'))
);
CREATE INDEX silence_ends ON silence (ends_at);

CREATE TABLE silence_change (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    silence_id bigint NOT NULL REFERENCES silence,
    kind text NOT NULL CHECK (kind IN ('made', 'extended', 'shortened', 'expired')),
    at timestamptz NOT NULL,
    author text NOT NULL,
    ends_at timestamptz NOT NULL
);
CREATE INDEX silence_change_silence ON silence_change (silence_id, id);

-- Which alerts a silence matches, whatever the time.
CREATE VIEW silence_match AS
SELECT s.id AS silence_id, a.id AS alert_id, s.starts_at, s.ends_at
FROM silence s
JOIN alert a ON s.organisation_id IS NULL OR s.organisation_id = a.organisation_id
JOIN rule_version v ON v.id = a.rule_version_id
JOIN rule r ON r.id = v.rule_id
LEFT JOIN device d ON d.id = a.device_id
LEFT JOIN profile p ON p.id = d.profile_id
WHERE (s.rule IS NULL OR r.slug = s.rule
       OR (right(s.rule, 1) = '*' AND starts_with(r.slug, left(s.rule, -1))))
  AND (s.device_id IS NULL OR s.device_id = a.device_id)
  AND (s.tag IS NULL OR s.tag = ANY (d.tags))
  AND (s.profile IS NULL OR s.profile = p.slug)
  AND (s.severities = '{}' OR a.severity = ANY (s.severities))
  AND (s.labels = '{}' OR v.definition -> 'labels' @> s.labels)
  AND (s.site_id IS NULL OR s.site_id = ANY (site_path(coalesce(a.site_id, d.site_id))));

-- Where planned interruptions come from: iCalendar files, by name.
CREATE TABLE calendar (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id integer NOT NULL REFERENCES organisation,
    slug text NOT NULL CHECK (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    kind text NOT NULL CHECK (kind IN ('planned', 'load_shedding')),
    imported_at timestamptz NOT NULL,
    imported_by text NOT NULL,
    UNIQUE (organisation_id, slug)
);

-- One event of a calendar as it was published last; repeated ones are spread out up to spread_until.
CREATE TABLE calendar_event (
    calendar_id integer NOT NULL REFERENCES calendar ON DELETE CASCADE,
    uid text NOT NULL CHECK (length(uid) BETWEEN 1 AND 1000),
    sequence integer NOT NULL,
    stamped_at timestamptz,
    -- iCalendar text: the event, its exceptions and its time zones
    content text NOT NULL,
    -- where it was said to be, if the file did not say so itself
    site_ids integer[] NOT NULL DEFAULT '{}',
    device_ids integer[] NOT NULL DEFAULT '{}',
    -- NULL: it does not repeat beyond what is stored
    spread_until timestamptz,
    PRIMARY KEY (calendar_id, uid)
);

CREATE TABLE interruption (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id integer NOT NULL REFERENCES organisation,
    kind text NOT NULL CHECK (kind IN ('planned', 'load_shedding')),
    begins_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL CHECK (ends_at > begins_at),
    title text NOT NULL CHECK (length(title) BETWEEN 1 AND 500),
    reason text NOT NULL DEFAULT '',
    -- NULL: somebody entered it
    calendar_id integer REFERENCES calendar ON DELETE SET NULL,
    uid text,
    -- which repetition of the event, by its original begin; '': it does not repeat
    occurrence text NOT NULL DEFAULT '',
    author text NOT NULL,
    created_at timestamptz NOT NULL,
    -- it explains nothing any more
    cancelled_at timestamptz,
    UNIQUE (calendar_id, uid, occurrence)
);
CREATE INDEX interruption_time ON interruption (organisation_id, begins_at);

CREATE TABLE interruption_place (
    interruption_id bigint NOT NULL REFERENCES interruption ON DELETE CASCADE,
    site_id integer REFERENCES site,
    device_id integer REFERENCES device,
    CHECK (num_nonnulls(site_id, device_id) = 1),
    UNIQUE NULLS NOT DISTINCT (interruption_id, site_id, device_id)
);
CREATE INDEX interruption_place_site ON interruption_place (site_id) WHERE site_id IS NOT NULL;
CREATE INDEX interruption_place_device ON interruption_place (device_id) WHERE device_id IS NOT NULL;

-- Why a device is silent, where that is known: another alert, or a planned interruption.
ALTER TABLE alert
    ADD COLUMN explained_by uuid REFERENCES alert,
    ADD COLUMN explained_by_interruption bigint REFERENCES interruption,
    -- from when on the explanation is used up, and it is told if it still holds; NULL: the cause lasts, or there is none
    ADD COLUMN explained_until timestamptz,
    ADD CONSTRAINT alert_explanation CHECK (num_nonnulls(explained_by, explained_by_interruption) <= 1);
CREATE INDEX alert_explained ON alert (explained_by) WHERE explained_by IS NOT NULL;
CREATE INDEX alert_interruption ON alert (explained_by_interruption) WHERE explained_by_interruption IS NOT NULL;
CREATE INDEX alert_site ON alert (site_id, opened_at);

ALTER TABLE outbox
    -- the silence that keeps or kept it from being sent
    ADD COLUMN silence_id bigint REFERENCES silence,
    -- the message that told of it together with others
    ADD COLUMN grouped_in uuid REFERENCES outbox,
    -- what is sent in place of `message`: it tells of several alerts, or says why it comes late
    ADD COLUMN composed jsonb;
CREATE INDEX outbox_silence ON outbox (silence_id) WHERE silence_id IS NOT NULL;
CREATE INDEX outbox_group ON outbox (grouped_in) WHERE grouped_in IS NOT NULL;

-- The alert that stands in an alert's place after late data moved it; most stand for themselves.
CREATE FUNCTION alert_head(uuid) RETURNS uuid LANGUAGE sql STABLE AS $$
    WITH RECURSIVE head AS (
        SELECT a.id, a.superseded_by, 0 AS steps FROM alert a WHERE a.id = $1
        UNION ALL
        SELECT a.id, a.superseded_by, head.steps + 1
        FROM head JOIN alert a ON a.id = head.superseded_by
        -- a chain longer than this is none that late data made
        WHERE head.steps < 100
    )
    SELECT id FROM head ORDER BY steps DESC LIMIT 1
$$;
