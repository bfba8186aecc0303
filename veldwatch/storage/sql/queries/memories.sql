-- load_head: what is remembered of one thing, without its parts
SELECT version, head FROM decoder_memory WHERE source = %(source)s AND name = %(name)s;

-- load_parts: the parts of it
SELECT part, content FROM decoder_memory_part WHERE source = %(source)s AND name = %(name)s;

-- save_heads: store heads, in one order for all writers; those whose version is not the next one are left out
INSERT INTO decoder_memory (source, name, version, head)
SELECT source, name, version, head
FROM unnest(%(source)s::text[], %(name)s::text[], %(version)s::bigint[], %(head)s::bytea[])
     AS n (source, name, version, head)
ORDER BY source, name
ON CONFLICT (source, name) DO UPDATE
SET version = EXCLUDED.version, head = EXCLUDED.head, updated_at = now()
WHERE decoder_memory.version = EXCLUDED.version - 1
RETURNING version;

-- save_parts: store parts, under heads that this transaction has stored
INSERT INTO decoder_memory_part (source, name, part, content)
SELECT source, name, part, content
FROM unnest(%(source)s::text[], %(name)s::text[], %(part)s::text[], %(content)s::bytea[])
     AS n (source, name, part, content)
ON CONFLICT (source, name, part) DO UPDATE SET content = EXCLUDED.content;

-- drop_parts: forget parts, under heads that this transaction has stored
DELETE FROM decoder_memory_part p
USING unnest(%(source)s::text[], %(name)s::text[], %(part)s::text[]) AS n (source, name, part)
WHERE p.source = n.source AND p.name = n.name AND p.part = n.part;
