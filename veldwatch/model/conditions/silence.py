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


@dataclass(frozen=True, slots=True, kw_only=True)
class AreaOutage:
    """Many devices of a site are silent at once: a power cut, a gateway or network that is down.

    A device counts as silent when nothing was received from it for `silent_for`; one that was silent for longer than
    `forget_after` already does not count at all, so that dead devices do not hide or make an outage. Who counts when
    one begins counts until it is over.

    Attributes:
        share: of the site's devices that count, 0 to 1; from this share on it is an outage.
        at_least: so many devices must count, n ≥ 2; fewer are no crowd.
        sites: kind of the sites that are looked at (feeder, transformer, district_metered_area), each with the devices
            at it and below it; None: every site with the devices that are at it.
        every: how often it is looked at.
    """

    INPUT: ClassVar[Input] = Input.BUCKETS
    OWN_TIME: ClassVar[str | None] = "silent_for"

    silent_for: timedelta
    share: float = 0.5
    at_least: int = 5
    sites: str | None = None
    every: timedelta = timedelta(minutes=1)
    forget_after: timedelta = timedelta(days=2)
