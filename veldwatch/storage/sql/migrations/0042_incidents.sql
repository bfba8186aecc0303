-- What an alert costs and whom it concerns, and alerts that are one thing to work on: impact, dependants, tariffs, incidents.

-- Tariffs: money for a cubic metre of water and for a kilowatt hour; NULL: nobody said.
ALTER TABLE organisation
    -- ISO 4217
    ADD COLUMN currency text CHECK (currency ~ '^[A-Z]{3}$'),
    ADD COLUMN water_tariff double precision CHECK (water_tariff >= 0 AND water_tariff < 'infinity'),
    ADD COLUMN energy_tariff double precision CHECK (energy_tariff >= 0 AND energy_tariff < 'infinity'),
    ADD CHECK (currency IS NOT NULL OR (water_tariff IS NULL AND energy_tariff IS NULL));

-- Who depends on a place: people, and customers (connections that are billed); NULL: nobody said.
ALTER TABLE site
    -- of this site and those below it, where they differ from the organisation's; in its currency
    ADD COLUMN water_tariff double precision CHECK (water_tariff >= 0 AND water_tariff < 'infinity'),
    ADD COLUMN energy_tariff double precision CHECK (energy_tariff >= 0 AND energy_tariff < 'infinity'),
    ADD COLUMN people integer CHECK (people >= 0),
    ADD COLUMN customers integer CHECK (customers >= 0);
ALTER TABLE device
    ADD COLUMN people integer CHECK (people >= 0),
    ADD COLUMN customers integer CHECK (customers >= 0),
    -- an inlet, a feeder, a pump: who depends on it is among those of its site and below
    ADD COLUMN supplies_site boolean NOT NULL DEFAULT false;
CREATE INDEX device_dependants ON device (site_id) WHERE people IS NOT NULL OR customers IS NOT NULL;

-- About how much an alert concerns; NULL: not known, and impact_missing says what that takes.
ALTER TABLE alert
    ADD COLUMN impact_water double precision,
    ADD COLUMN impact_energy double precision,
    ADD COLUMN impact_money double precision,
    ADD COLUMN impact_currency text,
    ADD COLUMN impact_people integer,
    ADD COLUMN impact_customers integer,
    ADD COLUMN impact_missing text[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN alert.impact_water IS 'litres per hour';
COMMENT ON COLUMN alert.impact_energy IS 'kilowatt hours per hour';
COMMENT ON COLUMN alert.impact_money IS 'impact_currency per hour';

CREATE TABLE incident (
    -- uuid5 of its first alert, or of the planned interruption that explains its alerts
    id uuid PRIMARY KEY,
    founder_id uuid REFERENCES alert,
    interruption_id bigint REFERENCES interruption,
    -- late data left it without alerts: where they are now
    superseded_by uuid REFERENCES incident,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CHECK (num_nonnulls(founder_id, interruption_id) = 1)
);
ALTER TABLE alert
    -- NULL: it has not fired, or never was
    ADD COLUMN incident_id uuid REFERENCES incident,
    -- none explains it, so others are gathered by it
    ADD COLUMN incident_head boolean NOT NULL DEFAULT false;
CREATE INDEX alert_incident ON alert (incident_id, opened_at DESC, id DESC) WHERE incident_id IS NOT NULL;
CREATE INDEX alert_incident_head ON alert (opened_at) WHERE incident_head;

-- An incident as one organisation sees it, made of its own alerts only; organisation_id NULL: of all.
CREATE TABLE incident_part (
    incident_id uuid NOT NULL REFERENCES incident,
    organisation_id integer REFERENCES organisation,
    title text NOT NULL,
    severity text NOT NULL CHECK (severity IN ('info', 'minor', 'major', 'critical')),
    state text NOT NULL CHECK (state IN ('open', 'resolved')),
    opened_at timestamptz NOT NULL,
    fired_at timestamptz NOT NULL,
    -- NULL: open
    resolved_at timestamptz,
    alerts integer NOT NULL,
    open_alerts integer NOT NULL,
    devices integer NOT NULL,
    -- of its cause, or of its worst alert
    lead_alert_id uuid NOT NULL REFERENCES alert,
    site_id integer REFERENCES site,
    longitude double precision,
    latitude double precision,
    impact_water double precision,
    impact_energy double precision,
    impact_money double precision,
    impact_currency text,
    impact_people integer,
    impact_customers integer,
    impact_missing text[] NOT NULL DEFAULT '{}',
    UNIQUE NULLS NOT DISTINCT (incident_id, organisation_id)
);
CREATE INDEX incident_part_opened ON incident_part (organisation_id, opened_at DESC, incident_id DESC);

-- What people did with an incident, beside what they did with its alerts.
CREATE TABLE incident_entry (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    incident_id uuid NOT NULL REFERENCES incident,
    -- whose part it was done to; NULL: to all of it
    organisation_id integer REFERENCES organisation,
    kind text NOT NULL CHECK (kind IN ('acknowledged', 'assigned', 'commented', 'resolved')),
    at timestamptz NOT NULL,
    author text NOT NULL,
    -- a comment; to whom it was assigned ('' : to nobody)
    body text NOT NULL DEFAULT '' CHECK (length(body) <= 4000)
);
CREATE INDEX incident_entry_incident ON incident_entry (incident_id, id);
CREATE INDEX incident_updated ON incident (updated_at);
CREATE INDEX incident_superseded ON incident (superseded_by) WHERE superseded_by IS NOT NULL;
