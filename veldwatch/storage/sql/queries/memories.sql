-- load_head: what is remembered of one thing, without its parts
SELECT version, head FROM decoder_memory WHERE decoder = %(decoder)s AND name = %(name)s;

-- load_parts: the parts of it
SELECT part, content FROM decoder_memory_part WHERE decoder = %(decoder)s AND name = %(name)s;

-- save_heads: store heads, in one order for all writers; those whose version is not the next one are left out
INSERT INTO decoder_memory (decoder, name, version, head)
SELECT decoder, name, version, head
FROM unnest(%(decoder)s::text[], %(name)s::text[], %(version)s::bigint[], %(head)s::bytea[])
     AS n (decoder, name, version, head)
ORDER BY decoder, name
ON CONFLICT (decoder, name) DO UPDATE
SET version = EXCLUDED.version, head = EXCLUDED.head, updated_at = now()
WHERE decoder_memory.version = EXCLUDED.version - 1
RETURNING version;

-- save_parts: store parts, under heads that this transaction has stored
INSERT INTO decoder_memory_part (decoder, name, part, content)
SELECT decoder, name, part, content
FROM unnest(%(decoder)s::text[], %(name)s::text[], %(part)s::text[], %(content)s::bytea[])
     AS n (decoder, name, part, content)
ON CONFLICT (decoder, name, part) DO UPDATE SET content = EXCLUDED.content;

-- drop_parts: forget parts, under heads that this transaction has stored
DELETE FROM decoder_memory_part p
USING unnest(%(decoder)s::text[], %(name)s::text[], %(part)s::text[]) AS n (decoder, name, part)
WHERE p.decoder = n.decoder AND p.name = n.name AND p.part = n.part;

-- take_turn: wait, up to a time, until no other ingestor decodes by memories
SELECT set_config('lock_timeout', %(longest)s::text, true), pg_advisory_lock(1448232031);

-- end_turn: let others
SELECT pg_advisory_unlock(1448232031);
