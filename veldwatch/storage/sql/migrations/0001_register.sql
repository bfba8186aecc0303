-- Who and what exists: organisations, sites, profiles, devices, subjects, deployments, series.
CREATE EXTENSION IF NOT EXISTS btree_gist;

CREATE TABLE organisation (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    slug text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    name text NOT NULL,
    kind text NOT NULL DEFAULT 'utility' CHECK (kind IN ('utility', 'municipality', 'agency')),
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE site (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id integer NOT NULL REFERENCES organisation,
    parent_id integer REFERENCES site,
    slug text NOT NULL CHECK (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    name text NOT NULL,
    -- district_metered_area, zone, feeder, reserve, fence, reservoir ...: an open list
    kind text NOT NULL DEFAULT 'zone',
    -- GeoJSON geometry, WGS 84 (no PostGIS: the embedded server has none)
    geometry jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (organisation_id, slug)
);

CREATE TABLE profile (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    slug text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    name text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('meter', 'sensor', 'gateway', 'tracker')),
    expected_interval interval CHECK (expected_interval > interval '0')
);

CREATE TABLE profile_metric (
    profile_id integer NOT NULL REFERENCES profile ON DELETE CASCADE,
    metric text NOT NULL,
    unit text NOT NULL,
    kind text NOT NULL DEFAULT 'gauge' CHECK (kind IN ('gauge', 'counter')),
    -- the value at which a counter's register starts again from zero; NULL: never
    register_modulus double precision CHECK (register_modulus > 0),
    minimum double precision,
    maximum double precision,
    PRIMARY KEY (profile_id, metric)
);

CREATE TABLE device (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id integer NOT NULL REFERENCES organisation,
    -- the device's own name on the wire: a DevEUI, a meter number, the level of a topic
    external_id text NOT NULL CHECK (length(external_id) BETWEEN 1 AND 256),
    name text NOT NULL,
    profile_id integer REFERENCES profile,
    site_id integer REFERENCES site,
    source text NOT NULL,
    -- pending: registered by its own first message, not yet confirmed by a person
    status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'active', 'retired')),
    -- where it is installed; a tracker's place comes from its positions
    longitude double precision CHECK (longitude BETWEEN -180 AND 180),
    latitude double precision CHECK (latitude BETWEEN -90 AND 90),
    tags text[] NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (organisation_id, external_id)
);
CREATE INDEX device_site ON device (site_id);
CREATE INDEX device_profile ON device (profile_id);

CREATE TABLE subject (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id integer NOT NULL REFERENCES organisation,
    slug text NOT NULL,
    name text NOT NULL,
    -- animal, service_point, pump, vehicle ...: an open list
    kind text NOT NULL,
    species text,
    UNIQUE (organisation_id, slug)
);

CREATE TABLE deployment (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    device_id integer NOT NULL REFERENCES device,
    subject_id integer NOT NULL REFERENCES subject,
    during tstzrange NOT NULL CHECK (NOT isempty(during)),
    -- a device is on one subject at a time
    EXCLUDE USING gist (device_id WITH =, during WITH &&)
);
CREATE INDEX deployment_subject ON deployment (subject_id);

CREATE TABLE series (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    device_id integer NOT NULL REFERENCES device,
    metric text NOT NULL CHECK (length(metric) BETWEEN 1 AND 256),
    -- a UCUM code, or one of RFC 8428's registry where UCUM has none; '' where nobody said
    unit text NOT NULL DEFAULT '',
    kind text NOT NULL DEFAULT 'gauge' CHECK (kind IN ('gauge', 'counter')),
    register_modulus double precision,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (device_id, metric)
);
