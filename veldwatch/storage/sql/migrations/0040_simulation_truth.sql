-- Runs of the simulators, and the truth of every fault in them: planned or asked for, at a device or at a site.
CREATE TABLE simulation_run (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    scenario text NOT NULL CHECK (scenario <> ''),
    -- NULL: the scenario's own
    seed bigint,
    -- simulated time; the end NULL: until somebody stops it
    begins_at timestamptz NOT NULL,
    ends_at timestamptz CHECK (ends_at > begins_at),
    -- how far it has come
    simulated_until timestamptz,
    -- simulated seconds in a second; NULL: as fast as it goes
    speed real CHECK (speed > 0),
    requested_by text NOT NULL DEFAULT '',
    -- `veldwatch simulate serve` plays it; false: a command line does so itself
    served boolean NOT NULL DEFAULT false,
    -- wall-clock time, to the end of the row
    requested_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    stop_requested_at timestamptz,
    stopped_at timestamptz,
    messages bigint NOT NULL DEFAULT 0,
    -- for people: why it stopped
    note text NOT NULL DEFAULT ''
);
CREATE INDEX simulation_run_open ON simulation_run (id) WHERE stopped_at IS NULL;

ALTER TABLE simulated_fault
    -- the catalogue is veldwatch/model/faults.py, and veldwatch/storage/simulation.py holds every writer to it
    DROP CONSTRAINT simulated_fault_kind_check,
    ALTER COLUMN device_id DROP NOT NULL,
    ADD COLUMN site_id integer REFERENCES site,
    -- NULL: asked for while whichever run was on, or before runs were kept
    ADD COLUMN run_id bigint REFERENCES simulation_run ON DELETE CASCADE,
    -- names a planned fault of the run's scenario: written again, it stays one row; NULL: somebody asked for it
    ADD COLUMN planned_key text,
    -- the value and UCUM unit of the kind's first parameter; NULL: the kind has none
    ADD COLUMN size double precision,
    ADD COLUMN size_unit text,
    ADD CONSTRAINT simulated_fault_place CHECK (num_nonnulls(device_id, site_id) = 1),
    ADD CONSTRAINT simulated_fault_planned CHECK (planned_key IS NULL OR (run_id IS NOT NULL AND started_at IS NOT NULL)),
    ADD CONSTRAINT simulated_fault_size CHECK ((size IS NULL) = (size_unit IS NULL)),
    ADD CONSTRAINT simulated_fault_key UNIQUE (run_id, planned_key);
CREATE INDEX simulated_fault_truth ON simulated_fault (started_at) WHERE started_at IS NOT NULL;
