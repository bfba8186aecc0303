"""Heard: which devices of an area were heard in each bucket, and when last."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rules.conditions.span import Bucket, Instant
from rules.grids.grid import Instants, Seen
from veldwatch.model.conditions.inputs import Input


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HeardGrid:
    """Buckets of (device, time of its last contact), by device."""

    devices: tuple[int, ...]
    every: Instant
    wait: Instant

    @property
    def lookback(self) -> Instant:
        """Need nothing from before a bucket: the condition remembers."""
        return 0

    @property
    def members(self) -> Mapping[Input, tuple[int, ...]]:
        """Look at contacts."""
        return {Input.CONTACTS: self.devices}

    def buckets(self, seen: Mapping[Input, Seen], edges: Instants, subjects: Sequence[int]) -> list[list[Bucket]]:
        """Say who was heard; the same for every subject."""
        contacts = seen[Input.CONTACTS]
        cuts = np.searchsorted(contacts.at, edges, "right").tolist()
        made: list[Bucket] = []
        for number, end in enumerate(edges[1:].tolist()):
            source, at = contacts.source[cuts[number] : cuts[number + 1]], contacts.at[cuts[number] : cuts[number + 1]]
            # The last of several contacts of one device stays: they are in the order of time.
            heard = dict(zip(source.tolist(), at.tolist(), strict=True))
            made.append(Bucket(end, tuple(sorted(heard.items()))))
        return [made for _ in subjects]
