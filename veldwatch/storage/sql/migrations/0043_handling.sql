-- What people do with alerts beyond acknowledging: assign and resolve by hand; severities that rise.

ALTER TABLE alert
    -- whose work it is: a person's name, which need not be a token's
    ADD COLUMN assigned_to text CHECK (length(assigned_to) BETWEEN 1 AND 200),
    ADD COLUMN assigned_at timestamptz,
    ADD COLUMN assigned_by text,
    -- a person's verdict, which stands beside what the fold says and never changes it
    ADD COLUMN resolution text CHECK (resolution IN
        ('fixed', 'false_alarm', 'test', 'duplicate', 'no_action_needed')),
    ADD COLUMN resolution_note text CHECK (length(resolution_note) <= 4000),
    ADD COLUMN resolved_by_hand_at timestamptz,
    ADD COLUMN resolved_by text,
    -- how its severity rose while it held: [{"at", "severity"}], each worse than the one before
    ADD COLUMN raises jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(raises) = 'array'),
    ADD CONSTRAINT alert_assignment CHECK (num_nonnulls(assigned_to, assigned_at, assigned_by) IN (0, 3)),
    ADD CONSTRAINT alert_resolution CHECK (num_nonnulls(resolution, resolution_note, resolved_by_hand_at, resolved_by) IN (0, 4));
CREATE INDEX alert_assigned ON alert (assigned_to, opened_at DESC) WHERE assigned_to IS NOT NULL;

ALTER TABLE alert_transition DROP CONSTRAINT alert_transition_kind_check;
ALTER TABLE alert_transition ADD CONSTRAINT alert_transition_kind_check CHECK (kind IN
    ('pending', 'firing', 'raised', 'resolved', 'retracted', 'corrected',
     'acknowledged', 'commented', 'assigned', 'unassigned', 'resolved_by_hand', 'reopened'));
