"""What a condition folds."""

from enum import StrEnum


class Input(StrEnum):
    """Observations of one subject, in the order of their own times."""

    READINGS = "readings"
    """Of one series."""
    POSITIONS = "positions"
    """Of one device."""
    CONTACTS = "contacts"
    """Of one device, by `received_at`."""
    SAMPLES = "samples"
    """Of several series of one device, together."""
    BUCKETS = "buckets"
    """Of what many devices did, on a grid of time (`rules.grids`)."""
