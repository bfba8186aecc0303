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
    EVENTS = "events"
    """What one device told besides readings; all of one instant together."""
    SAMPLES = "samples"
    """Of several series of one device, together."""
    BUCKETS = "buckets"
    """Of what many devices did, on a grid of time (`rules.grids`)."""

    @property
    def comes_in_parts(self) -> bool:
        """Tell whether what is of one instant may be stored in several transactions."""
        return self in (Input.SAMPLES, Input.EVENTS)
