-- Bearer tokens: only their sha256 is kept (a token has 256 random bits, so a slow hash adds nothing).
CREATE TABLE token (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    digest bytea NOT NULL UNIQUE,
    role text NOT NULL CHECK (role IN ('viewer', 'operator')),
    -- NULL: every organisation
    organisation_id integer REFERENCES organisation,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    revoked_at timestamptz
);
