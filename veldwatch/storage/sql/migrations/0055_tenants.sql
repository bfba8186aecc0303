-- Tenants: a role of the database for each organisation's Grafana, and views that show it that organisation and no other.
-- A view's condition asks for current_user, which SQL that a viewer sends cannot change: not a setting (anybody may SET
-- it), not row-level security (hypertables with columnstore do not take it). docs/decisions/0051.
CREATE TABLE tenant_role (
    -- grafana_t<organisation's id>_<hash of the database's name>: veldwatch/storage/tenants.py
    role name PRIMARY KEY,
    -- what others share with it would be said beside this, not in its place
    organisation_id integer NOT NULL UNIQUE REFERENCES organisation ON DELETE CASCADE,
    -- by which its organisation of Grafana is known: who administers another one cannot know it
    mark uuid NOT NULL DEFAULT gen_random_uuid(),
    created_at timestamptz NOT NULL DEFAULT now(),
    -- when Grafana was last told its password, which is kept nowhere else; NULL: not yet, so it needs another
    told_at timestamptz
);

-- Whether the role that asks sees every organisation: the operator's own role of Grafana, and who may read the tables anyway.
CREATE VIEW dashboard_reader AS
SELECT current_user = 'grafana_ro' OR has_table_privilege('public.organisation'::regclass, 'SELECT') AS everything;

-- What the role that asks sees. A view in the schema dashboard that reads a table, and not another view of that schema
-- alone, has one of these in its condition (tests/integration/dashboards/test_tenants.py looks); on large tables as
-- `(SELECT everything FROM dashboard_reader) OR EXISTS (...)`, so that the operator's role pays nothing for it.
CREATE VIEW readable_organisation AS
SELECT o.id, o.slug, o.name, o.kind FROM organisation o
WHERE (SELECT everything FROM dashboard_reader) OR o.id IN (
    SELECT t.organisation_id FROM tenant_role t WHERE t.role = current_user
);

CREATE VIEW tenant_device AS
SELECT d.id FROM device d WHERE d.organisation_id = (SELECT t.organisation_id FROM tenant_role t WHERE t.role = current_user);

CREATE VIEW tenant_series AS
SELECT s.id FROM series s JOIN tenant_device d ON d.id = s.device_id;

-- What time divides, as one: a condition on it is judged above all partitions or chunks, where on the table itself each of
-- them would look up the tenant's series anew. What Grafana asks of series and time goes through to the indexes.
CREATE VIEW whole_reading WITH (security_barrier) AS
SELECT observed_at, series_id, value, quality, received_at FROM reading;
CREATE VIEW whole_reading_hourly WITH (security_barrier) AS
SELECT bucket, series_id, count, minimum, maximum, average, first, last FROM reading_hourly;
CREATE VIEW whole_reading_daily WITH (security_barrier) AS
SELECT bucket, series_id, count, minimum, maximum, average, first, last FROM reading_daily;
CREATE VIEW whole_consumption_hourly WITH (security_barrier) AS
SELECT bucket, series_id, amount, excess, codes, readings FROM consumption_hourly;
CREATE VIEW whole_consumption_daily WITH (security_barrier) AS
SELECT bucket, series_id, amount, excess, codes, readings FROM consumption_daily;
CREATE VIEW whole_position WITH (security_barrier) AS
SELECT observed_at, device_id, longitude, latitude, altitude, accuracy, speed, heading, quality, received_at FROM position;
CREATE VIEW whole_event WITH (security_barrier) AS
SELECT observed_at, device_id, kind, attributes, digest, received_at FROM event;
CREATE VIEW whole_contact WITH (security_barrier) AS
SELECT received_at, device_id, messages, first_observed_at, last_observed_at, online FROM contact;

CREATE OR REPLACE VIEW dashboard.organisation WITH (security_barrier) AS
SELECT o.id, o.slug, o.name, o.kind FROM public.readable_organisation o;

CREATE OR REPLACE VIEW dashboard.site WITH (security_barrier) AS
SELECT s.id, s.slug, s.name, s.kind, o.slug AS organisation, o.name AS organisation_name, p.slug AS parent
FROM public.site s
JOIN public.readable_organisation o ON o.id = s.organisation_id
LEFT JOIN public.site p ON p.id = s.parent_id AND p.organisation_id = s.organisation_id;

CREATE OR REPLACE VIEW dashboard.device WITH (security_barrier) AS
SELECT d.id, d.external_id, d.name, d.status, d.source, d.longitude, d.latitude, d.tags,
       o.slug AS organisation, o.name AS organisation_name, coalesce(s.slug, '-') AS site,
       coalesce(s.name, 'no site') AS site_name, coalesce(p.slug, '') AS profile, coalesce(p.name, '') AS profile_name,
       coalesce(p.kind, '') AS kind, p.expected_interval
FROM public.device d
JOIN public.readable_organisation o ON o.id = d.organisation_id
LEFT JOIN public.site s ON s.id = d.site_id AND s.organisation_id = d.organisation_id
LEFT JOIN public.profile p ON p.id = d.profile_id
WHERE d.status NOT IN ('retired', 'refused');

CREATE OR REPLACE VIEW dashboard.reading WITH (security_barrier) AS
SELECT r.observed_at, r.series_id, r.value, r.quality, r.received_at
FROM public.whole_reading r
WHERE (SELECT everything FROM public.dashboard_reader)
   OR EXISTS (SELECT FROM public.tenant_series t WHERE t.id = r.series_id);

CREATE OR REPLACE VIEW dashboard.reading_hourly WITH (security_barrier) AS
SELECT r.bucket, r.series_id, r.count, r.minimum, r.maximum, r.average, r.first, r.last
FROM public.whole_reading_hourly r
WHERE (SELECT everything FROM public.dashboard_reader)
   OR EXISTS (SELECT FROM public.tenant_series t WHERE t.id = r.series_id);

CREATE OR REPLACE VIEW dashboard.reading_daily WITH (security_barrier) AS
SELECT r.bucket, r.series_id, r.count, r.minimum, r.maximum, r.average, r.first, r.last
FROM public.whole_reading_daily r
WHERE (SELECT everything FROM public.dashboard_reader)
   OR EXISTS (SELECT FROM public.tenant_series t WHERE t.id = r.series_id);

CREATE OR REPLACE VIEW dashboard.consumption_hourly WITH (security_barrier) AS
SELECT c.bucket, c.series_id, c.amount, c.excess, c.codes, c.readings
FROM public.whole_consumption_hourly c
WHERE (SELECT everything FROM public.dashboard_reader)
   OR EXISTS (SELECT FROM public.tenant_series t WHERE t.id = c.series_id);

CREATE OR REPLACE VIEW dashboard.consumption_daily WITH (security_barrier) AS
SELECT c.bucket, c.series_id, c.amount, c.excess, c.codes, c.readings
FROM public.whole_consumption_daily c
WHERE (SELECT everything FROM public.dashboard_reader)
   OR EXISTS (SELECT FROM public.tenant_series t WHERE t.id = c.series_id);

CREATE OR REPLACE VIEW dashboard.position WITH (security_barrier) AS
SELECT p.observed_at, p.device_id, p.longitude, p.latitude, p.altitude, p.accuracy, p.speed, p.heading, p.quality,
       p.received_at
FROM public.whole_position p
WHERE (SELECT everything FROM public.dashboard_reader)
   OR EXISTS (SELECT FROM public.tenant_device t WHERE t.id = p.device_id);

CREATE OR REPLACE VIEW dashboard.event WITH (security_barrier) AS
SELECT e.observed_at, e.device_id, e.kind, e.attributes, e.digest, e.received_at
FROM public.whole_event e
WHERE (SELECT everything FROM public.dashboard_reader)
   OR EXISTS (SELECT FROM public.tenant_device t WHERE t.id = e.device_id);

CREATE OR REPLACE VIEW dashboard.contact WITH (security_barrier) AS
SELECT c.received_at, c.device_id, c.messages, c.first_observed_at, c.last_observed_at, c.online
FROM public.whole_contact c
WHERE (SELECT everything FROM public.dashboard_reader)
   OR EXISTS (SELECT FROM public.tenant_device t WHERE t.id = c.device_id);

-- A rule of all organisations may still be written for one: its selector says so.
CREATE OR REPLACE VIEW dashboard.rule WITH (security_barrier) AS
SELECT r.slug, coalesce(v.definition ->> 'title', r.slug) AS title, v.version, r.enabled,
       v.definition ->> 'severity' AS severity
FROM public.rule r
JOIN public.rule_version v ON v.rule_id = r.id AND v.active
WHERE (SELECT everything FROM public.dashboard_reader)
   OR r.organisation_id IN (SELECT o.id FROM public.readable_organisation o)
   OR r.organisation_id IS NULL
      AND coalesce((v.definition -> 'select' ->> 'organisation')
                   IN (SELECT o.slug FROM public.readable_organisation o), true);

-- Device, site and series are the alert's organisation's own, or are not told.
CREATE OR REPLACE VIEW dashboard.alert WITH (security_barrier) AS
SELECT a.id, r.slug AS rule, v.version AS rule_version, coalesce(v.definition ->> 'title', r.slug) AS rule_title,
       o.slug AS organisation, coalesce(s.slug, '-') AS site, coalesce(s.name, 'no site') AS site_name,
       a.device_id, coalesce(d.external_id, '') AS device, coalesce(d.name, '') AS device_name,
       a.series_id, coalesce(e.metric, '') AS metric, a.severity,
       array_position(ARRAY['info', 'minor', 'major', 'critical'], a.severity) AS severity_rank,
       a.state, a.opened_at, a.fired_at, a.resolved_at, a.recorded_at, a.late, a.value, a.summary,
       a.acknowledged_at, a.acknowledged_by, d.longitude, d.latitude
FROM public.alert a
JOIN public.rule_version v ON v.id = a.rule_version_id
JOIN public.rule r ON r.id = v.rule_id
JOIN public.readable_organisation o ON o.id = a.organisation_id
LEFT JOIN public.device d ON d.id = a.device_id AND d.organisation_id = a.organisation_id
LEFT JOIN public.site s ON s.id = coalesce(a.site_id, d.site_id) AND s.organisation_id = a.organisation_id
LEFT JOIN public.series e ON e.id = a.series_id;

CREATE OR REPLACE VIEW dashboard.alert_transition WITH (security_barrier) AS
SELECT t.id, t.alert_id, t.kind, t.at, t.recorded_at, t.author
FROM public.alert_transition t
JOIN public.alert a ON a.id = t.alert_id
WHERE (SELECT everything FROM public.dashboard_reader)
   OR a.organisation_id IN (SELECT o.id FROM public.readable_organisation o);

-- Who was told, without addresses, secrets or texts. To a tenant also who at the operator's was told of its alerts,
-- as the API tells it, but not by the name of a receiver that is another organisation's.
CREATE OR REPLACE VIEW dashboard.notification WITH (security_barrier) AS
SELECT b.id, b.alert_id, c.slug AS receiver, c.channel, b.state, coalesce(b.reason, '') AS reason, b.attempts,
       b.next_attempt_at, b.created_at, b.delivered_at
FROM public.outbox b
JOIN public.receiver c ON c.id = b.receiver_id
JOIN public.alert a ON a.id = b.alert_id
WHERE (SELECT everything FROM public.dashboard_reader)
   OR a.organisation_id IN (SELECT o.id FROM public.readable_organisation o)
      AND coalesce(c.organisation_id = a.organisation_id, true);

CREATE OR REPLACE VIEW dashboard.attempt WITH (security_barrier) AS
SELECT t.id, t.outbox_id, t.number, t.at, t.outcome
FROM public.attempt t
JOIN dashboard.notification n ON n.id = t.outbox_id;

-- Without the payloads. A message is the organisation's whose topic or source it came by; where nobody knows that, it is
-- the operator's alone.
CREATE OR REPLACE VIEW dashboard.quarantine WITH (security_barrier) AS
SELECT q.id, q.received_at, q.last_received_at, q.count, q.source, q.topic, q.reason, q.detail,
       CASE WHEN q.state = 'stored' THEN q.settled_at END AS replayed_at, q.state
FROM public.quarantine q
WHERE (SELECT everything FROM public.dashboard_reader)
   OR q.organisation IN (SELECT o.slug FROM public.readable_organisation o);

-- The platform's own state is the operator's alone.
CREATE OR REPLACE VIEW dashboard.batch WITH (security_barrier) AS
SELECT b.id, b.committed_at, octet_length(b.content) AS bytes
FROM public.batch b
WHERE (SELECT everything FROM public.dashboard_reader);

CREATE OR REPLACE VIEW dashboard.consumer WITH (security_barrier) AS
SELECT c.consumer, c.updated_at, w.batches AS batches_behind,
       coalesce(extract(epoch FROM now() - w.oldest), 0)::double precision AS seconds_behind
FROM public.log_cursor c
CROSS JOIN LATERAL (
    SELECT count(*) AS batches, min(b.committed_at) AS oldest
    FROM public.batch b WHERE (b.xid, b.id) > (c.xid, c.id)
) w
WHERE (SELECT everything FROM public.dashboard_reader);

CREATE OR REPLACE VIEW dashboard.storage_part WITH (security_barrier) AS
SELECT p.table_name, p.part, p.began, p.ended, p.row_estimate, p.bytes, p.bytes_before, p.is_compressed
FROM public.storage_parts() p
WHERE (SELECT everything FROM public.dashboard_reader);

CREATE OR REPLACE VIEW dashboard.storage_table WITH (security_barrier) AS
SELECT c.relname::text AS table_name, greatest(c.reltuples, pg_stat_get_live_tuples(c.oid), 0)::bigint AS row_estimate,
       pg_total_relation_size(c.oid) AS bytes
FROM pg_class c
WHERE (SELECT everything FROM public.dashboard_reader)
  AND c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND NOT c.relispartition
  AND c.relname NOT IN ('reading_raw', 'position_raw', 'event_raw', 'contact', 'reading_hourly_rollup',
                        'reading_daily_rollup', 'consumption_hourly_rollup');

CREATE OR REPLACE VIEW dashboard.storage_upkeep WITH (security_barrier) AS
SELECT j.work, j.last_success_at, greatest(now() - j.next_at, interval '0') AS late_by, j.is_failing, j.failures
FROM public.storage_jobs() j
WHERE (SELECT everything FROM public.dashboard_reader)
UNION ALL
SELECT CASE c.consumer WHEN 'rollups' THEN 'roll up reading' ELSE 'judge consumption' END, c.updated_at,
       make_interval(secs => c.seconds_behind), NULL, NULL
FROM dashboard.consumer c
WHERE c.consumer IN ('rollups', 'consumption');

-- Tenants' roles are members of one role that is granted the views, so that a dump names no tenant's role and a later
-- migration grants to all of them at once. As itself it is in no row of tenant_role, so it sees nothing.
CREATE OR REPLACE FUNCTION grant_dashboards(reader name) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    granted name;
BEGIN
    FOR granted IN SELECT rolname FROM pg_roles WHERE rolname IN (reader, 'grafana_tenant') LOOP
        EXECUTE format('GRANT USAGE ON SCHEMA dashboard TO %I', granted);
        EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA dashboard TO %I', granted);
        EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA dashboard GRANT SELECT ON TABLES TO %I', granted);
    END LOOP;
END;
$$;

-- Close what PostgreSQL leaves open to every role, before the first tenant is let in; the owner of the tables keeps it.
-- Functions are the server's own, so only a superuser can close them; each row says what stays open, and none is well.
--   database, schema: temporary tables, and functions of the schema public, of which some run as their owner
--   locks: an advisory lock of ours that a viewer holds stops intake, rules and migrations
--   large objects, messages to the WAL: written without a grant on any table
--   transaction ids: an open transaction that has one holds up all readers of the log
--   sleep, notify: hold a connection; wake programs for nothing
CREATE FUNCTION close_to_tenants() RETURNS TABLE (open text) LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    master name := (SELECT c.relowner::regrole::text FROM pg_class c WHERE c.oid = 'public.organisation'::regclass);
    door record;
BEGIN
    BEGIN
        EXECUTE format('REVOKE CREATE, TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
    EXCEPTION WHEN insufficient_privilege OR internal_error THEN
        -- the second: somebody changes the database's privileges at this moment
        RAISE NOTICE 'database % was not closed here: %', current_database(), SQLERRM;
    END;
    BEGIN
        REVOKE ALL ON SCHEMA public FROM PUBLIC;
        EXECUTE format('GRANT USAGE ON SCHEMA public TO %I', master);
    EXCEPTION WHEN insufficient_privilege THEN
        RAISE NOTICE 'schema public was not closed here: %', SQLERRM;
    END;
    IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        FOR door IN SELECT d.function FROM public.doors() d WHERE d.open LOOP
            EXECUTE format('REVOKE EXECUTE ON ROUTINE %s FROM PUBLIC', door.function);
            EXECUTE format('GRANT EXECUTE ON ROUTINE %s TO %I', door.function, master);
        END LOOP;
    END IF;
    RETURN QUERY SELECT o.open FROM public.open_to_tenants() o;
END;
$$;

-- Functions of the server's own that a tenant's role has no use for, and whether every role may call them.
CREATE FUNCTION doors() RETURNS TABLE (function regprocedure, open boolean)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT p.oid::regprocedure, p.proacl IS NULL OR EXISTS (
               SELECT FROM aclexplode(p.proacl) a WHERE a.grantee = 0 AND a.privilege_type = 'EXECUTE')
    FROM pg_proc p
    WHERE p.pronamespace = 'pg_catalog'::regnamespace
      AND (p.proname ~ '^pg_(try_)?advisory_'
           OR p.proname ~ '^(lo_(creat|create|from_bytea|put|open|close|get|lseek|lseek64|tell|tell64|truncate|truncate64|unlink)|loread|lowrite)$'
           OR p.proname IN ('pg_logical_emit_message', 'pg_notify', 'txid_current', 'pg_current_xact_id')
           OR p.proname ~ '^pg_sleep')
       -- one of TimescaleDB's is: it sets how far a rollup is refreshed
       OR p.prosecdef AND p.pronamespace NOT IN ('public'::regnamespace, 'dashboard'::regnamespace)
$$;

CREATE FUNCTION open_to_tenants() RETURNS TABLE (open text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT format('%s on database %s', a.privilege_type, d.datname)
    FROM pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
    WHERE d.datname = current_database() AND a.grantee = 0 AND a.privilege_type IN ('CREATE', 'TEMPORARY')
    UNION ALL
    SELECT format('%s on schema public', a.privilege_type)
    FROM pg_namespace n, aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a
    WHERE n.nspname = 'public' AND a.grantee = 0
    UNION ALL
    SELECT format('function %s', d.function) FROM public.doors() d WHERE d.open
$$;
REVOKE EXECUTE ON FUNCTION close_to_tenants(), doors(), open_to_tenants() FROM PUBLIC;

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'grafana_tenant') THEN
        -- Roles belong to the whole server: another database's migration may make it at the same moment.
        BEGIN
            CREATE ROLE grafana_tenant NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT;
        EXCEPTION WHEN duplicate_object OR unique_violation OR insufficient_privilege THEN
            RAISE NOTICE 'role grafana_tenant was not made here: %', SQLERRM;
        END;
    END IF;
END;
$$;
