"""The closed list of reasons for which a message, or a part of it, is not stored.

The same words stand in the error, the log line, the metric's label and the quarantine row.
"""

from enum import StrEnum


class Reason(StrEnum):
    """Why a message ended in quarantine."""

    NO_SOURCE = "no_source"
    """No source's topic filter matches the topic."""

    SOURCE_INVALID = "source_invalid"
    """The source that takes the topic cannot work since it was changed: its decoder or an option of it is unknown."""

    MALFORMED_TOPIC = "malformed_topic"
    """The topic matches a source but lacks an organisation, a device or a known kind, or is longer than 1,024 bytes."""

    MALFORMED_PAYLOAD = "malformed_payload"
    """The bytes are not what the format says: not JSON, not UTF-8, too deep, the wrong shape."""

    PAYLOAD_TOO_LARGE = "payload_too_large"
    """The payload is longer than the limit."""

    UNKNOWN_MESSAGE_TYPE = "unknown_message_type"
    """The format is known, this kind of message in it is not."""

    MISSING_TIME = "missing_time"
    """No time of observation, and the format does not allow the time of arrival in its place."""

    BAD_TIME = "bad_time"
    """The time cannot be read, or lies before digital trackers existed (a clock that was never set)."""

    FUTURE_TIME = "future_time"
    """The time lies further ahead of arrival than any clock drift explains."""

    BAD_VALUE = "bad_value"
    """A value is not a finite number of plausible size."""

    BAD_POSITION = "bad_position"
    """A coordinate is absent, out of range, or the 0,0 of a receiver without a fix."""

    UNIT_MISMATCH = "unit_mismatch"
    """The unit is unknown or of another dimension than the series."""

    NOTHING_TO_STORE = "nothing_to_store"
    """A valid document of the format that holds no reading, position, event or status."""

    UNKNOWN_ALIAS = "unknown_alias"
    """A value under a number whose name a birth certificate gives, and none is known that does (Sparkplug B)."""

    UNKNOWN_ORGANISATION = "unknown_organisation"
    """The organisation in the topic is not registered, or is not the one that the sender may write for."""

    UNKNOWN_DEVICE = "unknown_device"
    """The device is not registered and its source does not register devices by itself."""

    DEVICE_RETIRED = "device_retired"
    """The device was taken out of service, and still speaks."""

    DEVICE_REFUSED = "device_refused"
    """The device registered itself, and a person refused it."""

    REGISTRATION_LIMIT = "registration_limit"
    """Too many devices of its organisation, or metrics of the device, were new within the hour."""

    CONFLICTING_DUPLICATE = "conflicting_duplicate"
    """Another value is stored already for the same series and time."""

    STORAGE_REJECTED = "storage_rejected"
    """The database refused the row for good."""

    DECODER_FAILED = "decoder_failed"
    """The decoder itself broke on this message: a defect to report."""
