"""Screening: which observations of a batch cannot change what their folds say, found out for all of them at once."""
