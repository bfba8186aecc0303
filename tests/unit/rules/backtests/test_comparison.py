"""Alerts of two versions side by side: the same, new, gone, at other times."""

from datetime import timedelta
from uuid import UUID

import pytest

from rules.backtest import Finding
from rules.backtests.comparison import compare
from rules.targets import Target, find_targets
from tests.unit.rules.worlds import START, rule_for, watched
from veldwatch.model.alert import Alert, AlertState
from veldwatch.model.conditions.values import Threshold
from veldwatch.model.identifiers import AlertId, RuleVersionId

UNTIL = START + timedelta(minutes=1000)
Times = tuple[int, int, int | None]
"""Device; opened and resolved, in minutes."""


def _targets() -> list[Target]:
    rule = rule_for(Threshold(metric="value", above=1))
    return find_targets([(RuleVersionId(UUID(int=1)), rule)], watched(2))[0]


def _findings(times: list[Times], version: int) -> list[Finding]:
    targets = _targets()
    return [
        Finding(
            target=targets[device - 1],
            alert=Alert(
                id=AlertId(UUID(int=version * 1000 + number)),
                state=AlertState.FIRING if resolved is None else AlertState.RESOLVED,
                opened_at=START + timedelta(minutes=opened),
                fired_at=START + timedelta(minutes=opened),
                resolved_at=None if resolved is None else START + timedelta(minutes=resolved),
                settled_at=None,
                recorded_at=START,
            ),
        )
        for number, (device, opened, resolved) in enumerate(times)
    ]


@pytest.mark.parametrize(
    ("draft", "present", "differences"),
    [
        ([], [], []),
        ([(1, 0, 5)], [(1, 0, 5)], ["same"]),
        ([(1, 0, 5)], [(2, 0, 5)], ["gone", "new"]),
        ([(1, 0, 5)], [(1, 4, 9)], ["changed"]),
        ([(1, 0, 5)], [(1, 5, 9)], ["changed"]),
        ([(1, 0, 5)], [(1, 6, 9)], ["new", "gone"]),
        ([(1, 0, None)], [(1, 0, 5)], ["changed"]),
        ([(1, 0, None)], [(1, 900, 950)], ["changed"]),
        ([(1, 0, 50)], [(1, 0, 5), (1, 10, 15)], ["changed", "changed"]),
        ([(1, 0, 5), (1, 10, 15)], [(1, 0, 50)], ["changed", "changed"]),
        ([(1, 0, 5), (1, 10, 15)], [(1, 10, 15)], ["new", "same"]),
        ([(1, 10, 15), (2, 0, 1)], [(1, 10, 15), (2, 0, 1)], ["same", "same"]),
    ],
)
def test_alerts_that_share_time_belong_together(
    draft: list[Times], present: list[Times], differences: list[str]
) -> None:
    pairs = compare(_findings(draft, 1), _findings(present, 2), UNTIL)
    assert sorted(pair.difference.value for pair in pairs) == sorted(differences)
    assert [pair.finding.order for pair in pairs] == sorted(pair.finding.order for pair in pairs)


def test_one_that_was_two_is_changed_twice() -> None:
    present = _findings([(1, 0, 11), (1, 12, 100)], 2)
    (draft,) = _findings([(1, 10, 100)], 1)
    # Both are compared with the draft's one alert; nothing is new and nothing gone.
    pairs = compare([draft], present, UNTIL)
    assert [(pair.draft, pair.difference.value) for pair in pairs] == [(draft, "changed")] * 2
    assert {pair.present.alert.id for pair in pairs if pair.present} == {finding.alert.id for finding in present}


def test_many_alerts_are_compared_in_their_order() -> None:
    times: list[Times] = [(1, n * 3, n * 3 + 1) for n in range(3000)]
    pairs = compare(_findings(times, 1), _findings(times[1:], 2), START + timedelta(days=30))
    assert [pair.difference.value for pair in pairs].count("same") == 2999
