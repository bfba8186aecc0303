-- What several queries ask of an alert: those in whose place it stands, and where its device was when it happened.

-- An alert and those that it took the place of when late data moved it: whoever was told of one was told of all.
CREATE FUNCTION alert_line(uuid) RETURNS uuid[] LANGUAGE sql STABLE AS $$
    WITH RECURSIVE line (alert_id) AS (
        SELECT $1
        UNION
        SELECT (t.detail ->> 'supersedes')::uuid
        FROM line
        JOIN alert_transition t ON t.alert_id = line.alert_id
        WHERE t.detail ->> 'supersedes' IS NOT NULL
    )
    SELECT array_agg(line.alert_id) FROM line
$$;

-- Where a tracker was at a time, by its last fix that is not implausible; no row: what never moves has no fixes.
CREATE FUNCTION position_at(device_id integer, at timestamptz)
    RETURNS TABLE (longitude double precision, latitude double precision) LANGUAGE sql STABLE AS $$
    SELECT p.longitude, p.latitude
    FROM position p
    WHERE p.device_id = position_at.device_id AND p.observed_at <= position_at.at AND p.quality & 4 = 0
    ORDER BY p.observed_at DESC
    LIMIT 1
$$;
