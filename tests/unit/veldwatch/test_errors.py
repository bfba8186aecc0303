"""The tree drawn in errors.py is the tree that is there."""

import re

from veldwatch import errors
from veldwatch.errors import DeliveryFailed, MessageRejected, VeldwatchError
from veldwatch.model.reasons import Reason


def _subclasses(cls: type[Exception]) -> set[str]:
    return {cls.__name__}.union(*(_subclasses(child) for child in cls.__subclasses__()))


def test_the_drawn_tree_names_every_error_and_nothing_else() -> None:
    assert errors.__doc__ is not None
    drawn = set(re.findall(r"^(?: {4}|[ │├└─]+)([A-Z]\w+)", errors.__doc__, re.MULTILINE))
    defined = {name for name in _subclasses(VeldwatchError) if hasattr(errors, name)}
    assert drawn == defined


def test_a_rejected_message_carries_its_reason_and_says_it() -> None:
    error = MessageRejected(Reason.BAD_VALUE, "flow_rate: 'x' (expected a number)")
    assert error.reason is Reason.BAD_VALUE
    assert str(error) == "bad_value: flow_rate: 'x' (expected a number)"


def test_a_failed_delivery_says_whether_trying_again_can_help() -> None:
    assert DeliveryFailed("550 no such user", permanent=True).permanent
