-- Plain PostgreSQL: events of all devices by time; hypertables have such an index by themselves.
CREATE INDEX event_raw_observed_at ON event_raw (observed_at DESC);
