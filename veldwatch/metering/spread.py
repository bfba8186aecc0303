"""`veldwatch.model.consumption_buckets.spread` over arrays; tests compare both."""

from typing import Any

import numpy as np
import numpy.typing as npt

from veldwatch.metering.judged import Instants
from veldwatch.model.consumption import Code

BUCKETS = np.dtype([(name, "<i8") for name in ("begin", "end", "amount", "excess", "codes", "readings")])


def spread_arrays(increments: npt.NDArray[Any], edges: Instants) -> npt.NDArray[Any]:
    """Put increments, oldest first, into the buckets between ascending edges: a structured array of those reached."""
    most = len(edges) - 1
    first = np.maximum(np.searchsorted(edges, increments["begin"], "right") - 1, 0)
    last = np.minimum(np.searchsorted(edges, increments["end"], "left") - 1, most - 1)
    reached = first <= last
    increments, first, last = increments[reached], first[reached], last[reached]
    pieces = last - first + 1
    source = np.repeat(np.arange(len(increments)), pieces)
    place = np.arange(len(source)) - np.repeat(np.cumsum(pieces) - pieces, pieces) + first[source]
    whole = increments[source]
    begin = np.maximum(edges[place], whole["begin"])
    end = np.minimum(edges[place + 1], whole["end"])
    found = np.zeros(most, BUCKETS)
    found["begin"], found["end"] = edges[:-1], edges[1:]
    for name in ("amount", "excess"):
        np.add.at(found[name], place, _up_to(whole, name, end) - _up_to(whole, name, begin))
    split = (begin != whole["begin"]) | (end != whole["end"])
    np.bitwise_or.at(found["codes"], place, whole["codes"] | np.where(split, int(Code.ESTIMATED), 0))
    ends = (whole["end"] > edges[place]) & (whole["end"] <= edges[place + 1])
    np.add.at(found["readings"], place, ends.astype(np.int64))
    return found[np.unique(place)]


def _up_to(whole: npt.NDArray[Any], name: str, at: Instants) -> npt.NDArray[np.int64]:
    amount = whole[name]
    share = (at - whole["begin"]) / (whole["end"] - whole["begin"])
    part = np.minimum(amount, (amount * share).astype(np.int64))
    return np.where(at >= whole["end"], amount, part)
