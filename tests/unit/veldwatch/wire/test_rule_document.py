"""Rules as documents: what is read, what is refused and how it is said, and the published schema."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from veldwatch.errors import RuleInvalid
from veldwatch.model.conditions.flow import Beginning, ContinuousFlow
from veldwatch.model.conditions.movement import Geofence
from veldwatch.model.conditions.values import Threshold
from veldwatch.model.rule import Rule, Severity
from veldwatch.wire.rule_document import parse_rule, rule_to_document, version_id
from veldwatch.wire.rule_schema import rule_schema, schema_text

SCHEMA_FILE = Path(__file__).resolve().parents[4] / "docs" / "reference" / "rule.schema.json"
SQUARE = {"type": "Polygon", "coordinates": [[[30, -10], [30.1, -10], [30.1, -9.9], [30, -10]]]}
LINE = {"type": "LineString", "coordinates": [[30, -10], [30.1, -9.9]]}
CONDITIONS: tuple[dict[str, Any], ...] = (
    {"kind": "threshold", "metric": "m", "above": 3},
    {"kind": "threshold", "metric": "m", "below": -3.5, "dead_band": 1},
    {"kind": "threshold", "metric": "m", "outside": [1, 5], "dead_band": 0.5},
    {"kind": "continuous_flow", "metric": "m", "duration": "24h"},
    {"kind": "continuous_flow", "metric": "m", "duration": "PT24H", "max_gap": "30m", "of": "rate", "minimum": 2},
    {"kind": "continuous_flow", "metric": "m", "duration": "2d", "beginning": "any"},
    {"kind": "absence", "silent_for": "90s"},
    {"kind": "geofence", "event": "exit", "site": "reserve"},
    {"kind": "geofence", "event": "enter", "polygon": SQUARE, "margin_metres": 0, "max_gap": "1h"},
    {"kind": "geofence", "event": "exit", "sites_of_kind": "reserve", "confirm": 2},
    {"kind": "geofence", "event": "dwell", "sites_of_kind": "village", "duration": "3h"},
    {"kind": "geofence", "event": "outside_when_due", "site": "kraal", "due_from": "18:00", "due_to": "06:00"},
    {
        "kind": "geofence",
        "event": "outside_when_due",
        "polygon": SQUARE,
        "due_from": "08:00",
        "due_to": "17:30",
        "due_days": ["mon", "fri"],
        "time_zone": "Africa/Lusaka",
    },
    {"kind": "geofence", "event": "cross", "site": "river"},
    {"kind": "geofence", "event": "left_to_right", "line": LINE, "lasts": "1h", "margin_metres": 10},
    {"kind": "near", "distance_metres": 2000, "sites_of_kind": "village"},
    {"kind": "near", "distance_metres": 50, "feature": {"type": "Point", "coordinates": [30, -10]}, "confirm": 3},
    {"kind": "near", "distance_metres": 50, "feature": LINE, "max_gap": "1h"},
    {"kind": "speed", "above": 40},
    {"kind": "speed", "below": 0.1, "window": "6h", "max_gap": "3h", "dead_band": 0.1},
    {"kind": "speed", "below_percentile": 1, "of": "displacement"},
    {"kind": "immobility"},
    {"kind": "immobility", "radius_metres": 20, "window": "2h", "share": 0.9},
    {"kind": "rate_of_change", "metric": "m", "above": 3},
    {"kind": "rate_of_change", "metric": "m", "outside": [-1, 2], "per": "1m", "apart": "5m", "max_gap": "1h"},
    {"kind": "rate_of_change", "metric": "m", "below": 1, "dead_band": 1, "of": "register"},
    {"kind": "change", "metric": "m", "window": "1d", "of": "increase", "below": 1},
    {"kind": "change", "metric": "m", "window": "1h", "of": "range", "above": 1, "min_coverage": 0.5},
    {"kind": "repeat", "metric": "m", "below": 5, "count": 3, "window": "1h"},
    {"kind": "repeat", "metric": "m", "outside": [1, 5], "dead_band": 1, "count": 9, "window": "1h", "of": "readings"},
    {"kind": "stuck", "metric": "m", "duration": "3h"},
    {"kind": "stuck", "metric": "m", "duration": "3h", "tolerance": 0.1, "at_least": 3, "within": [0, 5]},
    {"kind": "stuck", "metric": "m", "duration": "3h", "max_gap": "1h", "outside": [0, 5]},
    {"kind": "spike", "metric": "m", "above": 3},
    {"kind": "calculated", "expression": "a / b", "above": 3},
    {"kind": "calculated", "expression": "p * 2", "names": {"p": "1-0:1.7.0"}, "outside": [1, 2], "within": "1h"},
    {
        "kind": "any_of",
        "of": [{"kind": "threshold", "metric": "m", "above": 3}, {"kind": "stuck", "metric": "n", "duration": "1h"}],
    },
    {
        "kind": "all_of",
        "of": [
            {"kind": "calculated", "expression": "a - b", "below": 0, "dead_band": 1},
            {"kind": "not", "of": {"kind": "rate_of_change", "metric": "m", "outside": [-1, 1]}},
            {
                "kind": "any_of",
                "of": [
                    {"kind": "change", "metric": "m", "window": "1h", "of": "range", "above": 1},
                    {"kind": "threshold", "metric": "m", "above": 3},
                ],
            },
        ],
    },
    {"kind": "not", "of": {"kind": "threshold", "metric": "m", "above": 3}},
    {"kind": "spike", "metric": "m", "above": 3, "direction": "up", "max_gap": "10m"},
)


def document(condition: Mapping[str, Any] = CONDITIONS[0], **parts: object) -> dict[str, Any]:
    return {"id": "town.rule", "title": "A rule", "severity": "major", "condition": condition, **parts}


@pytest.mark.parametrize("condition", CONDITIONS, ids=str)
def test_a_rule_that_is_written_reads_the_same(condition: dict[str, Any]) -> None:
    rule = parse_rule(document(condition))
    written = rule_to_document(rule)
    assert parse_rule(written) == rule
    assert rule_to_document(parse_rule(written)) == written
    assert version_id(parse_rule(written)) == version_id(rule)


@pytest.mark.parametrize("condition", CONDITIONS, ids=str)
def test_the_schema_takes_what_the_parser_takes(condition: dict[str, Any]) -> None:
    jsonschema.validate(document(condition), rule_schema())
    jsonschema.validate(rule_to_document(parse_rule(document(condition))), rule_schema())


def test_the_published_schema_is_this_one() -> None:
    assert SCHEMA_FILE.read_text(encoding="utf-8") == schema_text(), "run `veldwatch rules schema > " + str(SCHEMA_FILE)


def test_everything_that_can_be_said_is_read() -> None:
    rule = parse_rule(
        document(
            select={"organisation": "o", "site": "s", "profile": "p", "devices": ["b", "a", "b"], "tags": ["y", "x"]},
            hold_for="5m",
            keep_firing_for="10m",
            message="{device_name}: {value:.2f} {unit}",
            runbook="https://example.org/leak",
            labels={"team": "north"},
            detects=["leak", "burst", "leak"],
        )
    )
    assert rule.detects == ("burst", "leak")
    assert rule.select.devices == ("a", "b")
    assert rule.select.tags == ("x", "y")
    assert (rule.hold_for, rule.keep_firing_for) == (timedelta(minutes=5), timedelta(minutes=10))
    assert rule.labels == {"team": "north"}


def test_defaults_are_not_written() -> None:
    rule = Rule(id="a", title="A", severity=Severity.INFO, condition=Threshold(metric="m", above=1))
    assert rule_to_document(rule) == {
        "id": "a",
        "title": "A",
        "severity": "info",
        "condition": {"kind": "threshold", "metric": "m", "above": 1.0},
    }


def test_how_a_duration_is_written_makes_no_other_version() -> None:
    versions = {
        version_id(parse_rule(document({"kind": "continuous_flow", "metric": "m", "duration": text})))
        for text in ("24h", "1d", "PT24H", "P1D", "1440m", "86400s")
    }
    assert len(versions) == 1


@pytest.mark.parametrize("detects", [[], ["leak"], ["burst", "leak"]], ids=str)
def test_what_a_rule_is_there_to_find_makes_no_other_version_and_is_kept(detects: list[str]) -> None:
    rule = parse_rule(document(detects=detects))
    assert version_id(rule) == version_id(parse_rule(document()))
    assert rule_to_document(rule)["detects"] == detects
    jsonschema.validate(rule_to_document(rule), rule_schema())
    assert "detects" not in rule_to_document(parse_rule(document()))


def test_what_a_condition_says_comes_through() -> None:
    flow = parse_rule(document(CONDITIONS[5])).condition
    fence = parse_rule(document(CONDITIONS[8])).condition
    assert isinstance(flow, ContinuousFlow)
    assert (flow.duration, flow.max_gap, flow.beginning) == (timedelta(days=2), timedelta(hours=2), Beginning.ANY)
    assert isinstance(fence, Geofence)
    assert fence.polygon is not None
    assert fence.margin_metres == 0


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"id": "Upper"}, "bad id: 'Upper' (expected lower-case letters"),
        ({"title": "two\nlines"}, "bad title: 'two\\nlines'"),
        ({"severity": "bad"}, "bad severity: 'bad' (expected one of info, minor, major, critical)"),
        ({"severity": None}, "missing severity"),
        ({"condition": {"kind": "magic"}}, "bad condition.kind: 'magic' (expected one of threshold, "),
        ({"condition": "x"}, "bad condition: 'x' (expected a mapping)"),
        ({"condition": {"kind": "threshold", "metric": "m"}}, "bad condition: 0 of above, below, outside given"),
        (
            {"condition": {"kind": "threshold", "metric": "m", "above": 1, "below": 0}},
            "bad condition: 2 of above, below, outside given (expected exactly one)",
        ),
        ({"condition": {"kind": "threshold", "metric": "m", "above": "1"}}, "bad condition.above: '1'"),
        ({"condition": {"kind": "threshold", "metric": "m", "above": True}}, "bad condition.above: True"),
        ({"condition": {"kind": "threshold", "metric": "m", "above": float("nan")}}, "bad condition.above: nan"),
        ({"condition": {"kind": "threshold", "metric": "m", "outside": [5, 1]}}, "expected the lower limit first"),
        (
            {"condition": {"kind": "threshold", "metric": "m", "outside": [1, 5], "dead_band": 2}},
            "bad condition.dead_band: 2.0 (expected less than half the range",
        ),
        ({"condition": {"kind": "absence", "silent_for": 90}}, "bad condition.silent_for: 90 (expected a duration"),
        ({"condition": {"kind": "absence", "silent_for": "0s"}}, "bad condition.silent_for: '0s' (expected more"),
        ({"condition": {"kind": "absence", "silent_for": "99999999999d"}}, "expected at most ten years"),
        ({"condition": {"kind": "immobility", "share": 1.5}}, "bad condition.share: 1.5 (expected a number from 0.5"),
        (
            {"condition": {"kind": "geofence", "event": "exit"}},
            "bad condition: 0 of site, sites_of_kind, polygon given",
        ),
        ({"condition": {"kind": "geofence", "event": "cross"}}, "0 of site, sites_of_kind, line given"),
        ({"condition": {"kind": "geofence", "event": "dwell", "site": "s"}}, "missing condition.duration"),
        (
            {"condition": {"kind": "geofence", "event": "dwell", "site": "s", "duration": "1h"}, "hold_for": "1h"},
            "bad hold_for: '1h' (not for geofence, it has its own: condition.duration)",
        ),
        (
            {
                "condition": {
                    "kind": "geofence",
                    "event": "outside_when_due",
                    "site": "s",
                    "due_from": "6pm",
                    "due_to": "06:00",
                }
            },
            "bad condition.due_from: '6pm'",
        ),
        (
            {
                "condition": {
                    "kind": "geofence",
                    "event": "outside_when_due",
                    "site": "s",
                    "due_from": "\u0661\u0668:\u0660\u0660",
                    "due_to": "06:00",
                }
            },
            "expected a time of day such as 02:00",
        ),
        ({"condition": {"kind": "speed", "above": 3, "below": 1}}, "2 of above, below, below_percentile given"),
        (
            {"condition": {"kind": "geofence", "event": "exit", "polygon": {"type": "Point"}}},
            "bad condition.polygon: type 'Point' (expected a GeoJSON Polygon",
        ),
        ({"hold_for": "5m", "condition": CONDITIONS[6]}, "bad hold_for: '5m' (not for absence, it has its own"),
        ({"keep_firing_for": "5m", "condition": CONDITIONS[6]}, "bad keep_firing_for: not for absence"),
        (
            {"condition": {"kind": "rate_of_change", "metric": "m", "above": 1, "apart": "2h"}},
            "bad condition.apart: '2h' (expected at most half of max_gap",
        ),
        (
            {"condition": {"kind": "change", "metric": "m", "above": 1, "window": "1h"}},
            "missing condition.of (expected one of increase, range, difference)",
        ),
        ({"condition": {"kind": "repeat", "metric": "m", "above": 1, "window": "1h"}}, "missing condition.count"),
        (
            {"condition": {"kind": "repeat", "metric": "m", "above": 1, "window": "1h", "count": 1}},
            "bad condition.count: 1 (expected a whole number from 2 to 100)",
        ),
        (
            {"condition": {"kind": "stuck", "metric": "m", "duration": "1h", "within": [0, 1], "outside": [0, 1]}},
            "(expected one of within and outside)",
        ),
        ({"condition": {"kind": "spike", "metric": "m", "above": 0}}, "bad condition.above: 0.0"),
        (
            {"hold_for": "5m", "condition": {"kind": "repeat", "metric": "m", "above": 1, "window": "1h", "count": 2}},
            "bad hold_for: '5m' (not for repeat, it has its own: condition.window)",
        ),
        (
            {"condition": {"kind": "calculated", "expression": "a + pow(b, 2)", "above": 1}},
            "bad condition.expression: 'pow(b, 2)' at position 5 of 'a + pow(b, 2)' (expected one of abs, min, ",
        ),
        (
            {"condition": {"kind": "calculated", "expression": "1 + 2", "above": 1}},
            "expected the name of a metric in it",
        ),
        (
            {"condition": {"kind": "calculated", "expression": "a", "names": {"b": "m"}, "above": 1}},
            "bad condition.names: 'b' (expected a name that the expression uses)",
        ),
        ({"condition": {"kind": "all_of", "of": [CONDITIONS[0]]}}, "(expected a list of 2 to 8 conditions)"),
        (
            {"condition": {"kind": "any_of", "of": [CONDITIONS[0], {"kind": "spike", "metric": "m", "above": 3}]}},
            "bad condition.of[1].kind: 'spike' (expected one of threshold, rate_of_change, change, repeat, stuck, ",
        ),
        (
            {"condition": {"kind": "not", "of": {"kind": "threshold", "metric": "m", "above": 1, "hold_for": "5m"}}},
            "bad condition.of.hold_for: unknown key 'hold_for'",
        ),
        (
            {
                "condition": {
                    "kind": "not",
                    "of": {"kind": "not", "of": {"kind": "not", "of": {"kind": "not", "of": {"kind": "not"}}}},
                }
            },
            "expected conditions nested at most 4 deep",
        ),
        (
            {
                "condition": {
                    "kind": "any_of",
                    "of": [
                        {"kind": "calculated", "above": 1, "expression": "+".join(f"m{n}" for n in range(9))},
                        {"kind": "calculated", "above": 1, "expression": "+".join(f"n{n}" for n in range(9))},
                    ],
                }
            },
            "(expected at most 16 metrics)",
        ),
        ({"message": "{password}"}, "bad message: '{password}' (unknown field 'password'"),
        ({"message": "{device.__class__}"}, "unknown field 'device.__class__'"),
        ({"message": "{value:999999999f}"}, "bad format of field 'value'"),
        ({"message": "{value!r}"}, "bad format of field 'value'"),
        ({"message": "{"}, "bad message: '{'"),
        ({"runbook": "javascript:alert(1)"}, "bad runbook"),
        ({"labels": {"a": 1}}, "bad labels"),
        ({"detects": ["flood"]}, "bad detects: 'flood' (expected one of leak, burst, "),
        ({"detects": "leak"}, "bad detects: 'leak' (expected a list of texts)"),
        ({"select": {"device": "x"}}, "bad select.device: unknown key 'device' (expected one of devices, "),
        ({"colour": "red"}, "bad colour: unknown key 'colour'"),
    ],
    ids=str,
)
def test_what_is_wrong_is_named_with_its_place_and_value(wrong: dict[str, object], complaint: str) -> None:
    with pytest.raises(RuleInvalid) as raised:
        parse_rule(document() | wrong)
    assert complaint in str(raised.value)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
_KEYS = st.sampled_from(
    ["kind", "metric", "above", "outside", "duration", "silent_for", "polygon", "event", "site", "share", "window"]
)


@given(
    st.dictionaries(
        st.sampled_from(["id", "title", "severity", "select", "condition", "hold_for", "message", "labels", "detects"]),
        _JSON | st.dictionaries(_KEYS, _JSON | st.sampled_from(["threshold", "geofence", "1h"]), max_size=5),
        max_size=8,
    )
)
def test_nothing_but_a_refusal_comes_of_nonsense(nonsense: dict[str, object]) -> None:
    try:
        rule = parse_rule(document() | nonsense)
    except RuleInvalid:
        return
    assert parse_rule(rule_to_document(rule)) == rule
