-- Values as whole numbers: 12.34 is 1234 hundredths, which compresses to a fifth of a float8 and takes half of it before
-- (docs/decisions/0049). What is not exactly so stays a float8: every value comes back bit for bit.
ALTER TABLE reading_raw ADD COLUMN divisor smallint;
ALTER TABLE reading_raw ADD COLUMN scaled integer;
ALTER TABLE reading_raw ALTER COLUMN value DROP NOT NULL;

-- What a row of reading_raw says; inlined where it is used.
CREATE FUNCTION value_of(divisor smallint, scaled integer, value double precision) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT coalesce(value, scaled / divisor::double precision) $$;

CREATE OR REPLACE VIEW reading AS
SELECT r.observed_at, r.series_id, value_of(r.divisor, r.scaled, r.value) AS value, r.quality,
       r.observed_at + make_interval(secs => r.delay_seconds) AS received_at
FROM reading_raw r;
