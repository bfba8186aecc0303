-- Plain PostgreSQL: monthly range partitions, made when the first row of a month is about to be written.
CREATE FUNCTION ensure_partition(parent regclass, at timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    month timestamptz := date_trunc('month', at, 'UTC');
    name text := format('%s_%s', parent, to_char(month AT TIME ZONE 'UTC', 'YYYYMM'));
BEGIN
    IF to_regclass(name) IS NOT NULL THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext(name));
    IF to_regclass(name) IS NOT NULL THEN
        RETURN;
    END IF;
    -- ATTACH takes a weaker lock than CREATE ... PARTITION OF: readers and writers of other months go on.
    EXECUTE format('CREATE TABLE %I (LIKE %s INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)', name, parent);
    EXECUTE format('ALTER TABLE %s ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                   parent, name, month, date_add(month, interval '1 month', 'UTC'));
END;
$$;
