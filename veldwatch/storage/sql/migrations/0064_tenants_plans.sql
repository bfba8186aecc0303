-- What a tenant's viewer can do by SQL of his own, though no row of another is ever given to him: learn values by plans,
-- fill the server's notifications and its disk. docs/how-to/dashboards-for-tenants.md says what remains.

-- Wake whoever listens, unless notifications pile up: a session that listens and never reads keeps all of them, and once
-- their room is full no transaction that notifies can commit. Who is not woken looks by itself a little later.
CREATE FUNCTION wake(channel text, payload text DEFAULT '') RETURNS void LANGUAGE sql VOLATILE AS $$
    SELECT CASE WHEN pg_catalog.pg_notification_queue_usage() < 0.5 THEN pg_catalog.pg_notify(channel, payload) END
$$;
REVOKE EXECUTE ON FUNCTION wake(text, text) FROM PUBLIC;

-- Who must be told of these is told whatever piles up, or the change waits. Asking first frees what nobody keeps any more.
CREATE OR REPLACE FUNCTION tell_register_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notification_queue_usage();
    NOTIFY veldwatch_register;
    RETURN NULL;
END;
$$;
CREATE OR REPLACE FUNCTION credential_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notification_queue_usage();
    NOTIFY credential;
    RETURN NULL;
END
$$;

-- Functions whose conditions PostgreSQL judges before a view's own, because they tell nothing of their arguments. EXPLAIN
-- ANALYZE counts the rows that such a condition lets pass, everybody's: asked again and again it tells a value to the last
-- digit. Kept are those of keys and times alone, without which no index would be used.
CREATE FUNCTION functions_in_plans() RETURNS TABLE (function regprocedure)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT p.oid::regprocedure
    FROM pg_proc p
    WHERE p.proleakproof AND EXISTS (
        SELECT FROM unnest(p.proargtypes::oid[]) AS argument (type)
        WHERE argument.type NOT IN (
            'int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'oid'::regtype, 'bool'::regtype, 'uuid'::regtype,
            'timestamptz'::regtype))
$$;

-- Bound what a role of Grafana can write to the disk while it sorts: it may change its other settings, this one it may not.
-- False: this account may not set it.
CREATE FUNCTION bound_reader(reader name) RETURNS boolean LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = current_user)
       AND NOT has_parameter_privilege('temp_file_limit', 'SET') THEN
        RETURN false;
    END IF;
    EXECUTE format('ALTER ROLE %I SET temp_file_limit = %L', reader, '1GB');
    RETURN true;
END;
$$;

CREATE OR REPLACE FUNCTION close_to_tenants() RETURNS TABLE (open text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    master name := (SELECT c.relowner::regrole::text FROM pg_class c WHERE c.oid = 'public.organisation'::regclass);
    door record;
    reader record;
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
        FOR door IN SELECT f.function FROM public.functions_in_plans() f LOOP
            EXECUTE format('ALTER FUNCTION %s NOT LEAKPROOF', door.function);
        END LOOP;
    END IF;
    FOR reader IN SELECT r.rolname FROM public.unbounded_readers() r LOOP
        PERFORM public.bound_reader(reader.rolname);
    END LOOP;
    RETURN QUERY SELECT o.open FROM public.open_to_tenants() o;
END;
$$;

CREATE FUNCTION unbounded_readers() RETURNS TABLE (rolname name)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT r.rolname
    FROM pg_roles r
    WHERE r.rolcanlogin
      AND (r.rolname = 'grafana_ro' OR r.rolname IN (SELECT t.role FROM public.tenant_role t))
      AND NOT EXISTS (SELECT FROM unnest(r.rolconfig) AS setting (line) WHERE setting.line LIKE 'temp\_file\_limit=%')
$$;

CREATE OR REPLACE FUNCTION open_to_tenants() RETURNS TABLE (open text)
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
    UNION ALL
    SELECT format('values of others by EXPLAIN ANALYZE: %s functions such as %s', count(*), min(f.function::text))
    FROM public.functions_in_plans() f
    HAVING count(*) > 0
    UNION ALL
    SELECT format('temporary files without a limit, for role %s', r.rolname) FROM public.unbounded_readers() r
$$;
REVOKE EXECUTE ON FUNCTION functions_in_plans(), bound_reader(name), unbounded_readers() FROM PUBLIC;
