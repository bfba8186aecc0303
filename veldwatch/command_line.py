"""What commands of every program take as text, and who types it.

Every reader raises `ConfigurationInvalid` that names the option.
"""

import getpass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from veldwatch.errors import ConfigurationInvalid
from veldwatch.model.local_buckets import find_zone
from veldwatch.wire.durations import parse_duration


def moment_of(option: str, text: str) -> datetime:
    """Read a moment; without an offset it is in UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigurationInvalid(f"bad {option}: {text!r} (expected ISO 8601: 2026-11-22T10:00:00Z)") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def stretch_of(since: datetime, until: datetime) -> tuple[datetime, datetime]:
    """Give what `--from` and `--to` mean together: some time."""
    if until <= since:
        raise ConfigurationInvalid(f"bad --to: {until.isoformat()} (expected a moment after --from)")
    return since, until


def duration_of(option: str, text: str) -> timedelta:
    """Read a duration such as 90s, 2h or 3d."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise ConfigurationInvalid(f"bad {option}: {error}") from error


def zone_of(option: str, name: str) -> ZoneInfo:
    """Find a time zone by its name."""
    try:
        return find_zone(name)
    except ValueError as error:
        raise ConfigurationInvalid(f"bad {option}: {name!r} (expected a name such as Africa/Lusaka)") from error


def shown(moment: datetime) -> str:
    """Say a moment to a person, to the minute."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def operator() -> str:
    """Name who types, as author of what is changed."""
    try:
        return f"{getpass.getuser()} (command line)"
    except (KeyError, OSError):  # KeyError before Python 3.13
        return "command line"  # a container's account has no name
