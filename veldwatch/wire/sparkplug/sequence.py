"""Whether all messages of an edge node came: `seq` counts from the birth's 0 to 255, and on with 0.

A number that is skipped is missing. It may come later, where several ingestors share the messages; what is missing for
longer than that is lost, and the edge node is asked for its births. A message that is older than the newest,
by the time of its payload, came late or twice: it opens no gap. Nor does the number of the newest itself: some
senders never count.

Source: Eclipse Sparkplug Specification 3.0.0, section 6.4.4 (seq), and section 5 (host applications that reorder).
"""

from datetime import datetime, timedelta

import msgspec

from veldwatch.wire.sparkplug.memory import Session

_NUMBERS = 256
# Without a time of its payload, a message with a number up to this far back came late or twice.
_LATE_BY_AT_MOST = _NUMBERS // 2


def follow(session: Session, seq: int | None, sent_at: int | None, now: datetime, patience: timedelta) -> Session:
    """Take the number of one message other than a birth of the edge node.

    Args:
        seq: None: the message has none; nothing is concluded.
        sent_at: time of the payload, in milliseconds since 1970.
        patience: how long a number may be missing.
    """
    if seq is not None and seq < _NUMBERS:
        session = _count(session, seq, sent_at, now)
    if session.missing_since is None or now - session.missing_since < patience:
        return session
    lost = ", ".join(map(str, session.missing[:10])) + (", ..." if len(session.missing) > 10 else "")
    return msgspec.structs.replace(
        session, missing=(), missing_since=None, rebirth_wanted=session.rebirth_wanted or f"messages lost: seq {lost}"
    )


def _count(session: Session, seq: int, sent_at: int | None, now: datetime) -> Session:
    if session.seq is None:
        return msgspec.structs.replace(session, seq=seq, sent_at=sent_at)
    ahead = (seq - session.seq) % _NUMBERS
    if ahead != 1 and (seq in session.missing or _is_late(session, ahead, sent_at)):
        missing = tuple(number for number in session.missing if number != seq)
        return msgspec.structs.replace(
            session, missing=missing, missing_since=session.missing_since if missing else None
        )
    skipped = tuple((session.seq + step) % _NUMBERS for step in range(1, ahead))
    return msgspec.structs.replace(
        session,
        seq=seq,
        sent_at=sent_at if sent_at is not None else session.sent_at,
        missing=(*session.missing, *skipped)[-_NUMBERS:],
        missing_since=session.missing_since or (now if skipped else None),
    )


def _is_late(session: Session, ahead: int, sent_at: int | None) -> bool:
    if sent_at is None or session.sent_at is None:
        return ahead == 0 or ahead >= _LATE_BY_AT_MOST
    return sent_at < session.sent_at or (sent_at == session.sent_at and (ahead == 0 or ahead >= _LATE_BY_AT_MOST))
