-- tenants: every organisation, with the role that its Grafana reads with, where it has one
SELECT o.id, o.slug, o.name, t.role, t.role IS NOT NULL AND r.rolname IS NOT NULL AS has_role, t.told_at
FROM organisation o
LEFT JOIN tenant_role t ON t.organisation_id = o.id
LEFT JOIN pg_roles r ON r.rolname = t.role
ORDER BY o.slug;

-- mark: by which an organisation's own of Grafana is known, before its role is made
INSERT INTO tenant_role AS t (role, organisation_id) VALUES (%(role)s, %(organisation_id)s)
ON CONFLICT (organisation_id) DO UPDATE
SET role = EXCLUDED.role, told_at = CASE WHEN t.role = EXCLUDED.role THEN t.told_at END
RETURNING mark::text;

-- forget_password: Grafana has not been told the role's new one
UPDATE tenant_role SET told_at = NULL WHERE role = %(role)s;

-- take_turn: one provisioning at a time
SELECT pg_try_advisory_lock(hashtext('veldwatch dashboards provision'));

-- end_turn: let the next one begin
SELECT pg_advisory_unlock(hashtext('veldwatch dashboards provision'));

-- mark_told: Grafana knows the role's password
UPDATE tenant_role SET told_at = clock_timestamp() WHERE role = %(role)s;

-- forget_role: it is no organisation's any more
DELETE FROM tenant_role WHERE role = %(role)s;

-- place: of which database of which server a tenant's role is
SELECT (SELECT system_identifier FROM pg_control_system()) || '/' || current_database();

-- roles_without_organisation: this database's roles of tenants that no organisation has, and those of databases that are gone
SELECT r.rolname
FROM pg_roles r
WHERE r.rolname ~ '^grafana_t[0-9]+_[0-9a-f]{8}$'
  AND NOT EXISTS (SELECT FROM tenant_role t WHERE t.role = r.rolname)
  AND NOT EXISTS (
      SELECT FROM pg_database d
      -- without the server, too: so they were named before, and another database's may be until it is provisioned again
      CROSS JOIN LATERAL (VALUES ((SELECT system_identifier FROM pg_control_system()) || '/' || d.datname), (d.datname)) AS n (place)
      WHERE d.datname <> current_database()
        AND left(encode(sha256(convert_to(n.place, 'UTF8')), 'hex'), 8) = right(r.rolname, 8))
ORDER BY r.rolname;

-- any_role: whether tenants are let in
SELECT EXISTS (SELECT FROM tenant_role);

-- close: what PostgreSQL leaves open to every role; what stays open
SELECT open FROM close_to_tenants() ORDER BY open;

-- open: what PostgreSQL leaves open to every role
SELECT open FROM open_to_tenants() ORDER BY open;

-- excess: what a tenant's role has beyond the views of its organisation
SELECT t.role, r.rolname IS NOT NULL AS exists,
       array_remove(ARRAY[
           CASE WHEN r.rolsuper THEN 'SUPERUSER' END, CASE WHEN r.rolbypassrls THEN 'BYPASSRLS' END,
           CASE WHEN r.rolcreaterole THEN 'CREATEROLE' END, CASE WHEN r.rolcreatedb THEN 'CREATEDB' END,
           CASE WHEN r.rolreplication THEN 'REPLICATION' END], NULL)
       || ARRAY(SELECT 'member of ' || m.roleid::regrole::text FROM pg_auth_members m
                WHERE m.member = r.oid AND m.roleid::regrole::text <> 'grafana_tenant' ORDER BY 1)
       || ARRAY(SELECT 'privileges on ' || c.oid::regclass::text FROM pg_class c
                WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
                  AND has_table_privilege(r.oid, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE') ORDER BY 1) AS excess
FROM tenant_role t
LEFT JOIN pg_roles r ON r.rolname = t.role
ORDER BY t.role;

-- slow_readers: roles of Grafana in this database with a transaction that has been open for long
SELECT DISTINCT a.usename FROM pg_stat_activity a
WHERE a.datname = current_database() AND a.xact_start < now() - %(longest)s::interval
  AND (a.usename = 'grafana_ro' OR a.usename IN (SELECT role FROM tenant_role))
ORDER BY 1;

-- end_slow_readers: end the tenants' sessions whose transaction has been open for long, or at all long while notifications
-- pile up: a session that listens and stays in a transaction keeps all of them
SELECT a.usename, pg_terminate_backend(a.pid)
FROM pg_stat_activity a
WHERE a.datname = current_database() AND a.usename IN (SELECT role FROM tenant_role)
  AND a.xact_start < now() - CASE WHEN pg_notification_queue_usage() > %(full)s
                                  THEN %(longest_while_full)s::interval ELSE %(longest)s::interval END
  AND ((SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = current_user)
       OR pg_has_role('pg_signal_backend', 'USAGE') OR pg_has_role(a.usename, 'USAGE'));

-- careless_views: views that tenants may read and that show rows of tables without a condition of whose they are
SELECT v.relname
FROM pg_class v
JOIN LATERAL (
    SELECT bool_or(r.relnamespace <> v.relnamespace) AS reads_tables,
           bool_or(r.relname IN ('dashboard_reader', 'readable_organisation', 'tenant_device', 'tenant_series')
                   AND r.relnamespace = 'public'::regnamespace) AS asks,
           -- it may show rows of tables that belong to rows of a view that asks; units are nobody's
           bool_or(r.relnamespace = v.relnamespace AND r.relname <> 'unit') AS follows
    FROM pg_rewrite w
    JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid AND d.refclassid = 'pg_class'::regclass
    JOIN pg_class r ON r.oid = d.refobjid AND r.oid <> v.oid
    WHERE w.ev_class = v.oid
) seen ON true
WHERE v.relnamespace = 'dashboard'::regnamespace AND v.relkind IN ('v', 'm', 'r', 'p', 'f')
  AND has_table_privilege(to_regrole('grafana_tenant'), v.oid, 'SELECT')
  AND (v.relkind <> 'v' OR seen.reads_tables AND NOT seen.asks AND NOT seen.follows)
  -- kinds of devices are nobody's
  AND v.relname <> 'metric_range'
ORDER BY v.relname;
