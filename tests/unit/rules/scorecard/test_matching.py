"""Which alert found which fault: cases worked out by hand, and what must hold of any."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.scorecard.figures import Figures, figures_of
from rules.scorecard.matching import match
from rules.scorecard.occurrences import Detector, Firing, Occurrence, Place, Spot, Stretch
from tests.unit.rules.scorecard.cases import WEEK, alert, fault, hour, rule, stretch

LEAK = rule()
ANY = rule("any", None)
HEAT = rule("heat", ())
EXCHANGE = rule("exchange", ("meter_exchange",))


def verdicts(
    faults: Sequence[Occurrence],
    alerts: Sequence[Firing],
    rules: Sequence[Detector] = (LEAK, ANY, HEAT, EXCHANGE),
    over: Stretch | None = None,
) -> str:
    """Write T, R, F or U for each alert, in the order in which they fired."""
    return "".join(one.verdict.value[0].upper() for one in match(faults, alerts, rules, over or stretch()).judged)


CASES = {
    "an alert in a fault finds it": ([fault()], [alert(12)], "T"),
    "so does one at its very begin": ([fault()], [alert(10)], "T"),
    "one before it is false": ([fault()], [alert(9.99)], "F"),
    "one within the grace after its end finds it": ([fault()], [alert(44)], "T"),
    "one after the grace is false": ([fault()], [alert(44.01)], "F"),
    "a fault without an end is on to the end": ([fault(ends=None)], [alert(160)], "T"),
    "a second alert repeats": ([fault()], [alert(12), alert(14)], "TR"),
    "the first to fire finds it, whatever the order they come in": ([fault()], [alert(14), alert(12)], "TR"),
    "another rule's alert repeats too": ([fault()], [alert(12), alert(13, "any")], "TR"),
    "an alert at another device is false": ([fault()], [alert(12, "leak", "m2")], "F"),
    "two faults after each other are found by two alerts": (
        [fault(), fault(begins=50, ends=60)],
        [alert(12), alert(52)],
        "TT",
    ),
    "two at once are found by two alerts, the one that is over first before the other": (
        [fault(begins=10, ends=100), fault(begins=11, ends=12)],
        [alert(30), alert(90)],
        "TT",
    ),
    "a rule for other kinds is false": ([fault("stuck")], [alert(12)], "F"),
    "a rule that does not say finds what readings show": ([fault("stuck")], [alert(12, "any")], "T"),
    "and nothing that is there to cause no alert": ([fault("meter_exchange")], [alert(12, "any")], "F"),
    "which a rule that names it does find": ([fault("meter_exchange")], [alert(12, "exchange")], "T"),
    "a rule that is there to find no fault is not judged": ([fault()], [alert(12, "heat"), alert(100, "heat")], "UU"),
    "one that something explains finds nothing, and the next one does": (
        [fault()],
        [alert(12)._replace(explained=True), alert(13)],
        "ET",
    ),
    "a label's own word fits every rule": ([fault("anomaly")], [alert(12), alert(13, "exchange")], "TR"),
    "a fault at a site is found at a device of the site": (
        [fault("burst", site="north")],
        [alert(12, "any", "p1", "town", "north")],
        "T",
    ),
    "and below it": ([fault("burst", site="north")], [alert(12, "any", "p1", "town", "north", "upper")], "T"),
    "and by an alert at the site itself": ([fault("burst", site="north")], [alert(12, "any", None, "north")], "T"),
    "not above it": ([fault("burst", site="north")], [alert(12, "any", "p1", "town")], "F"),
    "nor beside it": ([fault("burst", site="north")], [alert(12, "any", "p1", "town", "south")], "F"),
    "a fault at a device is not found by an alert at its site": ([fault()], [alert(12, "any", None, "north")], "F"),
    "a fault from before the stretch can be repeated only": ([fault(begins=-5, ends=20)], [alert(12)], "R"),
    "one that is told twice counts once": ([fault(), fault()], [alert(12), alert(13)], "TR"),
}


@pytest.mark.parametrize("case", CASES)
def test_what_an_alert_is(case: str) -> None:
    faults, alerts, expected = CASES[case]
    assert verdicts(faults, alerts) == expected


def test_alerts_outside_the_stretch_are_left_out() -> None:
    over = stretch(10, 20)
    assert verdicts([fault(begins=11)], [alert(9), alert(10), alert(19.9), alert(20)], over=over) == "FT"
    assert match([fault(begins=20)], [], [LEAK], over).injected == []


def test_what_a_fault_does_beyond_its_device_is_no_false_alarm_of_a_rule_that_is_there_for_it() -> None:
    pump = replace(fault(device="pump"), felt_at=Place(organisation="town", site="hill"))
    downstream = [alert(11, "any", "m1", "town", "hill"), alert(12, "leak", "m2", "town", "hill")]
    assert verdicts([pump], downstream) == "TR"
    assert verdicts([pump], [alert(11, "heat", "m1", "town", "hill"), alert(12, "leak", "m2", "town", "vale")]) == "UF"
    assert verdicts([replace(pump, kind="pump_failure")], downstream) == "TF"


def test_an_organisation_has_its_own_devices() -> None:
    elsewhere = Firing("leak", hour(12), Spot("city", "m1"))
    assert verdicts([fault()], [elsewhere]) == "F"
    anywhere = replace(fault("anomaly"), place=Place(device="m1"))
    assert verdicts([anywhere], [elsewhere]) == "T"
    assert verdicts([replace(fault("anomaly"), place=Place())], [elsewhere]) == "T"


def test_a_false_alarm_names_what_provoked_it() -> None:
    (judged,) = match(
        [fault("roll_over", 5, 6), fault("meter_exchange", 10, 11)], [alert(12)], [LEAK], stretch()
    ).judged
    assert judged.occurrence is not None
    assert judged.occurrence.kind == "meter_exchange"
    (quiet,) = match([], [alert(12)], [LEAK], stretch()).judged
    assert quiet.occurrence is None


HOURS = st.integers(0, int(WEEK) - 1)
DEVICES = st.sampled_from(["m1", "m2"])


def lasting(kind: str, begins: int, lasts: int, device: str) -> Occurrence:
    return fault(kind, begins, begins + lasts, device=device)


KINDS = st.sampled_from(["leak", "stuck", "meter_exchange", "anomaly"])
FAULTS = st.builds(lasting, KINDS, HOURS, st.integers(1, 40), DEVICES)
ALERTS = st.builds(alert, HOURS, st.sampled_from(["leak", "any", "heat"]), DEVICES)
WORLDS = st.tuples(st.lists(FAULTS, max_size=8), st.lists(ALERTS, max_size=12))
RULES = (LEAK, ANY, HEAT)


def scored(faults: Sequence[Occurrence], alerts: Sequence[Firing], over: Stretch | None = None) -> Figures:
    return figures_of(match(faults, alerts, RULES, over or stretch()), RULES, over or stretch())


def without_times(figures: Figures) -> dict[str, object]:
    document = figures.document()
    return {part: document[part] for part in ("overall", "kinds", "rules")}


@given(WORLDS, st.integers(-100_000, 100_000))
def test_later_or_earlier_as_a_whole_it_is_the_same(world: tuple[list[Occurrence], list[Firing]], minutes: int) -> None:
    faults, alerts = world
    by = timedelta(minutes=minutes)
    moved = [replace(one, begins_at=one.begins_at + by, ends_at=one.ends_at and one.ends_at + by) for one in faults]
    over = stretch()
    moved_over = replace(over, since=over.since + by, until=over.until + by)
    shifted = scored(moved, [one._replace(fired_at=one.fired_at + by) for one in alerts], moved_over)
    assert without_times(shifted) == without_times(scored(faults, alerts))


@given(WORLDS, st.randoms(use_true_random=False))
def test_the_order_in_which_they_come_does_not_matter(
    world: tuple[list[Occurrence], list[Firing]], chance: Random
) -> None:
    faults, alerts = list(world[0]), list(world[1])
    expected = scored(faults, alerts).document()
    chance.shuffle(faults)
    chance.shuffle(alerts)
    assert scored(faults, alerts).document() == expected


@given(WORLDS)
def test_every_alert_has_one_verdict_and_every_fault_is_found_once_at_most(
    world: tuple[list[Occurrence], list[Firing]],
) -> None:
    figures = scored(*world)
    tally = figures.overall
    assert tally.true + tally.false + tally.repeated + figures.unscored == len(world[1])
    assert tally.true == figures.detected
    assert figures.detected + len(figures.misses) == figures.injected
    finders = Counter((found.rule, found.fired_at, found.spot) for found in figures.matching.found.values())
    assert all(count <= world[1].count(Firing(*finder)) for finder, count in finders.items())


@given(WORLDS, HOURS)
def test_an_alert_outside_every_fault_lowers_precision_only(
    world: tuple[list[Occurrence], list[Firing]], at: int
) -> None:
    faults, alerts = world
    before = scored(faults, alerts)
    after = scored(faults, [*alerts, alert(at, "leak", "a device without any fault")])
    assert (after.recall, after.detected) == (before.recall, before.detected)
    assert [kind.delays for kind in after.kinds] == [kind.delays for kind in before.kinds]
    assert after.overall.false == before.overall.false + 1
    assert after.overall.precision is not None
    assert before.overall.precision is None or after.overall.precision <= before.overall.precision


@given(WORLDS, ALERTS)
def test_one_more_alert_never_lowers_recall(world: tuple[list[Occurrence], list[Firing]], more: Firing) -> None:
    faults, alerts = world
    leaks = [one for one in faults if one.kind == "leak"]
    assert scored(leaks, [*alerts, more]).detected >= scored(leaks, alerts).detected
