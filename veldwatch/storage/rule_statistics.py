"""What became of a rule's alerts over a stretch: how often, how long, what people did with them, where.

Counted are alerts of all versions that fired within the stretch and stand; times of people count from when the alert
was recorded, for nobody could know of it before. Night is from ten in the evening to six, as in back-tests.
"""

from dataclasses import asdict, dataclass
from datetime import datetime

from veldwatch.storage.connection import Connection
from veldwatch.storage.pool import Row, fetch_rows
from veldwatch.storage.queries import load_queries

_QUERIES = load_queries("rule_statistics")
_PLACES = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class StatisticsAsked:
    """Of which rule and stretch.

    Attributes:
        zone: where night is night: a name that PostgreSQL knows.
        scope: the one organisation that the asker may see; None: all.
    """

    rule: str
    since: datetime
    until: datetime
    zone: str = "UTC"
    scope: int | None = None


def rule_statistics(connection: Connection, asked: StatisticsAsked) -> Row:
    """Give the figures, the verdicts by reason, and the places with most alerts; a share of nothing is None."""
    values = {**asdict(asked), "limit": _PLACES}
    (figures,) = fetch_rows(connection, _QUERIES["figures"], values)
    (gone,) = fetch_rows(connection, _QUERIES["retracted"], values)
    weeks = (asked.until - asked.since).total_seconds() / (7 * 86400)
    alerts, by_hand = figures["alerts"], figures["resolved_by_hand"]
    return {
        "rule": asked.rule,
        "since": asked.since,
        "until": asked.until,
        "time_zone": asked.zone,
        **figures,
        **gone,
        "per_week": round(alerts / weeks, 3),
        "share_acknowledged": _share(figures["acknowledged"], alerts),
        "share_at_night": _share(figures["at_night"], alerts),
        "share_false": _share(figures["false_alarms"], by_hand),
        "resolutions": {
            row["resolution"]: row["alerts"] for row in fetch_rows(connection, _QUERIES["resolutions"], values)
        },
        "top": fetch_rows(connection, _QUERIES["places"], values),
    }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 3) if whole else None
