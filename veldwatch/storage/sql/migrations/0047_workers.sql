-- Several workers carry out the rules, each a share of the subjects; after a restart each goes on from what it saved.

-- The part of a division, from 1 on, that a subject belongs to. Source: veldwatch/model/places.py, which says the same.
CREATE FUNCTION rule_place(subject text, division integer) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT (('x' || substr(md5(subject), 1, 8))::bit(32)::bigint % division + 1)::integer
$$;

-- Into how many shares the subjects are divided: one row, changed only while no worker runs.
CREATE TABLE rule_division (
    places integer PRIMARY KEY CHECK (places BETWEEN 1 AND 64),
    since timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX rule_division_one ON rule_division ((true));
INSERT INTO rule_division (places) VALUES (1);

-- Which workers have folded their share of a version's history; all of them: activated_at.
ALTER TABLE rule_version ADD COLUMN activated_places integer[] NOT NULL DEFAULT '{}';

-- What of the log is in a saved state: every transaction up to read_through, and of those before read_before what was
-- observed after read_after. NULL: not known, what storage holds after `position` is to be read.
ALTER TABLE fold ADD COLUMN read_through xid8;
ALTER TABLE fold ADD COLUMN read_before xid8;
ALTER TABLE fold ADD COLUMN read_after timestamptz;

-- Every fold that is saved with a read_through holds, in what is saved, the log up to here at least; what came after it
-- is read again after a restart, so it is kept. NULL: nothing is known.
ALTER TABLE log_cursor ADD COLUMN again_xid xid8;

-- Which transactions changed what rules are matched with: whoever knows the register as it was in a snapshot asks
-- whether any that the snapshot does not see is listed. Rows are dropped after a day.
CREATE TABLE register_change (
    xid xid8 PRIMARY KEY DEFAULT pg_current_xact_id(),
    changed_at timestamptz NOT NULL DEFAULT now()
);

CREATE FUNCTION note_register_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO register_change DEFAULT VALUES ON CONFLICT (xid) DO NOTHING;
    RETURN NULL;
END;
$$;
-- of a statement that changed no row, nothing is noted
CREATE FUNCTION note_register_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM changed) THEN
        INSERT INTO register_change DEFAULT VALUES ON CONFLICT (xid) DO NOTHING;
    END IF;
    RETURN NULL;
END;
$$;

DO $$
DECLARE
    watched text;
BEGIN
    FOREACH watched IN ARRAY ARRAY['organisation', 'site', 'profile', 'device', 'series', 'subject', 'deployment',
                                   'species', 'rule'] LOOP
        EXECUTE format('CREATE TRIGGER register_added AFTER INSERT ON %I REFERENCING NEW TABLE AS changed'
                       ' FOR EACH STATEMENT EXECUTE FUNCTION note_register_changes()', watched);
        EXECUTE format('CREATE TRIGGER register_changed AFTER UPDATE ON %I REFERENCING NEW TABLE AS changed'
                       ' FOR EACH STATEMENT EXECUTE FUNCTION note_register_changes()', watched);
        EXECUTE format('CREATE TRIGGER register_removed AFTER DELETE ON %I REFERENCING OLD TABLE AS changed'
                       ' FOR EACH STATEMENT EXECUTE FUNCTION note_register_changes()', watched);
    END LOOP;
END;
$$;
-- What workers note of a version themselves is no change.
CREATE TRIGGER register_added AFTER INSERT OR DELETE ON rule_version
    FOR EACH ROW EXECUTE FUNCTION note_register_change();
CREATE TRIGGER register_changed AFTER UPDATE ON rule_version FOR EACH ROW
    WHEN ((OLD.active, OLD.definition, OLD.activated_at IS NOT NULL AND NEW.activated_at IS NULL)
          IS DISTINCT FROM (NEW.active, NEW.definition, false))
    EXECUTE FUNCTION note_register_change();
