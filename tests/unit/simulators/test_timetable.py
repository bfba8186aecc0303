from simulators.report import Place
from simulators.timetable import TimedFault, Timetable

PLACE = Place(organisation="town", device="meter-1")


def fault(key: str, starts: int, ends: int | None = None) -> TimedFault:
    return TimedFault(key=key, kind="leak", place=PLACE, starts=starts, ends=ends, parameters={"litres_per_hour": 9.0})


def keys(faults: object) -> list[str]:
    return [each.key for each in faults]  # type: ignore[attr-defined]


def test_faults_begin_in_the_order_of_their_times_and_once() -> None:
    timetable = Timetable()
    for each in (fault("late", 30), fault("b", 10), fault("a", 10)):
        timetable.add(each)
    assert keys(timetable.take_starting(5)) == []
    assert keys(timetable.take_starting(20)) == ["a", "b"]
    assert keys(timetable.take_starting(30)) == ["late"]
    assert keys(timetable.take_starting(99)) == []


def test_a_fault_ends_at_its_time() -> None:
    timetable = Timetable()
    timetable.add(fault("short", 10, 20))
    timetable.add(fault("lasting", 10))
    list(timetable.take_starting(10))
    assert keys(timetable.take_ending(19)) == []
    assert keys(timetable.take_ending(20)) == ["short"]
    assert set(timetable.running) == {"lasting"}


def test_what_is_over_before_it_could_begin_never_begins() -> None:
    timetable = Timetable()
    timetable.add(fault("past", 10, 20))
    assert keys(timetable.take_starting(25)) == []
    assert keys(timetable.planned()) == ["past"]


def test_added_again_only_its_end_is_another() -> None:
    timetable = Timetable()
    timetable.add(fault("one", 10))
    list(timetable.take_starting(10))
    timetable.add(fault("one", 10, 30))
    assert keys(timetable.take_ending(30)) == ["one"]
    timetable.add(fault("one", 10, 40))
    assert keys(timetable.take_starting(99)) == []


def test_a_fault_comes_back_from_its_document() -> None:
    one = fault("one", 10, 30)
    assert TimedFault.from_document(one.document()) == one
