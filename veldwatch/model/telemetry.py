"""What a device says: readings, positions, events and signs of life, as decoders yield them.

Named tuples rather than frozen dataclasses: intake makes three per message, and a named tuple is made
in a fifth of the time (0.25 µs against 1.3 µs on the reference machine).

Times are aware and in UTC. A device is named by its own identifier (`external_id`), unique within an organisation.
"""

from datetime import UTC, datetime
from enum import IntFlag
from typing import NamedTuple

from veldwatch.model.reasons import Reason

EARLIEST_OBSERVATION = datetime(1980, 1, 6, tzinfo=UTC)
"""The epoch of GPS: no digital meter or tracker observed anything before; an unset clock says 1970."""

LARGEST_VALUE = float(2**53)
"""Beyond it a double cannot hold every integer, so a register would be stored wrong.

Source: IEEE 754 binary64.
"""


class Quality(IntFlag):
    """What is known about the trust in one reading or fix; 0 is good."""

    GOOD = 0
    CLOCK_AHEAD = 1
    """`observed_at` lies after `received_at` by more than a minute."""
    TIME_OF_ARRIVAL = 2
    """The device sent no time; `observed_at` is the time of arrival."""
    IMPLAUSIBLE = 4
    """Stored, though outside the plausible range of the metric or a known sentinel of the sensor."""


class Reading(NamedTuple):
    """One value of one metric of one device.

    Attributes:
        unit: a UCUM code, or a code of RFC 8428's registry where UCUM has none (`%RH`); None: the series' own.
    """

    device: str
    metric: str
    observed_at: datetime
    value: float
    unit: str | None = None
    quality: int = 0


class Scan(NamedTuple):
    """Values of several metrics that one device took at one moment: what most messages are.

    Attributes:
        organisation: slug from the topic; None: the source's own organisation.
        metrics, units, values: of equal length, n ≥ 1; a unit as in `Reading`.
    """

    organisation: str | None
    device: str
    observed_at: datetime
    metrics: tuple[str, ...]
    units: tuple[str | None, ...]
    values: list[float]
    quality: int = 0

    def readings(self) -> tuple[Reading, ...]:
        """Give the same as readings."""
        device, moment, quality = self.device, self.observed_at, self.quality
        return tuple(
            Reading(device, metric, moment, value, unit, quality)
            for metric, unit, value in zip(self.metrics, self.units, self.values, strict=True)
        )


class Position(NamedTuple):
    """One fix, in degrees of WGS 84; altitude and accuracy in metres, speed in m/s, heading in degrees from north."""

    device: str
    observed_at: datetime
    longitude: float
    latitude: float
    altitude: float | None = None
    accuracy: float | None = None
    speed: float | None = None
    heading: float | None = None
    quality: int = 0


class Event(NamedTuple):
    """A discrete thing that happened at a device: a tamper flag, a join, a picture, a button.

    Attributes:
        attributes: a JSON object as text, keys sorted, without U+0000 (PostgreSQL cannot hold it).
    """

    device: str
    observed_at: datetime
    kind: str
    attributes: str = "{}"


class Rejection(NamedTuple):
    """A part of a message that could not be stored, while the rest could."""

    reason: Reason
    detail: str


class Reply(NamedTuple):
    """A message that a decoder wants published: a question to who sent what it cannot read alone."""

    topic: str
    payload: bytes


class Decoded(NamedTuple):
    """All that one message says.

    Attributes:
        organisation: slug from the topic; None: the source's own organisation.
        heard: devices that the message proves alive, even without a value (a status, an empty uplink).
        online: None when the message says nothing of it; False for a last will, True for a birth.
        replies: published at QoS 0 once what the message says is committed; a stateful decoder's only.
    """

    organisation: str | None
    readings: tuple[Reading, ...] = ()
    positions: tuple[Position, ...] = ()
    events: tuple[Event, ...] = ()
    rejections: tuple[Rejection, ...] = ()
    heard: tuple[str, ...] = ()
    online: bool | None = None
    replies: tuple[Reply, ...] = ()


class Message(NamedTuple):
    """A message as it came: nothing decoded yet.

    Attributes:
        retained: the broker had kept it and gave it at subscription: what it says holds, but its sender may be gone.
        replay_of: id of the quarantined row that is replayed: it came long ago, and perhaps after others of its device.
        heard: that its devices were heard is stored already.
        sender_organisation: slug of the one that its sender may write for; None: any.
    """

    topic: str
    payload: bytes
    received_at: datetime
    retained: bool = False
    replay_of: int | None = None
    heard: bool = False
    sender_organisation: str | None = None

    @property
    def is_news_of_life(self) -> bool:
        """Whether it proves that its devices were heard, and that is not stored yet."""
        return not (self.retained or self.heard)
