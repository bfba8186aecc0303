"""Rules as a fold: alerts are a deterministic function of the stored data."""
