"""What a notification may say of its fate, and what a receiver's address must look like.

`Suppression`, `Hold` and `Failure` together are the closed list behind `outbox.reason`: the same words stand in the
row, the log line and the metric's label.
"""

import re
from enum import StrEnum
from urllib.parse import urlsplit

from veldwatch.errors import ConfigurationInvalid

SEVERITIES = ("info", "minor", "major", "critical")
"""Mildest first; a receiver takes its minimum severity and everything after it."""

NEWS = ("firing", "raised")
"""Kinds that may be the first that a receiver hears of an alert: a raise, where its severity was too low before."""


class Channel(StrEnum):
    """How a receiver is reached."""

    EMAIL = "email"
    WEBHOOK = "webhook"


class Suppression(StrEnum):
    """Why a notification was deliberately not sent."""

    HISTORY = "history"
    """The alert was over, and older than `VELDWATCH_NEWS_AGE_SECONDS`, when it was first recorded."""

    NOT_TOLD = "not_told"
    """The receiver was never told that the alert fired, so its end or correction means nothing to them."""

    RECEIVER_DISABLED = "receiver_disabled"
    """The receiver was disabled after the notification was written."""

    SILENCED = "silenced"
    """A silence matched the alert from when it was to be told until it was over."""

    INHIBITED = "inhibited"
    """What made the device silent explained it, and it came back in time."""

    GROUPED = "grouped"
    """Another message of the same incident says it."""

    OFF_SCHEDULE = "off_schedule"
    """The alert was over before the hours of its rule's schedule began."""

    RESOLVED_BY_HAND = "resolved_by_hand"
    """A person resolved the alert before it was told."""


class Hold(StrEnum):
    """Why a notification waits."""

    SILENCED = "silenced"
    """A silence matches the alert."""

    INHIBITED = "inhibited"
    """Another alert or a planned interruption explains the silence that it tells of."""

    OFF_SCHEDULE = "off_schedule"
    """It is outside the hours of its rule's schedule."""

    SETTLING = "settling"
    """Its cause, or others of the same incident, may become known within moments."""

    GROUPED = "grouped"
    """It is told with others: in the message that it was grouped in, or when all of those are over."""


class Failure(StrEnum):
    """Why a notification that was to be sent never will be."""

    REFUSED = "refused"
    """The receiver answered that trying again cannot help."""

    ATTEMPTS_EXHAUSTED = "attempts_exhausted"
    """The last of the attempts failed as all before it."""


_EMAIL = re.compile(r"[^\s@<>,;:\"()\[\]\\\x00-\x1f\x7f]+@[^\s@<>,;:\"()\\\x00-\x1f\x7f]+", re.ASCII)
# Source: RFC 5321, section 4.5.3.1.3, less the angle brackets.
_LONGEST_EMAIL = 254
_LONGEST_NAME, _LONGEST_LABEL = 253, 63
_UNPRINTABLE = re.compile(r"[\s\x00-\x1f\x7f]")


def check_address(channel: Channel, address: str) -> None:
    """Refuse an address that its channel could not use, or that would mean something else on the wire.

    Raises:
        ConfigurationInvalid: naming the address and what was expected.
    """
    match channel:
        case Channel.EMAIL:
            if not address.isascii() or not _EMAIL.fullmatch(address) or len(address) > _LONGEST_EMAIL:
                raise ConfigurationInvalid(f"bad e-mail address: {address!r} (expected name@host, ASCII, no spaces)")
        case Channel.WEBHOOK:
            _check_url(address)


def _check_url(address: str) -> None:
    expected = "expected http:// or https:// and a host, without user name, spaces or fragment"
    try:
        parts = urlsplit(address)
        usable = parts.scheme in ("http", "https") and _is_host(parts.hostname or "") and parts.port != 0
    except ValueError as error:
        raise ConfigurationInvalid(f"bad webhook address: {address!r} ({error}; {expected})") from error
    if not usable or parts.username is not None or parts.fragment or _UNPRINTABLE.search(address):
        raise ConfigurationInvalid(f"bad webhook address: {address!r} ({expected})")


def _is_host(name: str) -> bool:
    """Tell whether a name can be looked up at all.

    Source: RFC 1035, section 2.3.4.
    """
    rooted = name.removesuffix(".")
    return len(rooted) <= _LONGEST_NAME and all(1 <= len(label) <= _LONGEST_LABEL for label in rooted.split("."))
