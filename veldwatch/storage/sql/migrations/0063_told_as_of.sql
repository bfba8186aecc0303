-- A worker that starts again tells of no alert as of an earlier time than it did before, and so takes back nothing that
-- the clock alone had told.

-- The latest time as of which the alerts of a fold were told. NULL: not known.
ALTER TABLE fold ADD COLUMN viewed_at timestamptz;

-- Of what was saved before this step, folds with alerts that may still change are looked at as of now.
UPDATE fold SET read_through = NULL, read_before = NULL, read_after = NULL
WHERE read_through IS NOT NULL AND EXISTS (
    SELECT FROM alert a
    WHERE a.rule_version_id = fold.rule_version_id AND a.subject = fold.subject AND a.settled_at IS NULL
      AND a.state <> 'retracted'
);
