-- begin: remember an import, and give how far an earlier run came; waits for one that a killed process left behind
INSERT INTO file_import (organisation, path, mapping) VALUES (%(organisation)s, %(path)s, %(mapping)s)
ON CONFLICT (organisation, path, mapping) DO UPDATE SET path = EXCLUDED.path
RETURNING id, position, digest, state, rows, finished_at;

-- restart: begin an import anew
UPDATE file_import
SET position = 0, digest = '', state = '{}', rows = 0, readings = 0, positions = 0, quarantined = 0,
    started_at = now(), updated_at = now(), finished_at = NULL
WHERE id = %(id)s;

-- advance: move on from where the caller began; no row: another process did in the meantime
UPDATE file_import
SET position = %(position)s, digest = %(digest)s, state = %(state)s, rows = rows + %(rows)s,
    readings = readings + %(readings)s, positions = positions + %(positions)s,
    quarantined = quarantined + %(quarantined)s, updated_at = now(), finished_at = NULL
WHERE id = %(id)s AND position = %(before)s
RETURNING id;

-- finish: say that the end of the file was reached
UPDATE file_import SET finished_at = now() WHERE id = %(id)s AND finished_at IS NULL;
