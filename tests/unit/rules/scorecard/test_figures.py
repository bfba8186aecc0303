"""The figures of a scorecard, worked out by hand, and how they are told and drawn."""

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest

from rules.scorecard import baseline
from rules.scorecard.figures import Figures, figures_of
from rules.scorecard.matching import match
from rules.scorecard.picture import draw
from rules.scorecard.report import Report, lines, markdown
from rules.scorecard.tally import quantile
from tests.unit.rules.scorecard.cases import alert, fault, hour, rule, spot, stretch
from veldwatch.storage.scorecard import Evidence

LEAK = rule("water.leak", ("leak",))
BURST = rule("water.burst", ("burst", "leak"), spot("p1", "town", "north"))
HEAT = rule("heat", (), spot("w1"))
RULES = (LEAK, BURST, HEAT)
OVER = stretch()


@pytest.fixture
def card() -> Figures:
    """Give three leaks (two found, one where nobody looks), a burst unseen, drift without a rule, an exchange."""
    faults = [
        fault("leak", 0, 10),
        fault("leak", 50, 60),
        fault("leak", 70, 80, device="m9"),
        fault("burst", 100, 110, site="north"),
        fault("drift", 100, 110),
        fault("meter_exchange", 120, 121),
    ]
    alerts = [
        alert(2, "water.leak"),
        alert(3, "water.leak"),
        alert(60, "water.leak"),
        alert(122, "water.leak"),
        alert(40, "water.burst", "p1", "town", "north"),
        alert(5, "heat", "w1"),
    ]
    return figures_of(match(faults, alerts, RULES, OVER), RULES, OVER)


def test_all_together(card: Figures) -> None:
    overall = card.document()["overall"]
    assert overall == {
        "injected": 5,
        "detected": 2,
        "missed": 3,
        "missed_without_rule": 1,
        "recall": 0.4,
        "alerts": 5,
        "true": 2,
        "false": 2,
        "repeated": 1,
        "explained": 0,
        "precision": 0.5,
        "false_alarms_per_device_week": round(2 / 3, 4),
        "unscored": 1,
        "f1": round(2 * 0.5 * 0.4 / 0.9, 4),
        "false_alarms_per_day": round(2 / 7, 4),
    }


def test_by_kind(card: Figures) -> None:
    leak, burst, drift, exchange = card.document()["kinds"]
    assert (leak["kind"], leak["injected"], leak["detected"], leak["rules"]) == (
        "leak",
        3,
        2,
        ["water.burst", "water.leak"],
    )
    assert (leak["delay_median_seconds"], leak["delay_p95_seconds"]) == (2 * 3600, 10 * 3600)
    assert leak["precision"] == 0.5
    assert (burst["recall"], burst["precision"], burst["false_alarms_per_device_week"]) == (0.0, 0.0, 1.0)
    assert (drift["recall"], drift["rules"], drift["precision"]) == (0.0, [], None)
    assert (exchange["counts"], exchange["detected"], exchange["recall"]) == (False, None, None)
    assert exchange["false_alarms_provoked"] == 1


def test_by_rule(card: Figures) -> None:
    leak, burst, heat = card.document()["rules"]
    assert (leak["devices"], leak["alerts"], leak["true"], leak["repeated"], leak["false"]) == (2, 4, 2, 1, 1)
    assert (leak["precision"], leak["false_alarms_per_device_week"]) == (round(2 / 3, 4), 0.5)
    assert (burst["true"], burst["false"], burst["precision"]) == (0, 1, 0.0)
    assert heat == {"rule": "heat", "detects": [], "devices": 1, "alerts": 1}


def test_misses_say_why(card: Figures) -> None:
    misses = [(miss["kind"], miss["device"] or miss["site"], miss["reason"]) for miss in card.document()["misses"]]
    assert misses == [
        ("leak", "m9", "no rule watches this place"),
        ("burst", "north", "no alert"),
        ("drift", "m1", "no rule"),
    ]


def test_nothing_at_all_has_no_shares() -> None:
    nothing = figures_of(match([], [], [LEAK], OVER), [LEAK], OVER)
    overall = nothing.document()["overall"]
    assert (overall["recall"], overall["precision"], overall["f1"]) == (None, None, None)
    assert overall["false_alarms_per_device_week"] == 0.0
    unwatched = figures_of(match([], [], [], OVER), [], OVER)
    assert unwatched.document()["overall"]["false_alarms_per_device_week"] is None


@pytest.mark.parametrize(
    ("numbers", "at", "expected"),
    [
        ([], 0.5, None),
        ([3.0], 0.95, 3.0),
        ([1.0, 2.0, 3.0, 4.0], 0.5, 2.0),
        ([float(number) for number in range(1, 21)], 0.95, 19.0),
        ([float(number) for number in range(1, 22)], 0.95, 20.0),
    ],
    ids=str,
)
def test_a_quantile_is_a_number_that_was_there(numbers: list[float], at: float, expected: float | None) -> None:
    assert quantile(numbers, at) == expected


@pytest.fixture
def report(card: Figures) -> Report:
    return Report(
        figures=card,
        alerts_from="recorded",
        truth_from=["simulated"],
        registered=4,
        evidence=Evidence(1234567, 8, 9),
        refused={"conservation.left-reserve": "no site 'reserve'"},
        baseline=card,
    )


def test_it_is_told_in_lines_that_a_terminal_shows(report: Report) -> None:
    told = list(lines(report))
    assert told[0] == "Scorecard from 2026-03-01 00:00 to 2026-03-08 00:00 UTC, 7d"
    assert told[1].startswith("recorded alerts against simulated truth, grace 24h; 3 of 4 devices watched, ")
    assert told[1].endswith(" 1,234,567 readings, 8 fixes, 9 contacts")
    assert any(line.split()[:5] == ["Leak", "behind", "a", "meter", "3"] for line in told)
    assert any(line.startswith("Meter exchanged †") for line in told)
    assert any(line.split() == ["heat", "1", "1", *"––––––"] for line in told)
    assert "  leak at m9, 300 L/h, 2026-03-03 22:00 to 2026-03-04 08:00: no rule watches this place" not in told
    assert "  leak at m9, 2026-03-03 22:00 to 2026-03-04 08:00: no rule watches this place" in told
    assert "not carried out: conservation.left-reserve: no site 'reserve'" in told
    assert max(len(line) for line in told) < 160


def test_a_document_has_the_same_tables(report: Report) -> None:
    written = list(markdown(report))
    assert "| Leak behind a meter | 3 | 2 | 0.67 | 2h | 10h | 0.50 | 2 | 0.667 | water.burst, water.leak |" in written
    tables = [line.count("|") for line in written if line.startswith("|")]
    assert sorted(set(tables)) == [10, 11]
    assert tables.count(11) == len(report.figures.kinds) + 3


def test_a_long_list_is_cut_for_people_and_whole_in_json() -> None:
    alerts = [alert(number, "water.leak") for number in range(30)]
    card = figures_of(match([], alerts, RULES, OVER), RULES, OVER)
    report = Report(
        figures=card, alerts_from="recorded", truth_from=["a.csv"], registered=1, evidence=Evidence(1, 0, 0), refused={}
    )
    assert "  and 10 more (--json lists all)" in list(lines(report))
    assert len(report.document()["false_alarms"]) == 30
    assert report.document()["baseline"] is None


def test_the_json_says_what_the_baseline_is(report: Report) -> None:
    document = report.document()["baseline"]
    assert document["parameters"] == dict(baseline.PARAMETERS)
    assert document["overall"]["recall"] == 0.4


def shapes(picture: str, colour: str) -> list[ET.Element]:
    return [one for one in ET.fromstring(picture).iter() if colour in (one.get("fill"), one.get("stroke"))]  # noqa: S314  # our own


def test_a_picture_shows_what_was_found_what_was_missed_and_what_was_false(card: Figures) -> None:
    picture = draw(card)
    legend = 1
    bars = [one for one in shapes(picture, "#0072b2") if one.tag.endswith("rect")]
    missed = [one for one in shapes(picture, "#d55e00") if one.tag.endswith("rect")]
    crosses = [one for one in shapes(picture, "#d55e00") if one.tag.endswith("path")]
    assert (len(bars), len(missed), len(crosses)) == (2 + legend, 3 + legend, 2 + legend)
    assert len(shapes(picture, "#009e73")) == 2 + legend
    assert "2 of 5 faults found" in picture


@pytest.mark.parametrize("hours", [0.01, 1, 30, 168, 24 * 100, 24 * 365, 24 * 365 * 30])
def test_a_picture_of_any_stretch_has_some_moments_written_on_it(hours: float) -> None:
    over = stretch(0, hours)
    picture = draw(figures_of(match([], [], [LEAK], over), [LEAK], over))
    middle = [one.text for one in ET.fromstring(picture).iter() if one.get("text-anchor") == "middle"]  # noqa: S314  # ours
    assert 1 <= len(middle) <= 12
    assert len(set(middle)) == len(middle)


def test_names_in_a_picture_are_text_only() -> None:
    hostile = fault("<script>", 1, 2)
    picture = draw(figures_of(match([hostile], [], [LEAK], OVER), [LEAK], OVER))
    assert "<script>" not in picture
    ET.fromstring(picture)  # noqa: S314  # our own


def test_moments_are_told_in_utc() -> None:
    assert hour(0) == datetime(2026, 3, 1, tzinfo=UTC)
    assert stretch(0, 24).days == 1
    assert stretch(0, 24).grace == timedelta(hours=24)
