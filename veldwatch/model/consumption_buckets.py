"""Consumption in buckets: what fell into each, increments that span several shared out by time."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from veldwatch.model.consumption import Code, Increment


@dataclass(slots=True, kw_only=True)
class Bucket:
    """What was consumed in a stretch of time.

    Attributes:
        amount: in counts, as `excess`; the buckets of an increment hold exactly its amount.
        codes: all that was done to any part of it; `ESTIMATED` where a part was shared out.
        readings: that fell into it; one at its very end counts, one at its beginning does not.
    """

    begin: int
    end: int
    amount: int = 0
    excess: int = 0
    codes: int = 0
    readings: int = 0
    covered: bool = False


def spread(increments: Sequence[Increment], edges: Sequence[int]) -> list[Bucket]:
    """Put increments into the buckets between ascending edges; what lies outside of them is left out.

    Returns:
        Only buckets that increments reach: of others nothing is known, not that nothing was consumed.
    """
    buckets = [Bucket(begin=begin, end=end) for begin, end in itertools.pairwise(edges)]
    first = 0
    for increment in increments:
        while first < len(buckets) and buckets[first].end <= increment.begin:
            first += 1
        place = first
        while place < len(buckets) and buckets[place].begin < increment.end:
            _add(buckets[place], increment)
            place += 1
    return [bucket for bucket in buckets if bucket.covered]


def _add(bucket: Bucket, increment: Increment) -> None:
    begin, end = max(bucket.begin, increment.begin), min(bucket.end, increment.end)
    whole = begin == increment.begin and end == increment.end
    bucket.amount += _up_to(increment, increment.amount, end) - _up_to(increment, increment.amount, begin)
    bucket.excess += _up_to(increment, increment.excess, end) - _up_to(increment, increment.excess, begin)
    bucket.codes |= increment.codes | (0 if whole else Code.ESTIMATED)
    bucket.readings += bucket.begin < increment.end <= bucket.end
    bucket.covered = True


def _up_to(increment: Increment, amount: int, at: int) -> int:
    """Share an amount out up to a time: rounded sums, not rounded parts, so that parts add up."""
    if at >= increment.end:
        return amount
    return min(amount, int(amount * ((at - increment.begin) / (increment.end - increment.begin))))
