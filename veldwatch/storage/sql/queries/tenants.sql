-- tenants: every organisation, with the role that its Grafana reads with, where it has one
SELECT o.id, o.slug, o.name, t.role, t.role IS NOT NULL AND r.rolname IS NOT NULL AS has_role, t.told_at
FROM organisation o
LEFT JOIN tenant_role t ON t.organisation_id = o.id
LEFT JOIN pg_roles r ON r.rolname = t.role
ORDER BY o.slug;

-- remember_role: an organisation's role, whose password Grafana has not been told yet
INSERT INTO tenant_role (role, organisation_id) VALUES (%(role)s, %(organisation_id)s)
ON CONFLICT (organisation_id) DO UPDATE SET role = EXCLUDED.role, told_at = NULL;

-- mark_told: Grafana knows the role's password
UPDATE tenant_role SET told_at = clock_timestamp() WHERE role = %(role)s;

-- forget_role: it is no organisation's any more
DELETE FROM tenant_role WHERE role = %(role)s;

-- roles_without_organisation: this database's roles of tenants that no organisation has, and those of databases that are gone
SELECT r.rolname
FROM pg_roles r
WHERE r.rolname ~ '^grafana_t[0-9]+_[0-9a-f]{8}$'
  AND NOT EXISTS (SELECT FROM tenant_role t WHERE t.role = r.rolname)
  AND NOT EXISTS (
      SELECT FROM pg_database d
      WHERE d.datname <> current_database()
        AND left(encode(sha256(convert_to(d.datname, 'UTF8')), 'hex'), 8) = right(r.rolname, 8))
ORDER BY r.rolname;

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
