"""Wall-clock times of a file in a time zone: which of two an hour is that a clock change repeats.

A logger writes in order, so of two readings that the clock shows alike the first in the file is the earlier: within a
device, once the clock has jumped back, later rows are in the second pass.
"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from veldwatch.errors import ConfigurationInvalid, MessageRejected
from veldwatch.model.reasons import Reason
from veldwatch.wire.times import read_time
from veldwatch.wire.values import is_numeric_text, shown


class FileClock:
    """Reads the times of a file, row by row in file order.

    Args:
        zone: of times without an offset; empty: such times are rejected.

    Raises:
        ConfigurationInvalid: there is no such zone.
    """

    def __init__(self, zone: str) -> None:
        try:
            self._zone = ZoneInfo(zone) if zone else None
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ConfigurationInvalid(f"bad time zone: {zone!r} (expected a name like Africa/Nairobi)") from error
        self._last: dict[str, datetime] = {}

    def read(self, device: str, text: str) -> datetime:
        """Read one time into UTC.

        Raises:
            MessageRejected: not a time, or of no zone.
        """
        if is_numeric_text(text):
            return read_time(text)
        try:
            local = datetime.fromisoformat(text)
        except ValueError as error:
            raise MessageRejected(Reason.BAD_TIME, f"{shown(text)} is not ISO 8601") from error
        if local.tzinfo is not None:
            return local.astimezone(UTC)
        if self._zone is None:
            raise MessageRejected(Reason.BAD_TIME, f"{shown(text)} has no offset (say --time-zone)")
        return self._in_zone(device, local, self._zone)

    def _in_zone(self, device: str, local: datetime, zone: ZoneInfo) -> datetime:
        first = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
        second = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
        last = self._last.get(device)
        # A gap (spring) gives second < first; only a repeated hour gives two real times, first < second.
        chosen = second if last is not None and first <= last < second else first
        if last is None or chosen > last:
            self._last[device] = chosen
        return chosen
