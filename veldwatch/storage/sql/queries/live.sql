-- tail: the newest batch that consumers may read
SELECT b.xid::text, b.id
FROM batch b
WHERE b.xid < (SELECT log_settled_before())
ORDER BY b.xid DESC, b.id DESC
LIMIT 1;

-- batch_time: when a batch that is still kept was committed
SELECT b.committed_at FROM batch b WHERE b.xid = %(xid)s::text::xid8 AND b.id = %(id)s;

-- series_names: what some series are called, and whose they are
SELECT s.id, s.device_id, d.external_id, s.metric, s.unit, d.organisation_id
FROM series s
JOIN device d ON d.id = s.device_id
WHERE s.id = ANY (%(ids)s);

-- device_names: what some devices are called, and whose they are
SELECT d.id, d.external_id, d.organisation_id FROM device d WHERE d.id = ANY (%(ids)s);
