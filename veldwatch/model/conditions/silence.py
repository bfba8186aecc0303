"""Conditions on when devices are heard."""

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from veldwatch.model.conditions.inputs import Input


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """Silence: nothing received from a device for `silent_for`, whatever time its messages say."""

    INPUT: ClassVar[Input] = Input.CONTACTS
    OWN_TIME: ClassVar[str | None] = "silent_for"

    silent_for: timedelta
