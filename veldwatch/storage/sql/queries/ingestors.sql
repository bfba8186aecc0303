-- save: what an ingestor says of itself
INSERT INTO ingestor (name, started_at, seen_at, protocol, shared, in_flight, oldest_unacknowledged_at, probed_at,
                      queue_delay_seconds)
VALUES (%(name)s, %(started_at)s, %(seen_at)s, %(protocol)s, %(shared)s, %(in_flight)s, %(oldest_unacknowledged_at)s,
        %(probed_at)s, %(queue_delay_seconds)s)
ON CONFLICT (name) DO UPDATE
SET started_at = EXCLUDED.started_at, seen_at = EXCLUDED.seen_at, protocol = EXCLUDED.protocol,
    shared = EXCLUDED.shared, in_flight = EXCLUDED.in_flight,
    oldest_unacknowledged_at = EXCLUDED.oldest_unacknowledged_at, probed_at = EXCLUDED.probed_at,
    queue_delay_seconds = EXCLUDED.queue_delay_seconds;

-- save_sources: what came to it by each source
INSERT INTO ingestor_source (ingestor, source, messages, quarantined, messages_per_second, last_received_at,
                             lag_seconds)
SELECT %(ingestor)s, source, messages, quarantined, messages_per_second, last_received_at, lag_seconds
FROM unnest(%(source)s::text[], %(messages)s::bigint[], %(quarantined)s::bigint[],
            %(messages_per_second)s::double precision[], %(last_received_at)s::timestamptz[],
            %(lag_seconds)s::double precision[])
     AS n (source, messages, quarantined, messages_per_second, last_received_at, lag_seconds)
ON CONFLICT (ingestor, source) DO UPDATE
SET messages = EXCLUDED.messages, quarantined = EXCLUDED.quarantined,
    messages_per_second = EXCLUDED.messages_per_second, last_received_at = EXCLUDED.last_received_at,
    lag_seconds = EXCLUDED.lag_seconds;

-- forget: those that were not seen for long, and what an ingestor of this name said before it started anew
DELETE FROM ingestor WHERE seen_at < %(before)s OR name = %(name)s;

-- list: every ingestor, by name
SELECT name, started_at, seen_at, protocol, shared, in_flight, oldest_unacknowledged_at, probed_at, queue_delay_seconds
FROM ingestor ORDER BY name;

-- list_sources: what came to each, by name
SELECT ingestor, source, messages, quarantined, messages_per_second, last_received_at, lag_seconds
FROM ingestor_source ORDER BY ingestor, source;
