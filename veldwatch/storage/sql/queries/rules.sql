-- lock_rules: let one program at a time add or change rules, until the end of the transaction
SELECT pg_advisory_xact_lock(1448232018);

-- find_organisation: the organisation that a rule names
SELECT id FROM organisation WHERE slug = %(slug)s;

-- whose: the organisation that a rule is for, if there is one of that slug; NULL: every one
SELECT organisation_id FROM rule WHERE slug = %(slug)s;

-- ensure_rule: the rule of that slug, made if it is new
INSERT INTO rule (slug, organisation_id)
VALUES (%(slug)s, %(organisation_id)s)
ON CONFLICT (slug) DO UPDATE SET organisation_id = EXCLUDED.organisation_id
RETURNING id;

-- retire_versions: let no version of a rule but one be active; what they miss is folded when they come back
UPDATE rule_version SET active = false, activated_at = NULL, activated_places = '{}'
WHERE rule_id = %(rule_id)s AND active AND id <> %(id)s;

-- ensure_version: the version of that definition, made if it is new, and active; what it detects may change within it
INSERT INTO rule_version (id, rule_id, version, definition, created_by, created_at)
SELECT %(id)s, %(rule_id)s, coalesce(max(version), 0) + 1, %(definition)s, %(author)s, clock_timestamp()
FROM rule_version WHERE rule_id = %(rule_id)s
ON CONFLICT (id) DO UPDATE SET active = true, definition = EXCLUDED.definition
RETURNING version;

-- list_rules: the rules with their active versions, by slug
SELECT r.id, r.slug, r.organisation_id, r.enabled, v.id, v.version, v.definition, v.created_at, v.created_by, v.activated_at
FROM rule r
JOIN rule_version v ON v.rule_id = r.id AND v.active
WHERE (%(slug)s::text IS NULL OR r.slug = %(slug)s)
  AND (%(organisation_id)s::integer IS NULL OR r.organisation_id IS NULL OR r.organisation_id = %(organisation_id)s)
ORDER BY r.slug;

-- set_enabled: switch a rule on or off; what it misses while off is folded when it is on again
WITH switched AS (
    UPDATE rule SET enabled = %(enabled)s WHERE slug = %(slug)s RETURNING id
)
UPDATE rule_version v
SET activated_at = CASE WHEN r.enabled = %(enabled)s THEN v.activated_at END,
    activated_places = CASE WHEN r.enabled = %(enabled)s THEN v.activated_places ELSE '{}' END
FROM switched s JOIN rule r ON r.id = s.id WHERE v.rule_id = s.id AND v.active;

-- set_activated: note that the history of one share before a version was folded; the last share's makes it all
UPDATE rule_version
SET activated_places = array_remove(activated_places, %(place)s::integer) || %(place)s::integer,
    activated_at = CASE WHEN cardinality(array_remove(activated_places, %(place)s::integer)) + 1 >= %(division)s THEN %(now)s
                        ELSE activated_at END
WHERE id = %(id)s AND active;

-- activated_by: the active versions whose history a share's worker has folded
SELECT id FROM rule_version WHERE active AND %(place)s::integer = ANY (activated_places);
