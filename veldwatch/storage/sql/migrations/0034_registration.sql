-- What a source says of devices that register themselves.
ALTER TABLE source
    -- pending: a person confirms it later; its data are stored meanwhile
    ADD COLUMN register_as text NOT NULL DEFAULT 'pending' CHECK (register_as IN ('pending', 'active')),
    -- a regular expression that the whole device id has to match; NULL: any may register
    ADD COLUMN device_pattern text,
    -- per organisation; 0: without limit; NULL: as the setting registrations_per_hour
    ADD COLUMN registrations_per_hour integer CHECK (registrations_per_hour >= 0);
