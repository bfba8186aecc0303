"""What people say of an alert that they close: a closed list, so that rules can be judged by it."""

from enum import StrEnum


class Resolution(StrEnum):
    """Why a person resolved an alert by hand."""

    FIXED = "fixed"
    """It was so, and the cause is dealt with."""
    FALSE_ALARM = "false_alarm"
    """It was not so: the rule or the device was wrong."""
    TEST = "test"
    """Somebody made it so on purpose, to see whether the alert comes."""
    DUPLICATE = "duplicate"
    """Another alert tells of the same thing."""
    NO_ACTION_NEEDED = "no_action_needed"
    """It was so, and there is nothing to do about it."""
