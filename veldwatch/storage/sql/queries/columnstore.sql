-- open_as_needed: in this transaction, changes may open as many compressed rows as they touch
SELECT set_config('timescaledb.max_tuples_decompressed_per_dml_transaction', '0', true);
