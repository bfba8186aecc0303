"""Measurements of the measures in the design, run on demand; each reconciles its rows."""
