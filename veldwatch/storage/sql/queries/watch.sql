-- beat: an ingestor listens at a time; a new span if its last one ended longer ago than a short break
WITH extended AS (
    UPDATE watch SET seen_at = greatest(seen_at, %(now)s::timestamptz)
    WHERE id = (SELECT id FROM watch WHERE ingestor = %(ingestor)s ORDER BY id DESC LIMIT 1)
      AND seen_at >= %(now)s::timestamptz - %(longest_break)s::interval
    RETURNING id
)
INSERT INTO watch (ingestor, began_at, seen_at)
SELECT %(ingestor)s, %(now)s::timestamptz, %(now)s::timestamptz
WHERE NOT EXISTS (SELECT 1 FROM extended);

-- newest: how many spans there are, and until when somebody listened
SELECT count(*), max(seen_at) FROM watch;

-- spans: when somebody listened, of all ingestors, by their beginnings
SELECT began_at, seen_at FROM watch
WHERE %(since)s::timestamptz IS NULL OR seen_at >= %(since)s
ORDER BY began_at, seen_at;
