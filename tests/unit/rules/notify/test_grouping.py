from datetime import timedelta
from uuid import UUID

from rules.notify.grouping import ENUMERATED, LISTED, bundles, compose_group
from tests.unit.rules.notify.notifications import CREATED, due, notification
from veldwatch.storage.outbox_due import Due

INCIDENT = UUID(int=500)


def ids(found: list[list[Due]]) -> list[list[int]]:
    return [[each.id.int for each in bundle] for bundle in found]


def test_what_belongs_to_nothing_else_is_told_by_itself() -> None:
    assert ids(bundles([due(1), due(2)])) == [[1], [2]]


def test_one_incident_is_one_message_led_by_the_worst_and_among_equals_by_the_cause_and_the_oldest() -> None:
    minor = due(1, incident=INCIDENT, severity="minor")
    later = due(2, incident=INCIDENT, severity="critical", opened_at=CREATED + timedelta(minutes=1))
    cause = due(3, incident=INCIDENT, severity="critical", opened_at=CREATED + timedelta(minutes=2), is_cause=True)
    other = due(4, severity="critical")
    assert ids(bundles([minor, later, other, cause])) == [[3, 2, 1], [4]]


def test_what_outlasted_one_cause_is_one_message() -> None:
    assert ids(bundles([due(1, cause="alert:9"), due(2, cause="alert:9"), due(3, cause="alert:8")])) == [[1, 2], [3]]


def test_ends_go_together_if_their_beginnings_did_and_kinds_are_not_mixed() -> None:
    told = UUID(int=70)
    ends = [due(n, kind="resolved", told=True, bundle=told) for n in (1, 2)]
    corrected = due(3, kind="corrected", told=True, incident=INCIDENT)
    assert ids(bundles([*ends, corrected, due(4, incident=INCIDENT)])) == [[1, 2], [3], [4]]


def test_raises_of_one_incident_are_one_message_beside_its_beginnings() -> None:
    raises = [due(n, kind="raised", told=True, incident=INCIDENT) for n in (1, 2)]
    assert ids(bundles([*raises, due(3, incident=INCIDENT)])) == [[1, 2], [3]]


def test_what_was_composed_or_tried_before_stays_as_it_was() -> None:
    assert ids(bundles([due(1, incident=INCIDENT, is_composed=True), due(2, incident=INCIDENT)])) == [[1], [2]]
    assert ids(bundles([due(1, incident=INCIDENT, attempts=1), due(2, incident=INCIDENT)])) == [[1], [2]]


def test_the_reader_sees_the_worst_and_how_many_more() -> None:
    own = notification().message
    composed = compose_group(own, [own] * (ENUMERATED - 1), 10_000)
    assert composed["headline"] == "Leak at Banda (and 9999 more)"
    text = str(composed["text"])
    assert text.startswith("Flow never stops.\n\nWith it, worst first (9999 more):\n- [MAJOR] Leak at Banda\n")
    assert text.endswith(f"- and {9999 - LISTED} more")
    grouped = composed["grouped"]
    assert isinstance(grouped, dict)
    assert grouped["count"] == 10_000  # pyright: ignore[reportUnknownVariableType]  # JSON
    assert len(grouped["alerts"]) == ENUMERATED  # pyright: ignore[reportUnknownArgumentType]  # JSON
