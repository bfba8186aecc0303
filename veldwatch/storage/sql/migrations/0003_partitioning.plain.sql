-- Plain PostgreSQL: monthly range partitions, made before the first row of a month is written.
CREATE FUNCTION ensure_partition(parent regclass, at timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    month timestamp := date_trunc('month', at AT TIME ZONE 'UTC');
    home regnamespace;
    name text;
BEGIN
    SELECT relnamespace, format('%s_%s', relname, to_char(month, 'YYYYMM')) INTO home, name
    FROM pg_class WHERE oid = parent;
    IF to_regclass(format('%s.%I', home, name)) IS NOT NULL THEN
        RETURN;
    END IF;
    -- One lock for all partitions of all tables: two writers that need several never wait for each other in a circle.
    PERFORM pg_advisory_xact_lock(hashtext('ensure_partition'));
    -- Not to_regclass: it may answer from a cache that does not know yet what another writer has just committed.
    IF EXISTS (SELECT 1 FROM pg_class WHERE relnamespace = home AND relname = name) THEN
        RETURN;
    END IF;
    -- ATTACH takes a weaker lock than CREATE ... PARTITION OF: readers and writers of other months go on.
    EXECUTE format('CREATE TABLE %s.%I (LIKE %s INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)',
                   home, name, parent);
    EXECUTE format('ALTER TABLE %s ATTACH PARTITION %s.%I FOR VALUES FROM (%L) TO (%L)', parent, home, name,
                   month AT TIME ZONE 'UTC', (month + interval '1 month') AT TIME ZONE 'UTC');
END;
$$;

-- Whole months before a time, oldest first: what retention may drop.
CREATE FUNCTION drop_partitions_before(parent regclass, before timestamptz) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    partition record;
    dropped integer := 0;
BEGIN
    FOR partition IN
        SELECT c.oid::regclass AS name
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = parent
          AND to_timestamp(right(c.relname, 6) || '+00', 'YYYYMMTZH') + interval '1 month' <= before
        ORDER BY c.relname
    LOOP
        EXECUTE format('DROP TABLE %s', partition.name);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END;
$$;
