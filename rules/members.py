"""Members: which folds a batch concerns that read several sources together, and cannot be screened.

Samples that hold more than readings are made of what the batch holds. Of buckets a batch tells only from when on they
are to be made anew: what is in them is read from storage, once they are complete.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from rules.conditions.span import Contact, Fix, Happening, Observation, Sample, Touch
from rules.reader_index import Numbers, ReaderIndex
from rules.samples import joined, others_of, samples_of
from rules.targets import FoldKey, Target
from veldwatch.model.conditions.inputs import Input

_KINDS: Mapping[type[Observation], Input] = {
    Contact: Input.CONTACTS,
    Fix: Input.POSITIONS,
    Happening: Input.EVENTS,
}


class Members:
    """Who reads such samples or buckets, by the series and devices that make them up."""

    def __init__(self, targets: Iterable[Target]) -> None:
        self._targets = [target for target in targets if target.input is Input.BUCKETS or target.source.others]
        self._index: dict[tuple[Input, Input], ReaderIndex] = {}
        self._mixed: dict[tuple[Input, int], list[Target]] = {}
        pairs: dict[tuple[Input, Input], list[tuple[int, int]]] = {}
        for number, target in enumerate(self._targets):
            for other in target.source.others:
                self._mixed.setdefault((other, target.source_id), []).append(target)
            for kind, member in target.source.members():
                if kind in target.source.others:
                    continue
                pairs.setdefault((target.input, kind), []).append((member, number))
        for form, found in pairs.items():
            self._index[form] = ReaderIndex(found)
        self._mixing: dict[Input, Numbers] = {
            form: np.array(sorted(device for other, device in self._mixed if other is form), np.int64)
            for form in {form for form, _ in self._mixed}
        }

    def find(self, found: dict[FoldKey, list[Observation]], kind: Input, columns: tuple[Any, Any, Any]) -> None:
        """Add what observations of a kind (source, at, value) mean to samples and buckets."""
        sources, at, value = columns
        if (buckets := self._index.get((Input.BUCKETS, kind))) is not None:
            self._touch(found, *buckets.pairs(sources), at)
        if (samples := self._index.get((Input.SAMPLES, kind))) is not None:
            self._sample(found, *samples.pairs(sources), (sources, at, value))

    @property
    def are_mixed(self) -> bool:
        """Tell whether any samples hold more than readings."""
        return bool(self._mixed)

    def mixing(self, kind: Input) -> Numbers:
        """List the devices whose observations of a kind, other than readings, are in samples; sorted."""
        return self._mixing.get(kind, np.empty(0, np.int64))

    def mix(self, found: dict[FoldKey, list[Observation]], told: Iterable[tuple[int, Observation]]) -> None:
        """Add what was observed of devices besides readings, after those, and join what is of one instant."""
        changed: dict[FoldKey, list[Sample]] = {}
        for device, seen in told:
            kind = _KINDS[type(seen)]
            for target in self._mixed.get((kind, device), ()):
                slot = len(target.source.slots) + target.source.others.index(kind)
                own = [seen] if not isinstance(seen, Happening) else _of_kinds(seen, target.source.kinds)
                changed.setdefault(target.key, []).extend(others_of(own, slot, target.source))
        for key, samples in changed.items():
            readings = [seen for seen in found.get(key, ()) if isinstance(seen, Sample)]
            found[key] = [*joined([*readings, *samples])]

    def _touch(self, found: dict[FoldKey, list[Observation]], rows: Numbers, numbers: Numbers, at: Numbers) -> None:
        earliest = np.full(len(self._targets), np.iinfo(np.int64).max)
        np.minimum.at(earliest, numbers, at[rows])
        touched: list[int] = np.unique(numbers).tolist()
        for number in touched:
            found.setdefault(self._targets[number].key, []).append(Touch(int(earliest[number])))

    def _sample(
        self,
        found: dict[FoldKey, list[Observation]],
        rows: Numbers,
        numbers: Numbers,
        columns: tuple[Numbers, Numbers, npt.NDArray[np.float64]],
    ) -> None:
        source, at, value = (column[rows].tolist() for column in columns)
        pieces: dict[int, list[tuple[int, int, float]]] = {}
        for number, *piece in zip(numbers.tolist(), source, at, value, strict=True):
            pieces.setdefault(number, []).append(tuple(piece))
        for number, own in pieces.items():
            target = self._targets[number]
            found.setdefault(target.key, []).extend(samples_of(own, target.source))


def _of_kinds(seen: Happening, kinds: Sequence[str]) -> list[Happening]:
    events = tuple(event for event in seen.events if event[0] in kinds)
    return [Happening(seen.at, events)] if events else []
