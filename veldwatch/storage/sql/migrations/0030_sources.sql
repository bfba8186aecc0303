-- Sources that operators edit while the platform runs; those of the settings come after them, under other names.
CREATE TABLE source (
    name text PRIMARY KEY CHECK (name ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    -- the smallest is asked first; of equals, the first by name
    priority integer NOT NULL DEFAULT 100,
    topic_filter text NOT NULL CHECK (topic_filter <> ''),
    decoder text NOT NULL,
    options jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(options) = 'object'),
    -- a slug, not a reference: a source that registers devices by itself registers their organisation with them
    organisation text CHECK (organisation ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    -- NULL: as the setting register_unknown_devices
    register_unknown boolean,
    -- false: takes no message, and hides the settings' source of its name
    enabled boolean NOT NULL DEFAULT true,
    updated_at timestamptz NOT NULL DEFAULT now(),
    updated_by text NOT NULL
);
