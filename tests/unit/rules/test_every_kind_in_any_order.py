"""No kind of condition is left out of the properties that any order of data leaves the same alerts."""

from itertools import chain

from tests.unit.rules import (
    test_any_order,
    test_composites_in_any_order,
    test_grids_in_any_order,
    test_parts_in_any_order,
    test_samples_in_any_order,
)
from veldwatch.model.conditions.composite import Composite, leaves_of
from veldwatch.model.conditions.kinds import KINDS, kind_of
from veldwatch.model.rule import Rule

_SINGLE = (
    *test_any_order.READING_RULES,
    *test_any_order.FIX_RULES,
    *test_any_order.PLACE_RULES,
    *test_any_order.WAY_RULES,
    *test_any_order.CONTACT_RULES,
    *test_any_order.EVENT_RULES,
)
_RULES: tuple[Rule, ...] = (
    *_SINGLE,
    *test_any_order.WORSENING_RULES,
    *test_any_order.SILENCE_RULES,
    *test_composites_in_any_order.RULES,
    *test_samples_in_any_order.RULES,
    *test_parts_in_any_order.RULES,
    *test_grids_in_any_order.CONTACT_RULES,
    *test_grids_in_any_order.READING_RULES,
    *test_grids_in_any_order.FIX_RULES,
)


def test_every_kind_is_tried_in_any_order() -> None:
    tried = {kind_of(rule.condition) for rule in _RULES}
    of_parts = chain.from_iterable(leaves_of(r.condition) for r in _RULES if isinstance(r.condition, Composite))
    assert tried | {kind_of(part) for part in of_parts} | {"not"} == set(KINDS)


def test_severities_that_rise_are_tried_by_level_and_by_time_for_conditions_on_areas_too() -> None:
    risen = [rule for rule in _RULES if rule.escalate]
    kinds = {kind_of(rule.condition) for rule in risen}
    assert {"threshold", "event", "absence", "all_of", "area_outage", "balance", "neighbours", "proximity"} <= kinds
