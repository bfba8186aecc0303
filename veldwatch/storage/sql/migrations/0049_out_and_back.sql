-- Fixes that lie out and back, faster than an animal travels, are implausible too. docs/decisions/0047.
-- metres per second that one of this species does not keep up from one fix to the next to come straight back; NULL: what
-- lies out and back is believed (birds fly out from a nest and back, people drive)
ALTER TABLE species ADD COLUMN travel_speed double precision CHECK (travel_speed > 0);

-- 3 m/s, 11 km/h. Sources: African wild dogs, which run longer than any other of these, hunt at 10 km/h (Creel and Creel
-- 2002, The African Wild Dog); large animals travel more slowly than middling ones (Dyer et al. 2023, PLoS Biology
-- 21:e3001820). Ostriches and people run longer than that, and stay without.
UPDATE species SET travel_speed = 3 WHERE name NOT IN ('Homo sapiens', 'Struthio camelus');

CREATE OR REPLACE VIEW movement_stretch AS
SELECT e.device_id, e.during, coalesce(s.maximum_speed, k.maximum_speed, p.maximum_speed) AS maximum_speed,
       k.travel_speed
FROM deployment e
JOIN subject s ON s.id = e.subject_id
LEFT JOIN species k ON k.name = s.species
JOIN device d ON d.id = e.device_id
LEFT JOIN profile p ON p.id = d.profile_id
UNION ALL
SELECT d.id, gap.during, p.maximum_speed, NULL
FROM device d
JOIN profile p ON p.id = d.profile_id AND p.maximum_speed IS NOT NULL
CROSS JOIN LATERAL (
    SELECT unnest('{(,)}'::tstzmultirange - coalesce(
        (SELECT range_agg(e.during) FROM deployment e WHERE e.device_id = d.id), '{}'::tstzmultirange)) AS during
) gap;

-- As in 0033; or the fix is left out of reach at its travelling speed by a neighbour before it and by one after it that
-- are nearer to each other than a quarter of either way. docs/decisions/0028, 0047; veldwatch/model/track.py is its equal.
CREATE OR REPLACE VIEW position AS
SELECT p.observed_at, p.device_id, p.longitude, p.latitude, p.altitude, p.accuracy, p.speed, p.heading,
       CASE WHEN p.quality & 4 = 4 THEN p.quality ELSE (p.quality | coalesce((
           SELECT 4
           FROM movement_stretch m
           CROSS JOIN LATERAL (
               WITH near AS MATERIALIZED (
                   SELECT n.earlier, n.longitude, n.latitude, far.metres,
                          far.metres > m.maximum_speed * far.seconds AS away,
                          coalesce(far.metres > m.travel_speed * far.seconds, false) AS hasty
                   FROM (
                       (SELECT true AS earlier, q.observed_at, q.longitude, q.latitude, q.accuracy
                        FROM position_raw q
                        WHERE q.device_id = p.device_id AND q.observed_at < p.observed_at AND q.quality & 4 = 0
                        ORDER BY q.observed_at DESC LIMIT 2)
                       UNION ALL
                       (SELECT false, q.observed_at, q.longitude, q.latitude, q.accuracy
                        FROM position_raw q
                        WHERE q.device_id = p.device_id AND q.observed_at > p.observed_at AND q.quality & 4 = 0
                        ORDER BY q.observed_at LIMIT 2)
                   ) n
                   CROSS JOIN LATERAL (
                       -- 30 m: the error of a fix that tells none
                       SELECT metres_between(p.longitude, p.latitude, n.longitude, n.latitude)
                              - coalesce(p.accuracy, 30) - coalesce(n.accuracy, 30) AS metres,
                              abs(extract(epoch FROM n.observed_at - p.observed_at)) AS seconds
                   ) far
                   WHERE m.during @> n.observed_at
               )
               SELECT count(*) AS neighbours, count(*) FILTER (WHERE n.away) AS unreachable,
                      count(*) FILTER (WHERE n.earlier) AS earlier,
                      count(*) FILTER (WHERE n.away AND n.earlier) AS unreachable_earlier,
                      EXISTS (
                          SELECT FROM near one
                          JOIN near other ON NOT other.earlier AND other.hasty
                          WHERE one.earlier AND one.hasty
                            AND metres_between(one.longitude, one.latitude, other.longitude, other.latitude)
                                < 0.25 * least(one.metres, other.metres)
                      ) AS out_and_back
               FROM near n
           ) j
           WHERE m.device_id = p.device_id AND m.during @> p.observed_at AND m.maximum_speed IS NOT NULL
             AND (j.out_and_back
                  OR 2 * j.unreachable > j.neighbours
                     AND CASE WHEN j.earlier > 0 THEN j.unreachable_earlier > 0 ELSE j.unreachable > 1 END)
       ), 0))::smallint END AS quality,
       p.observed_at + make_interval(secs => p.delay_seconds) AS received_at
FROM position_raw p;
