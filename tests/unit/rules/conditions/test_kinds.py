"""Every kind of condition has all of its parts."""

from pathlib import Path

import pytest

from rules import sentences
from rules.conditions import compile as compiling
from veldwatch.model.conditions.kinds import KINDS
from veldwatch.model.conditions.movement import Geofence, Near
from veldwatch.wire.conditions.registry import FORMS

_RULES = Path(__file__).parents[4] / "docs/reference/rules.md"


def test_documents_know_every_kind() -> None:
    assert list(FORMS) == list(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_can_be_carried_out_said_and_looked_up(kind: str) -> None:
    condition = KINDS[kind]
    compiled = {**compiling.WITH_OWN_TIME, **compiling.WITH_HOLD_FOR, Geofence: None, Near: None}
    assert condition in compiled
    assert condition in sentences.SENTENCES
    assert (condition.OWN_TIME is None) == (condition not in compiling.WITH_OWN_TIME)
    assert f"| `{kind}` |" in _RULES.read_text()
