"""Taking up: after a restart folds go on from what was saved, without a look at what storage holds.

A fold is saved with what of the log is in it. It need not be saved again while nothing comes for it: all that is saved
holds the log up to one transaction at least, which `unsaved_since` tells and the driver keeps beside its cursor. From
there to the cursor the log is read again. What is uneventful in it only moves the screens; a fold for which anything
else came reads storage at its next observation, as one that was never saved does. Nothing is recorded meanwhile:
alerts were committed with the cursor.
"""

from collections.abc import Iterable

from rules.conditions.watch import Watch
from rules.followed import Followed, follow
from rules.store import StoredFold
from rules.targets import Target
from veldwatch.storage.folds import LogRead


def take_up(target: Target, stored: StoredFold, read: LogRead, again: int) -> Followed:
    """Take up a fold that holds the log up to `again` at least."""
    followed = follow(target, stored)
    followed.current = True
    followed.read = LogRead(max(read.through, again), read.before, read.after)
    followed.saved_through = followed.read.through
    return followed


def shows_nothing(followed: Followed, watch: Watch) -> bool:
    """Tell whether the state, as of the time when it was looked at last, makes no alert."""
    if followed.position is None:
        return True
    viewed_at = followed.position if followed.viewed_at is None else max(followed.position, followed.viewed_at)
    return not followed.target.fold_under(watch).spans_at(followed.state, viewed_at)


def distrust(followed: Followed) -> None:
    """Let storage be read at the next observation, after a restart too."""
    followed.current, followed.dirty, followed.saved_at, followed.shown = False, True, None, None


def unsaved_since(followed: Iterable[Followed], through: int) -> int:
    """Tell up to which transaction the log is in all that is saved with what it holds.

    Args:
        through: up to which it is in memory.
    """
    oldest = through
    for fold in followed:
        if fold.saved_through is None:
            continue
        if fold.dirty or not fold.current:
            oldest = min(oldest, fold.saved_through)
        else:
            # What is saved is all there was for it.
            fold.saved_through = through
    return oldest
