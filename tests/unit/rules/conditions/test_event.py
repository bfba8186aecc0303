"""What devices tell besides readings."""

import json
from typing import Any, cast

import pytest

from rules.conditions.compile import compile_condition
from rules.conditions.event import is_meant
from rules.conditions.span import Happening
from rules.happenings import canonical, happenings_of
from tests.unit.rules.conditions.cases import Times, times
from tests.unit.rules.worlds import minute
from veldwatch.errors import RuleInvalid
from veldwatch.model.conditions.event import EventCondition, EventPattern
from veldwatch.wire.rule_document import parse_rule, rule_to_document

_OPENED = {"kind": "tamper", "attributes": {"cover": "opened"}}
_CLOSED = {"kind": "tamper", "attributes": {"cover": "closed"}}
_POWER = {"kind": "power_failure"}


def document(hold_for: str | None = None, **condition: object) -> dict[str, Any]:
    rule = {"id": "t", "title": "T", "severity": "major", "condition": {"kind": "event", **condition}}
    return {**rule, "hold_for": hold_for} if hold_for else rule


def happenings(text: str) -> list[Happening]:
    """Make what happened each minute of letters: o(pened), c(losed), p(ower failure), x (something else), -: nothing.

    Letters in one word are of one minute.
    """
    of_letter = {
        "o": ("tamper", '{"cover":"opened"}'),
        "c": ("tamper", '{"cover":"closed"}'),
        "p": ("power_failure", "{}"),
        "x": ("button", '{"number":1}'),
    }
    words = text.split()
    return [
        Happening(minute(number), tuple(sorted(of_letter[letter] for letter in word)))
        for number, word in enumerate(words)
        if word != "-"
    ]


@pytest.mark.parametrize(
    ("definition", "told", "expected"),
    [
        (document(events=[_OPENED], cleared_by=[_CLOSED]), "o - - c", [(0, 0, 3)]),
        (document(events=[_OPENED], cleared_by=[_CLOSED]), "o - o c o", [(0, 0, 3), (4, 4, None)]),
        (document(events=[_OPENED], cleared_by=[_CLOSED]), "c - c x", []),
        (document(events=[_OPENED], cleared_by=[_CLOSED]), "oc", [(0, 0, 0)]),
        (document("2m", events=[_OPENED], cleared_by=[_CLOSED]), "o c - o - - c", [(3, 5, 6)]),
        (document(events=[_POWER], quiet_for="3m"), "p - p - - - - p", [(0, 0, 5), (7, 7, 10)]),
        (document(events=[_POWER], quiet_for="3m"), "p - - p", [(0, 0, 3), (3, 3, 6)]),
        (document(events=[_POWER], quiet_for="3m", cleared_by=[_OPENED]), "p o - p", [(0, 0, 1), (3, 3, 6)]),
        (document(events=[_POWER], count=3, window="5m"), "p - p - p", [(0, 4, 9)]),
        (document(events=[_POWER], count=3, window="5m"), "p - - - p - p - p", [(4, 8, 13)]),
        (document(events=[_POWER], count=3, window="3m"), "p - p - p", []),
        (document(events=[_POWER, _OPENED], count=2, window="1m"), "po", [(0, 0, 1)]),
        (document(events=[_POWER], count=2, window="9m", cleared_by=[_OPENED]), "p o p - o p", [(0, 2, 4)]),
        (document(events=[_POWER], count=2, window="2m", quiet_for="1m"), "p - p - - p p", [(0, 2, 3), (5, 6, 7)]),
        (document(events=[_POWER], quiet_for="3m"), "", []),
    ],
    ids=[
        "until it is cleared", "again", "something else", "within an instant", "long enough", "until it is quiet",
        "at the edge", "whichever comes first", "so many", "the last three", "too far apart", "together",
        "counting begins anew once it was cleared", "two alerts", "nothing",
    ],
)  # fmt: skip
def test_it_lasts_from_what_counts_to_what_clears_it_or_until_it_is_quiet(
    definition: dict[str, Any], told: str, expected: list[Times]
) -> None:
    assert times(compile_condition(parse_rule(definition)), happenings(told)) == expected


def test_evidence_is_the_events_that_made_it_and_the_one_that_ended_it() -> None:
    condition = compile_condition(parse_rule(document(events=[_POWER], count=2, window="9m", cleared_by=[_CLOSED])))
    state: Any = condition.initial(truncated=False)
    ended = None
    for seen in happenings("p - p p c"):
        state, ended = condition.step(state, seen)
    assert ended is not None
    assert [one[1] for one in ended.evidence] == ["power_failure", "power_failure", "tamper"]
    assert (ended.value, json.loads(ended.evidence[-1][2])) == (3.0, {"cover": "closed"})


def test_it_wakes_when_it_fires_and_when_it_is_quiet() -> None:
    condition = compile_condition(parse_rule(document("2m", events=[_POWER], quiet_for="5m")))
    state, _ = condition.step(condition.initial(truncated=False), happenings("p")[0])
    assert condition.wake_at(state, minute(0)) == minute(2)
    assert condition.wake_at(state, minute(2)) == minute(5)
    assert condition.wake_at(state, minute(5)) is None


@pytest.mark.parametrize(
    ("asked", "attributes", "meant"),
    [
        ({"attributes": {"cover": "opened"}}, {"cover": "opened", "by": 3}, True),
        ({"attributes": {"cover": "opened"}}, {"cover": "not opened"}, False),
        ({"attributes": {"cover": ["open", "opened"]}}, {"cover": "opened"}, True),
        ({"attributes": {"flags": "tamper"}}, {"flags": ["dry", "tamper"]}, True),
        ({"attributes": {"level": 1}}, {"level": 1}, True),
        ({"attributes": {"level": 1}}, {"level": True}, False),
        ({"attributes": {"open": True}}, {"open": True}, True),
        ({"attributes": {"open": True}}, {}, False),
        ({"words": {"status": "BURST"}}, {"status": "DRY BURST"}, True),
        ({"words": {"status": "BURST"}}, {"status": "BURSTING"}, False),
        ({"words": {"status": ["LEAK", "BURST"]}}, {"status": "PERMANENT_ERROR,LEAK"}, True),
        ({"words": {"status": "BURST"}}, {"status": 4}, False),
    ],
)
def test_an_event_is_meant_by_its_attributes(asked: dict[str, Any], attributes: dict[str, Any], meant: bool) -> None:
    rule = parse_rule(document(events=[{"kind": "status", **asked}], quiet_for="1h"))
    assert isinstance(rule.condition, EventCondition)
    assert is_meant(rule.condition.events, ("status", json.dumps(attributes))) is meant
    assert not is_meant(rule.condition.events, ("other", json.dumps(attributes)))


def test_long_attributes_are_kept_as_far_as_the_rule_asks_for_them() -> None:
    rule = document(events=[{"kind": "status", "words": {"status": "BURST"}}], quiet_for="1h")
    condition = compile_condition(parse_rule(rule))
    seen = Happening(minute(0), (("status", canonical({"status": "BURST DRY", "picture": "x" * 5000})),))
    state, _ = condition.step(condition.initial(truncated=False), seen)
    span = condition.open_span(state, minute(0))
    assert span is not None
    assert json.loads(span.evidence[0][2]) == {"status": "BURST DRY"}


def test_events_of_one_instant_are_one_happening_whatever_order_and_form_they_came_in() -> None:
    one, other = (5, "a", '{"x": 1.0, "y": [2.0]}'), (5, "b", "{}")
    expected = [Happening(5, (("a", '{"x":1,"y":[2]}'), ("b", "{}")))]
    assert happenings_of([one, other, (6, "c", "{}")], {"a", "b"}) == expected
    assert happenings_of([other, one, (5, "a", '{"y":[2],"x":1}')], {"a", "b"}) == expected


@pytest.mark.parametrize(
    ("condition", "complaint"),
    cast(
        "list[tuple[dict[str, Any], str]]",
        [
            ({"events": [_OPENED]}, "missing condition.cleared_by"),
            ({"events": [], "quiet_for": "1h"}, "bad condition.events"),
            ({"events": [{"attributes": {}}], "quiet_for": "1h"}, "missing condition.events[0].kind"),
            ({"events": [_OPENED], "count": 2, "quiet_for": "1h"}, "bad condition.window"),
            ({"events": [_OPENED], "window": "1h"}, "bad condition.window"),
            (
                {"events": [{"kind": "a", "attributes": {"b": {}}}], "quiet_for": "1h"},
                "condition.events[0].attributes.b",
            ),
            (
                {"events": [{"kind": "a", "words": {"b": "two words"}}], "quiet_for": "1h"},
                "condition.events[0].words.b",
            ),
            ({"events": [{"kind": "a", "colour": "red"}], "quiet_for": "1h"}, "unknown key 'colour'"),
        ],
    ),
)
def test_what_is_not_understood_is_refused(condition: dict[str, Any], complaint: str) -> None:
    with pytest.raises(RuleInvalid) as refused:
        parse_rule(document(**condition))
    assert complaint in str(refused.value)


def test_what_ends_before_it_can_fire_is_refused() -> None:
    with pytest.raises(RuleInvalid, match="bad hold_for"):
        parse_rule(document("1h", events=[_POWER], quiet_for="1h"))


def test_the_canonical_form_is_read_back() -> None:
    written = document(
        events=[{"kind": "a", "attributes": {"n": [1, 2], "t": True}, "words": {"s": "BURST"}}, {"kind": "b"}],
        cleared_by=[_CLOSED],
    )
    rule = parse_rule(written)
    assert rule_to_document(rule)["condition"] == written["condition"]
    assert parse_rule(rule_to_document(rule)) == rule
    assert isinstance(rule.condition, EventCondition)
    assert rule.condition.events[1] == EventPattern(kind="b")
