-- What panels of many series need, so that none reads a series' history for its newest value, or joins all devices again
-- for what the register says of a series (docs/decisions/0055).

CREATE OR REPLACE VIEW dashboard.device WITH (security_barrier) AS
SELECT d.id, d.external_id, d.name, d.status, d.source, d.longitude, d.latitude, d.tags,
       o.slug AS organisation, o.name AS organisation_name, coalesce(s.slug, '-') AS site,
       coalesce(s.name, 'no site') AS site_name, coalesce(p.slug, '') AS profile, coalesce(p.name, '') AS profile_name,
       coalesce(p.kind, '') AS kind, p.expected_interval, s.id AS site_id, d.supplies_site, d.customers, d.gateway_id
FROM public.device d
JOIN public.readable_organisation o ON o.id = d.organisation_id
LEFT JOIN public.site s ON s.id = d.site_id AND s.organisation_id = d.organisation_id
LEFT JOIN public.profile p ON p.id = d.profile_id
WHERE d.status NOT IN ('retired', 'refused');

CREATE OR REPLACE VIEW dashboard.series WITH (security_barrier) AS
SELECT s.id, s.device_id, s.metric, s.unit, s.kind, s.register_modulus, u.quantity, coalesce(u.factor, 1.0) AS factor,
       d.external_id AS device, d.name AS device_name, d.kind AS device_kind, d.organisation, d.site, d.site_name,
       d.profile, d.expected_interval,
       -- for legends: the metric is said where the device has another in the same unit
       CASE WHEN EXISTS (SELECT FROM public.series x
                         WHERE x.device_id = s.device_id AND x.unit = s.unit AND x.metric <> s.metric)
            THEN d.name || ' ' || s.metric ELSE d.name END AS label,
       d.site_id, d.supplies_site, d.customers
FROM public.series s
JOIN dashboard.device d ON d.id = s.device_id
LEFT JOIN dashboard.unit u ON u.unit = s.unit;

CREATE OR REPLACE VIEW dashboard.supply WITH (security_barrier) AS
SELECT s.id AS series_id, s.quantity, CASE WHEN s.metric LIKE '%export%' THEN -s.factor ELSE s.factor END AS factor, s.site_id,
       'inlet' AS part, s.device_id, NULL::integer AS customers
FROM dashboard.series s
WHERE s.supplies_site AND s.kind = 'counter' AND s.quantity IN ('volume', 'energy')
UNION ALL
SELECT s.id, s.quantity, CASE WHEN s.metric LIKE '%export%' THEN -s.factor ELSE s.factor END, b.site_id, 'meter', s.device_id,
       s.customers
FROM dashboard.series s
JOIN dashboard.site_below b ON b.below_id = s.site_id
WHERE NOT s.supplies_site AND s.kind = 'counter' AND s.quantity IN ('volume', 'energy') AND s.device_kind = 'meter';

-- Readings in an order: what asks for the newest of one series then walks its key backwards, from the newest month or
-- chunk on. Through a view that is a barrier the server knows of no order that the view does not say, and sorts.
CREATE VIEW whole_reading_newest_first WITH (security_barrier) AS
SELECT observed_at, series_id, value, quality, received_at FROM reading ORDER BY observed_at DESC;

CREATE VIEW dashboard.reading_newest_first WITH (security_barrier) AS
SELECT r.observed_at, r.series_id, r.value, r.quality, r.received_at
FROM public.whole_reading_newest_first r
WHERE (SELECT everything FROM public.dashboard_reader)
   OR EXISTS (SELECT FROM public.tenant_series t WHERE t.id = r.series_id)
ORDER BY r.observed_at DESC;

-- The newest plausible reading of some series until a time, not older than `within` (NULL: however old); no row for a
-- series that has none. Below a barrier the server plans for all rows, and would rather read a series' whole history in the
-- order of its pages and sort it: 6 ms a series of ten days, and more each day, where the newest row takes 20 us.
CREATE FUNCTION dashboard.newest(wanted integer[], until timestamptz, within interval DEFAULT NULL)
RETURNS TABLE (series_id integer, observed_at timestamptz, value double precision, received_at timestamptz)
LANGUAGE plpgsql STABLE SET enable_bitmapscan = off AS $$
BEGIN
    RETURN QUERY EXECUTE $query$
        SELECT s.id, r.observed_at, r.value, r.received_at
        FROM unnest($1) AS s (id)
        CROSS JOIN LATERAL (
            SELECT n.observed_at, n.value, n.received_at FROM dashboard.reading_newest_first n
            WHERE n.series_id = s.id AND n.observed_at <= $2 AND n.observed_at > $3 AND n.quality & 4 = 0
            ORDER BY n.observed_at DESC LIMIT 1
        ) r
    $query$ USING wanted, until, coalesce(until - within, '-infinity');
END;
$$;

-- What flowed into sites and what the meters of their customers counted, of water ('volume') or energy.
--   metered_customers: whom those meters are of, as the register says.
CREATE FUNCTION dashboard.balance(sites integer[], of text, since timestamptz, until timestamptz)
RETURNS TABLE (site_id integer, supplied double precision, metered double precision, meters bigint, metered_customers bigint)
LANGUAGE sql STABLE AS $$
    WITH part AS MATERIALIZED (
        SELECT p.* FROM dashboard.supply p WHERE p.quantity = of AND p.site_id = ANY (sites)
    ), counted AS MATERIALIZED (
        SELECT c.series_id, sum(c.consumption) AS amount
        FROM dashboard.consumption(ARRAY(SELECT DISTINCT p.series_id FROM part p), since, until, 86400000) c
        GROUP BY 1
    ), meter AS (
        SELECT m.site_id, count(*) AS meters, coalesce(sum(m.customers), 0) AS customers
        FROM (SELECT DISTINCT p.site_id, p.device_id, p.customers FROM part p WHERE p.part = 'meter') m
        GROUP BY 1
    ), flow AS (
        SELECT p.site_id, sum(c.amount * p.factor) FILTER (WHERE p.part = 'inlet') AS supplied,
               coalesce(sum(c.amount * p.factor) FILTER (WHERE p.part = 'meter'), 0) AS metered
        FROM part p
        LEFT JOIN counted c ON c.series_id = p.series_id
        GROUP BY 1
        HAVING bool_or(p.part = 'inlet')
    )
    SELECT f.site_id, f.supplied, f.metered, coalesce(m.meters, 0), coalesce(m.customers, 0)
    FROM flow f
    LEFT JOIN meter m ON m.site_id = f.site_id
$$;

-- Contacts of some devices; where more of them are expected than half a million, of every n-th device alone, and each row
-- stands for n.
CREATE FUNCTION dashboard.contacts(wanted integer[], since timestamptz, until timestamptz)
RETURNS TABLE (received_at timestamptz, device_id integer, messages integer, last_observed_at timestamptz, stands_for integer)
LANGUAGE plpgsql STABLE ROWS 100000 AS $$
DECLARE
    nth integer;
BEGIN
    SELECT greatest(1, ceil(sum(coalesce(3600 / nullif(extract(epoch FROM d.expected_interval), 0), 1))
                            * extract(epoch FROM until - since) / 3600 / 500000))
    INTO nth FROM dashboard.device d WHERE d.id = ANY (wanted);
    RETURN QUERY EXECUTE $query$
        SELECT c.received_at, c.device_id, c.messages, c.last_observed_at, $4 FROM dashboard.contact c
        WHERE c.device_id = ANY ($1) AND c.received_at >= $2 AND c.received_at <= $3
    $query$ USING ARRAY(SELECT w.id FROM unnest(wanted) WITH ORDINALITY AS w (id, place) WHERE w.place % nth = 0),
        since, until, nth;
END;
$$;
