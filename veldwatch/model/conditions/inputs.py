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
