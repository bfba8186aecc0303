-- Credentials: what devices and gateways show to the broker and to HTTP intake. Verifiers only; a secret is never kept.
CREATE TABLE credential (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organisation_id integer NOT NULL REFERENCES organisation,
    kind text NOT NULL CHECK (kind IN ('password', 'certificate')),
    -- the account's name at the broker; of a certificate: its subject (RFC 2253)
    username text NOT NULL CHECK (length(username) BETWEEN 1 AND 512),
    -- of the secret, as NATS and as Mosquitto compare it
    bcrypt text,
    pbkdf2 text,
    note text NOT NULL DEFAULT '',
    -- topic filters beside those of its devices
    publish text[] NOT NULL DEFAULT '{}',
    subscribe text[] NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL,
    -- NULL: until it is revoked
    valid_until timestamptz,
    revoked_at timestamptz,
    revoked_by text,
    -- the one that took its place when it was rotated
    successor_id integer REFERENCES credential,
    CHECK ((kind = 'password') = (bcrypt IS NOT NULL AND pbkdf2 IS NOT NULL))
);
-- the subject of a revoked certificate may be given to a new one
CREATE UNIQUE INDEX credential_username ON credential (username) WHERE revoked_at IS NULL;
CREATE INDEX credential_valid_until ON credential (valid_until) WHERE revoked_at IS NULL;

-- The devices that a credential speaks for: one, or those behind a gateway.
CREATE TABLE credential_device (
    credential_id integer NOT NULL REFERENCES credential ON DELETE CASCADE,
    device_id integer NOT NULL REFERENCES device,
    PRIMARY KEY (credential_id, device_id)
);
CREATE INDEX credential_device_device ON credential_device (device_id);

-- Whoever writes the broker's accounts is woken by what changes them.
CREATE FUNCTION credential_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NOTIFY credential;
    RETURN NULL;
END
$$;
CREATE TRIGGER credential_changed AFTER INSERT OR UPDATE OR DELETE ON credential
    FOR EACH STATEMENT EXECUTE FUNCTION credential_changed();
CREATE TRIGGER credential_changed AFTER INSERT OR DELETE ON credential_device
    FOR EACH STATEMENT EXECUTE FUNCTION credential_changed();
-- for each row, so that the usual updates of devices and organisations wake nobody
CREATE TRIGGER credential_changed AFTER UPDATE OF external_id, organisation_id, status ON device
    FOR EACH ROW WHEN (OLD.external_id <> NEW.external_id OR OLD.organisation_id <> NEW.organisation_id
                       OR OLD.status <> NEW.status)
    EXECUTE FUNCTION credential_changed();
CREATE TRIGGER credential_changed AFTER UPDATE OF slug ON organisation
    FOR EACH ROW WHEN (OLD.slug <> NEW.slug)
    EXECUTE FUNCTION credential_changed();
