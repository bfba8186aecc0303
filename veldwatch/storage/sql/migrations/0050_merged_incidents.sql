-- Incidents that prove to be one are merged; people merge them and take alerts out of them; verdicts on all of one are taken back.

-- Incidents that alerts joined by themselves, before any were merged: what is merged can come apart again.
ALTER TABLE alert
    ADD COLUMN incident_base uuid REFERENCES incident;
UPDATE alert SET incident_base = incident_id WHERE incident_id IS NOT NULL;
CREATE INDEX alert_incident_base ON alert (incident_base) WHERE incident_base IS NOT NULL;

-- An alert that is near another incident than its own: the two are one, where they are not too far apart.
CREATE TABLE incident_link (
    alert_id uuid NOT NULL REFERENCES alert,
    incident_id uuid NOT NULL REFERENCES incident,
    PRIMARY KEY (alert_id, incident_id)
);
CREATE INDEX incident_link_incident ON incident_link (incident_id);

-- Two alerts that a person said are of one incident, wherever late data may put either.
CREATE TABLE incident_merge (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    alert_id uuid NOT NULL REFERENCES alert,
    other_id uuid NOT NULL REFERENCES alert CHECK (other_id <> alert_id),
    at timestamptz NOT NULL,
    author text NOT NULL,
    -- NULL: it holds
    ended_at timestamptz,
    ended_by text,
    CHECK (num_nonnulls(ended_at, ended_by) IN (0, 2))
);
CREATE UNIQUE INDEX incident_merge_pair ON incident_merge (alert_id, other_id) WHERE ended_at IS NULL;
CREATE INDEX incident_merge_other ON incident_merge (other_id) WHERE ended_at IS NULL;

-- An alert that a person took out: it has an incident of its own, and nothing is gathered by it.
CREATE TABLE incident_apart (
    alert_id uuid PRIMARY KEY REFERENCES alert,
    -- an alert that stayed behind: where links to the incident lead if it was founded by the one that was taken out
    stayed_id uuid NOT NULL REFERENCES alert,
    at timestamptz NOT NULL,
    author text NOT NULL
);

ALTER TABLE incident_entry DROP CONSTRAINT incident_entry_kind_check;
ALTER TABLE incident_entry
    -- the incident that was merged into this one, or that an alert came from or went to
    ADD COLUMN other_id uuid REFERENCES incident,
    -- the alert that was taken out or put back
    ADD COLUMN alert_id uuid REFERENCES alert,
    ADD CHECK (kind IN ('acknowledged', 'assigned', 'commented', 'resolved', 'reopened',
                        'merged', 'split', 'taken_out', 'put_back'));

ALTER TABLE alert_transition DROP CONSTRAINT alert_transition_kind_check;
ALTER TABLE alert_transition ADD CONSTRAINT alert_transition_kind_check CHECK (kind IN
    ('pending', 'firing', 'raised', 'resolved', 'retracted', 'corrected',
     'acknowledged', 'commented', 'assigned', 'unassigned', 'resolved_by_hand', 'reopened', 'taken_out', 'put_back'));
