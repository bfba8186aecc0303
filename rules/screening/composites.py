"""The table of all of, any of, not: parts with tables of their own, which go by no position but what they keep.

What changes nothing in any part changes nothing in what is made of them, as long as a part's truth changes with its
observations alone. So a sample is uneventful when what it says is so for each part that it concerns; combinations with
a part that time changes, such as a silence, are not taken up.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, cast

import numpy as np

from rules.conditions.baseline import BaselineCondition
from rules.conditions.calculated import CalculatedDerivation
from rules.conditions.change import ChangeDerivation
from rules.conditions.composite import TruthDerivation, TruthMemory
from rules.conditions.derived import DerivedCondition, DerivedState
from rules.conditions.night_flow import NightFlowCondition
from rules.conditions.parts import Branch, Leaf, Memory, Node
from rules.conditions.rate_of_change import RateDerivation
from rules.conditions.span import Instant
from rules.conditions.stuck import StuckCondition
from rules.conditions.threshold import ThresholdCondition
from rules.reader_index import ReaderIndex
from rules.screening.table import Floats, Instants, Mask, Slots, Table, TableOf, kind_of
from veldwatch.model.conditions.inputs import Input

TIMELESS = frozenset(
    (
        ThresholdCondition,
        RateDerivation,
        ChangeDerivation,
        CalculatedDerivation,
        StuckCondition,
        BaselineCondition,
        NightFlowCondition,
    )
)
"""Kinds of parts, by `kind_of`, that fire at an observation and end at one."""


class _Place(NamedTuple):
    """Where a leaf's memory is kept: in which table, and at which slot of it."""

    kind: type
    slot: int


class _Leaves:
    """The leaves of one kind, of all folds.

    Attributes:
        columns: which of a sample's series they read; n x k, filled up with the number of a series that says nothing.
    """

    def __init__(self, table: TableOf, leaves: Sequence[tuple[int, Leaf]], nothing: int) -> None:
        self.table: Table = table([leaf.condition for _, leaf in leaves])
        self.of_samples = leaves[0][1].over is Input.SAMPLES
        width = max(len(leaf.slots) for _, leaf in leaves)
        self.columns = np.full((len(leaves), width), nothing)
        for number, (_, leaf) in enumerate(leaves):
            self.columns[number, : len(leaf.slots)] = leaf.slots
        self.held = np.zeros(len(leaves), bool)
        self._index = ReaderIndex((slot, number) for number, (slot, _) in enumerate(leaves))

    def concerned(self, slots: Slots, seen: Floats) -> tuple[Slots, Slots, Floats]:
        """List the leaves of folds that samples say something to: row, leaf, and what it is."""
        rows, leaves = self._index.pairs(slots)
        own = seen[rows[:, None], self.columns[leaves]]
        told = np.flatnonzero(~np.isnan(own).all(axis=1))
        values = own[told] if self.of_samples else own[told, 0]
        return rows[told], leaves[told], values


class CompositeTable:
    """Conditions on several series of a device, combined."""

    def __init__(self, conditions: Sequence[DerivedCondition], tables: Mapping[type, TableOf]) -> None:
        nodes = [cast("TruthDerivation", condition.derivation).node for condition in conditions]
        self._nothing = max((slot for node in nodes for leaf in node.leaves() for slot in leaf.slots), default=0) + 1
        by_kind: dict[type, list[tuple[int, Leaf]]] = {}
        self._places: list[tuple[_Place, ...]] = []
        for number, node in enumerate(nodes):
            places: list[_Place] = []
            for leaf in node.leaves():
                kind = kind_of(leaf.condition)
                same = by_kind.setdefault(kind, [])
                places.append(_Place(kind, len(same)))
                same.append((number, leaf))
            self._places.append(tuple(places))
        self._nodes = nodes
        self._leaves = {
            kind: _Leaves(tables[kind], leaves, self._nothing) for kind, leaves in by_kind.items() if kind in TIMELESS
        }

    def hold(self, slot: int, state: DerivedState) -> bool:
        """Take a state up, if time alone changes no part, and every part allows it that has seen anything."""
        places, memories = self._places[slot], _memories(self._nodes[slot], state.memory.parts)
        if not all(place.kind in TIMELESS for place in places):
            return False
        for place, memory in zip(places, memories, strict=True):
            leaves = self._leaves[place.kind]
            leaves.held[place.slot] = memory.known and leaves.table.hold(place.slot, memory.state)
            if memory.known and not leaves.held[place.slot]:
                return False
        return True

    def restore(self, slot: int, state: DerivedState, position: Instant) -> DerivedState:
        """Put the memories of the parts together again."""
        places = iter(self._places[slot])
        parts = self._restored(self._nodes[slot], state.memory.parts, places, position)
        return state._replace(memory=TruthMemory(parts, position))

    def quiet(self, slots: Slots, after: Instants, at: Instants, seen: Floats) -> Mask:  # noqa: ARG002  # by leaf
        """Tell which samples are uneventful for each part."""
        quiet, wide = np.ones(len(slots), bool), self._wide(seen)
        for leaves in self._leaves.values():
            rows, own, values = leaves.concerned(slots, wide)
            held = leaves.held[own]
            quiet[rows[~held]] = False
            rows, own, values = rows[held], own[held], values[held]
            quiet[rows[~leaves.table.quiet(own, at[rows], at[rows], values)]] = False
        return quiet

    def take(self, slots: Slots, after: Instants, at: Instants, seen: Floats) -> None:  # noqa: ARG002  # by leaf
        """Let each part take what concerns it."""
        wide = self._wide(seen)
        for leaves in self._leaves.values():
            rows, own, values = leaves.concerned(slots, wide)
            leaves.table.take(own, at[rows], at[rows], values)

    def _wide(self, seen: Floats) -> Floats:
        """Add columns that say nothing."""
        missing = self._nothing + 1 - seen.shape[1]
        return seen if missing <= 0 else np.column_stack((seen, np.full((len(seen), missing), np.nan)))

    def _restored(self, node: Node, memory: Any, places: Iterator[_Place], position: Instant) -> Any:  # noqa: ANN401  # its own
        if isinstance(node, Branch):
            parts = zip(node.parts, memory, strict=True)
            return tuple(self._restored(part, own, places, position) for part, own in parts)
        place = next(places)
        if not memory.known:
            return memory
        return memory._replace(state=self._leaves[place.kind].table.restore(place.slot, memory.state, position))


def _memories(node: Node, memory: Any) -> Iterator[Memory]:  # noqa: ANN401  # the node's own
    """List the memories of the leaves."""
    if isinstance(node, Branch):
        for part, own in zip(node.parts, memory, strict=True):
            yield from _memories(part, own)
    else:
        yield memory
