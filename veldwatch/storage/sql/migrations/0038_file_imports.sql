-- How far each file was imported: written in the transaction of what it gave, so that an import goes on where it stopped.
CREATE TABLE file_import (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation text NOT NULL,
    path text NOT NULL,
    -- the format and which columns say what: read otherwise, a file is another import
    mapping jsonb NOT NULL,
    -- bytes of text, rows or points that were read and committed
    position bigint NOT NULL DEFAULT 0,
    -- sha256 of what lies before the position, or of the whole file: see ingest/imports
    digest bytea NOT NULL DEFAULT '',
    -- what reading on depends on, such as the latest wall-clock time of each device
    state jsonb NOT NULL DEFAULT '{}',
    rows bigint NOT NULL DEFAULT 0,
    readings bigint NOT NULL DEFAULT 0,
    positions bigint NOT NULL DEFAULT 0,
    quarantined bigint NOT NULL DEFAULT 0,
    started_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    UNIQUE (organisation, path, mapping)
);
