"""Which part of a long history is asked for: a time range, and where the page before ended."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Timespan:
    """A page of history.

    Attributes:
        since: first time that counts; None: from the beginning.
        until: first time that does not; None: to the end.
        newest_first: the order, which must be the same for every page.
        after: time and id (of series or device) of the last row of the page before; None: the first page.
        limit: rows at most.
    """

    since: datetime | None = None
    until: datetime | None = None
    newest_first: bool = False
    after: tuple[datetime, int] | None = None
    limit: int

    def parameters(self) -> dict[str, object]:
        """Give the values that the queries of histories share."""
        after, after_id = self.after or (None, None)
        return {"since": self.since, "until": self.until, "after": after, "after_id": after_id, "limit": self.limit}

    @property
    def order(self) -> str:
        """Name the order as the queries' names do."""
        return "desc" if self.newest_first else "asc"
