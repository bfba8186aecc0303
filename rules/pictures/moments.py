"""Moments of a rule test, as its picture counts them."""

from rules.conditions.span import Fix, Instant
from rules.instants import to_instant
from rules.rule_tests import START, RuleTest

_ZERO = to_instant(START)
_SECOND = 1_000_000


def second(at: Instant) -> float:
    """Count the seconds since the test's start."""
    return (at - _ZERO) / _SECOND


def fixes_of(test: RuleTest) -> list[Fix]:
    """List the fixes of a test."""
    return [seen for seen in test.observations if isinstance(seen, Fix)]
