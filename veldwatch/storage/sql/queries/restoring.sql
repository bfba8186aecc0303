-- tables: how many tables a database has, beside those of extensions
SELECT count(*) FROM pg_class c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e');

-- make_reader: the role that a dump grants the dashboards' views to, as migration 9 makes it; roles are in no dump
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'grafana_ro') THEN
        CREATE ROLE grafana_ro NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT CONNECTION LIMIT 20;
        ALTER ROLE grafana_ro SET default_transaction_read_only = on;
        ALTER ROLE grafana_ro SET statement_timeout = '15s';
        ALTER ROLE grafana_ro SET idle_in_transaction_session_timeout = '30s';
        ALTER ROLE grafana_ro SET search_path = dashboard;
    END IF;
END;
$$;

-- make_extension: TimescaleDB, as the dump had it
CREATE EXTENSION IF NOT EXISTS timescaledb;

-- before: let TimescaleDB's catalogue be written by a restore
SELECT timescaledb_pre_restore();

-- after: let TimescaleDB's jobs run again
SELECT timescaledb_post_restore();

-- analyze: a restored table has no statistics
ANALYZE;
