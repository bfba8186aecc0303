"""The part of history that a back-test asks about."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Alerts that fired in it are told, as they stood at its end."""

    since: datetime
    until: datetime
