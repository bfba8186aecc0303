-- The list of all corrections is read by time, a page at a time: without this every correction was sorted for each page.
CREATE INDEX validated_reading_by_time ON validated_reading (observed_at, series_id, version);
