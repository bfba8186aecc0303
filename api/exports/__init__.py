"""Histories out into files: CSV, Parquet, Movebank and GPX; what can be imported again by `veldwatch import`."""
