-- The API lists alerts and events newest first whatever the filter, and asks which alerts changed since a time.
CREATE INDEX alert_opened ON alert (opened_at DESC, id DESC);
CREATE INDEX alert_updated ON alert (updated_at);
-- hypertables have one on the time alone; events are few, and one name in all editions is simpler
CREATE INDEX event_order ON event_raw (observed_at DESC, device_id DESC);
