"""Conditions: pure folds over the readings, positions or contacts of one subject."""
