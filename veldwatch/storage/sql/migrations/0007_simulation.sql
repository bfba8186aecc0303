-- Faults that a person asked the simulators to inject, and with them the ground truth.
CREATE TABLE simulated_fault (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    device_id integer NOT NULL REFERENCES device,
    kind text NOT NULL CHECK (kind IN ('leak', 'outage', 'fence_crossing', 'immobility')),
    parameters jsonb NOT NULL DEFAULT '{}',
    requested_at timestamptz NOT NULL DEFAULT now(),
    requested_by text NOT NULL DEFAULT '',
    -- set by the simulator, in simulated time
    started_at timestamptz,
    ends_at timestamptz,
    stopped_at timestamptz
);
CREATE INDEX simulated_fault_open ON simulated_fault (id) WHERE stopped_at IS NULL;
