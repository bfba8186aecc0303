"""What one fold came to, and what follows from that alone: what is new, what is over, which alerts it is about."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rules.conditions.span import Instant, Observation, Span
from rules.fold import Settled
from rules.followed import Followed, Shown
from rules.instants import to_datetime
from rules.lifecycle import Episode
from rules.targets import FoldKey
from veldwatch.model.alert import Alert, alert_id
from veldwatch.model.identifiers import AlertId


class Outcome(NamedTuple):
    """What one fold came to.

    Attributes:
        after: recorded alerts settled up to here are not concerned; None: all are.
        head: the fold's position before.
    """

    followed: Followed
    settled: list[Settled]
    spans: list[Span]
    after: Instant | None
    head: Instant | None
    history: bool


def fresh_of(followed: Followed, observations: Sequence[Observation]) -> list[Observation]:
    """Sort, and leave out what is folded already or closed."""
    floor, position = followed.floor, followed.position
    # A second part of the last instant has its time: the whole of it is to be folded again.
    parts = followed.target.input.comes_in_parts
    unique = {
        seen.at: seen for seen in observations if (parts or seen.at != position) and (floor is None or seen.at > floor)
    }
    return [unique[at] for at in sorted(unique)]


def comes_late(fresh: Sequence[Observation], head: Instant | None) -> bool:
    """Tell whether any is older than what is folded; what has the head's own time is left out before, but for parts."""
    return bool(fresh) and head is not None and fresh[0].at <= head


def is_news(outcome: Outcome) -> bool:
    """Tell whether anybody has to hear of it: it settled, was rewound, or shows something else than before."""
    rewound = outcome.after != outcome.head
    return bool(outcome.settled) or rewound or outcome.followed.shown != shown_of(outcome.spans)


def shown_of(spans: Iterable[Span]) -> Shown:
    """Give what of spans is compared with what was shown before."""
    return tuple((span.opened_at, span.reached_at, span.ended_at, span.raises) for span in spans)


def episodes_of(outcome: Outcome) -> list[Episode]:
    """Give what is settled and what is not, in order."""
    return [Episode(span, at) for span, at in outcome.settled] + [Episode(span) for span in outcome.spans]


def has_more_over(episodes: Iterable[Episode], recorded: Sequence[Alert]) -> bool:
    """Tell whether any episode is over that no recorded alert begins like."""
    known = {alert.opened_at for alert in recorded}
    return any(e.span.ended_at is not None and to_datetime(e.span.opened_at) not in known for e in episodes)


def alert_ids(key: FoldKey, episodes: Iterable[Episode]) -> Iterable[AlertId]:
    """Name the alerts of episodes."""
    return (alert_id(key.version, key.subject, to_datetime(episode.span.opened_at)) for episode in episodes)
