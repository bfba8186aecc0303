from simulators.report import Report
from tests.unit.simulators.faults.wrapping import begun, located, metered, moment, told


def test_a_stuck_device_repeats_its_first_values_and_then_tells_the_truth() -> None:
    fault = begun("stuck")
    during = told(fault, [metered(10.0, 50.0), metered(11.0, 60.0), metered(12.0, 70.0)])
    assert [(report.readings["volume"], report.readings["flow_rate"]) for report in during] == [(10.0, 50.0)] * 3
    fault.end()
    assert told(fault, [metered(13.0, 80.0)], first=4) == [metered(13.0, 80.0)]
    assert fault.is_over


def test_a_stuck_device_still_loses_its_battery() -> None:
    fault = begun("stuck")
    low = Report(readings={"volume": 9.0, "battery": 20.0})
    assert told(fault, [metered(10.0), low])[1].readings == {"volume": 10.0, "battery": 20.0}


def test_a_stuck_tracker_stays_where_it_was() -> None:
    first, second = told(begun("stuck"), [located(31.0, -10.0), located(31.1, -10.1)])
    assert first.fix is not None
    assert second.fix is not None
    assert (second.fix.longitude, second.fix.latitude) == (first.fix.longitude, first.fix.latitude) == (31.0, -10.0)


def test_drift_grows_by_its_share_each_day_and_leaves_registers_alone() -> None:
    fault = begun("drift", share_per_day=0.05)
    at_once = fault.change(metered(10.0, 100.0), moment(0))
    two_days_on = fault.change(metered(11.0, 100.0), moment(2 * 288))
    assert at_once == metered(10.0, 100.0)
    assert two_days_on is not None
    assert two_days_on.readings == {"volume": 11.0, "flow_rate": 100.0 * 1.1, "battery": 90.0}


def test_spikes_are_as_many_and_as_high_as_asked() -> None:
    reports = told(begun("spike", factor=10.0, share=0.2), [metered(1.0, 100.0)] * 2000)
    flows = [report.readings["flow_rate"] for report in reports]
    assert set(flows) == {100.0, 1000.0}
    assert 340 < flows.count(1000.0) < 460
    assert {report.readings["volume"] for report in reports} == {1.0}


def test_what_cannot_be_more_than_all_ends_there() -> None:
    damp = Report(readings={"humidity": 60.0})
    (spiked,) = told(begun("spike", factor=10.0, share=1.0), [damp])
    assert spiked.readings == {"humidity": 100.0}
    (dried,) = told(begun("spike", factor=-1.0, share=1.0), [damp])
    assert dried.readings == {"humidity": 0.0}


def test_an_outage_lets_nothing_through_until_it_ends() -> None:
    fault = begun("outage")
    assert told(fault, [metered(1.0), metered(2.0)]) == []
    fault.end()
    assert told(fault, [metered(3.0)], first=3) == [metered(3.0)]


def test_an_opened_cover_is_told_once_and_its_closing_too() -> None:
    fault = begun("cover_open")
    during = told(fault, [metered(1.0), metered(2.0)])
    fault.end()
    assert not fault.is_over
    after = told(fault, [metered(3.0), metered(4.0)], first=3)
    assert [report.events for report in during] == [(("tamper", {"cover": "opened"}),), ()]
    assert [report.events for report in after] == [(("tamper", {"cover": "closed"}),), ()]
    assert fault.is_over
