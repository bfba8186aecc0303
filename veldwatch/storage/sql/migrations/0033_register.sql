-- Profiles in full, species and how fast they can be, refused devices, self-registration, and fixes judged by speed.
ALTER TABLE profile
    ADD COLUMN description text NOT NULL DEFAULT '',
    -- of a device that is on no subject, or on one without a limit of its own; metres per second
    ADD COLUMN maximum_speed double precision CHECK (maximum_speed > 0);
ALTER TABLE profile_metric
    -- where the plausible range comes from: a data sheet, a standard
    ADD COLUMN range_source text NOT NULL DEFAULT '',
    ADD CHECK (minimum IS NULL OR maximum IS NULL OR minimum <= maximum);

CREATE TABLE species (
    -- scientific name
    name text PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 256),
    common_name text NOT NULL DEFAULT '',
    -- metres per second: nothing of this species moves faster; NULL: not known
    maximum_speed double precision CHECK (maximum_speed > 0),
    source text NOT NULL DEFAULT ''
);
-- metres per second; NULL: the species'
ALTER TABLE subject ADD COLUMN maximum_speed double precision CHECK (maximum_speed > 0);

-- refused: a person said no; what it sends goes to quarantine, and it is not registered again
ALTER TABLE device DROP CONSTRAINT device_status_check;
ALTER TABLE device ADD CONSTRAINT device_status_check CHECK (status IN ('pending', 'active', 'retired', 'refused'));
-- whether its own first message registered it: what the hourly limit counts
ALTER TABLE device ADD COLUMN self_registered boolean NOT NULL DEFAULT false;
CREATE INDEX device_self_registered ON device (organisation_id, created_at) WHERE self_registered;

-- What programs remember of the register is over: intake listens.
CREATE FUNCTION tell_register_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NOTIFY veldwatch_register;
    RETURN NULL;
END;
$$;
CREATE TRIGGER device_change AFTER UPDATE OR DELETE ON device
    FOR EACH STATEMENT EXECUTE FUNCTION tell_register_change();
CREATE TRIGGER profile_metric_change AFTER INSERT OR UPDATE OR DELETE ON profile_metric
    FOR EACH STATEMENT EXECUTE FUNCTION tell_register_change();

-- Where a device moves under one limit: each of its deployments, and each stretch between them; NULL: no limit is known.
CREATE VIEW movement_stretch AS
SELECT e.device_id, e.during, coalesce(s.maximum_speed, k.maximum_speed, p.maximum_speed) AS maximum_speed
FROM deployment e
JOIN subject s ON s.id = e.subject_id
LEFT JOIN species k ON k.name = s.species
JOIN device d ON d.id = e.device_id
LEFT JOIN profile p ON p.id = d.profile_id
UNION ALL
SELECT d.id, gap.during, p.maximum_speed
FROM device d
JOIN profile p ON p.id = d.profile_id AND p.maximum_speed IS NOT NULL
CROSS JOIN LATERAL (
    SELECT unnest('{(,)}'::tstzmultirange - coalesce(
        (SELECT range_agg(e.during) FROM deployment e WHERE e.device_id = d.id), '{}'::tstzmultirange)) AS during
) gap;

-- Great circle on a sphere of the Earth's mean radius. Source: haversine formula; IUGG mean radius 6371008.8 m.
CREATE FUNCTION metres_between(longitude_a double precision, latitude_a double precision,
                               longitude_b double precision, latitude_b double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT 2 * 6371008.8 * asin(least(1.0, sqrt(
        power(sin(radians(latitude_b - latitude_a) / 2), 2)
        + cos(radians(latitude_a)) * cos(radians(latitude_b)) * power(sin(radians(longitude_b - longitude_a) / 2), 2))))
$$;

-- A fix is implausible (quality 4) when most of its neighbours, the two before it and the two after it in time within
-- the same stretch, cannot be reached at the stretch's speed, one before it among them. It is judged whenever it is read,
-- by what is stored then, so the order of arrival does not matter; raw rows stay as they are.
-- docs/decisions/0028; veldwatch/model/track.py is its equal.
CREATE OR REPLACE VIEW position AS
SELECT p.observed_at, p.device_id, p.longitude, p.latitude, p.altitude, p.accuracy, p.speed, p.heading,
       CASE WHEN p.quality & 4 = 4 THEN p.quality ELSE (p.quality | coalesce((
           SELECT 4
           FROM movement_stretch m
           CROSS JOIN LATERAL (
               SELECT count(*) AS neighbours, count(*) FILTER (WHERE far.away) AS unreachable,
                      count(*) FILTER (WHERE n.earlier) AS earlier,
                      count(*) FILTER (WHERE far.away AND n.earlier) AS unreachable_earlier
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
                          - coalesce(p.accuracy, 30) - coalesce(n.accuracy, 30)
                          > m.maximum_speed * abs(extract(epoch FROM n.observed_at - p.observed_at)) AS away
               ) far
               WHERE m.during @> n.observed_at
           ) j
           WHERE m.device_id = p.device_id AND m.during @> p.observed_at AND m.maximum_speed IS NOT NULL
             AND 2 * j.unreachable > j.neighbours
             AND CASE WHEN j.earlier > 0 THEN j.unreachable_earlier > 0 ELSE j.unreachable > 1 END
       ), 0))::smallint END AS quality,
       p.observed_at + make_interval(secs => p.delay_seconds) AS received_at
FROM position_raw p;

-- Maps show a tracker where it plausibly was last; a device that was refused is on none.
CREATE OR REPLACE VIEW dashboard.device WITH (security_barrier) AS
SELECT d.id, d.external_id, d.name, d.status, d.source, d.longitude, d.latitude, d.tags,
       o.slug AS organisation, o.name AS organisation_name, coalesce(s.slug, '-') AS site,
       coalesce(s.name, 'no site') AS site_name, coalesce(p.slug, '') AS profile, coalesce(p.name, '') AS profile_name,
       coalesce(p.kind, '') AS kind, p.expected_interval
FROM public.device d
JOIN public.organisation o ON o.id = d.organisation_id
LEFT JOIN public.site s ON s.id = d.site_id
LEFT JOIN public.profile p ON p.id = d.profile_id
WHERE d.status NOT IN ('retired', 'refused');

CREATE OR REPLACE VIEW dashboard.device_state WITH (security_barrier) AS
SELECT d.id, d.external_id, d.name, d.organisation, d.site, d.site_name, d.profile, d.kind, d.status,
       c.received_at AS last_contact_at, c.online,
       CASE WHEN c.received_at IS NULL THEN 'never heard'
            WHEN NOT c.online THEN 'offline'
            -- three missed reports, as the alerts on silence; a day where no interval is expected
            WHEN c.received_at < now() - coalesce(3 * d.expected_interval, interval '1 day') THEN 'silent'
            ELSE 'reporting' END AS state,
       coalesce(f.longitude, d.longitude) AS longitude, coalesce(f.latitude, d.latitude) AS latitude
FROM dashboard.device d
LEFT JOIN LATERAL (
    SELECT k.received_at, k.online FROM public.contact k
    WHERE k.device_id = d.id ORDER BY k.received_at DESC LIMIT 1
) c ON true
LEFT JOIN LATERAL (
    SELECT x.longitude, x.latitude FROM public.position x
    WHERE x.device_id = d.id AND d.kind = 'tracker' AND x.quality & 4 = 0 ORDER BY x.observed_at DESC LIMIT 1
) f ON true;

-- Fastest published speeds, rounded up to a whole metre per second: one outlier that is kept harms less than a good fix
-- that is lost. Sources: American Museum of Natural History, "Speed of Animals", Natural History, March 1974 (AMNH);
-- Kapama Private Game Reserve, "Animal speeds" (Kapama).
INSERT INTO species (name, common_name, maximum_speed, source) VALUES
    ('Loxodonta africana', 'African savanna elephant', 12, 'AMNH, Natural History, March 1974: 25 mi/h, charging'),
    ('Loxodonta cyclotis', 'African forest elephant', 12, 'AMNH, Natural History, March 1974: 25 mi/h, of the savanna elephant'),
    ('Elephas maximus', 'Asian elephant', 12, 'AMNH, Natural History, March 1974: 25 mi/h, of the African elephant'),
    ('Acinonyx jubatus', 'cheetah', 32, 'AMNH, Natural History, March 1974: 70 mi/h'),
    ('Panthera leo', 'lion', 23, 'AMNH, Natural History, March 1974: 50 mi/h, charging'),
    ('Panthera pardus', 'leopard', 25, 'Kapama Private Game Reserve, Animal speeds: 90 km/h'),
    ('Crocuta crocuta', 'spotted hyena', 18, 'AMNH, Natural History, March 1974: 40 mi/h'),
    ('Lycaon pictus', 'African wild dog', 21, 'AMNH, Natural History, March 1974: 45 mi/h'),
    ('Connochaetes taurinus', 'blue wildebeest', 23, 'AMNH, Natural History, March 1974: 50 mi/h'),
    ('Equus quagga', 'plains zebra', 20, 'Kapama Private Game Reserve, Animal speeds: 70 km/h'),
    ('Equus grevyi', 'Grevy''s zebra', 20, 'Kapama Private Game Reserve, Animal speeds: 70 km/h, of the plains zebra'),
    ('Giraffa camelopardalis', 'giraffe', 20, 'Kapama Private Game Reserve, Animal speeds: 70 km/h'),
    ('Syncerus caffer', 'African buffalo', 17, 'Kapama Private Game Reserve, Animal speeds: 60 km/h'),
    ('Ceratotherium simum', 'white rhinoceros', 14, 'Kapama Private Game Reserve, Animal speeds: 50 km/h'),
    ('Diceros bicornis', 'black rhinoceros', 14, 'Kapama Private Game Reserve, Animal speeds: 50 km/h, of the white rhinoceros'),
    ('Hippopotamus amphibius', 'hippopotamus', 12, 'Kapama Private Game Reserve, Animal speeds: 40 km/h'),
    ('Aepyceros melampus', 'impala', 21, 'Kapama Private Game Reserve, Animal speeds: 75 km/h'),
    ('Eudorcas thomsonii', 'Thomson''s gazelle', 23, 'AMNH, Natural History, March 1974: 50 mi/h'),
    ('Phacochoerus africanus', 'common warthog', 14, 'AMNH, Natural History, March 1974: 30 mi/h'),
    ('Struthio camelus', 'ostrich', 20, 'Kapama Private Game Reserve, Animal speeds: 70 km/h'),
    ('Ursus arctos', 'brown bear', 14, 'AMNH, Natural History, March 1974: 30 mi/h'),
    ('Canis latrans', 'coyote', 20, 'AMNH, Natural History, March 1974: 43 mi/h'),
    ('Cervus canadensis', 'elk', 21, 'AMNH, Natural History, March 1974: 45 mi/h'),
    ('Homo sapiens', 'human', 13, 'AMNH, Natural History, March 1974: 27.89 mi/h');
