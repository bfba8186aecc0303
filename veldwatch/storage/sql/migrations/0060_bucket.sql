-- One bucket on every edition, and by names that need no path: the server puts the function's body in place of its call,
-- and a role of Grafana, whose path is `dashboard`, then found no time_bucket (dashboard.consumption_daily, TimescaleDB).
-- Width: fixed (weeks at most), not months; weeks begin on Monday, as with TimescaleDB's time_bucket.
CREATE OR REPLACE FUNCTION bucket(width interval, at timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$ SELECT pg_catalog.date_bin(width, at, TIMESTAMPTZ '2000-01-03 00:00:00+00') $$;
