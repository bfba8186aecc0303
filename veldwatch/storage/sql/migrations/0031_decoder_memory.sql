-- Some formats say things once and refer to them later (Sparkplug's birth certificates): what their decoders remember.
CREATE TABLE decoder_memory (
    decoder text NOT NULL,
    -- what the memory is of, in the format's own words: for Sparkplug the edge node, GROUP/EDGE
    name text NOT NULL,
    -- grows with every change: a writer that decoded by an older one notices, and decodes again
    version bigint NOT NULL,
    -- what changes with almost every message
    head bytea NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (decoder, name)
) WITH (fillfactor = 50);

-- What seldom changes, and may be long.
CREATE TABLE decoder_memory_part (
    decoder text NOT NULL,
    name text NOT NULL,
    part text NOT NULL,
    content bytea NOT NULL,
    PRIMARY KEY (decoder, name, part),
    FOREIGN KEY (decoder, name) REFERENCES decoder_memory ON DELETE CASCADE
);
