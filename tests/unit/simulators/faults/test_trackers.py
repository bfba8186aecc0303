import statistics

from simulators.plane import Plane
from simulators.report import Report
from tests.unit.simulators.faults.wrapping import begun, located, told

HOME = Plane(longitude=31.0, latitude=-10.0)


def distance(report: Report) -> float:
    assert report.fix is not None
    east, north = HOME.metres(report.fix.longitude, report.fix.latitude)
    return (east**2 + north**2) ** 0.5


def test_a_collar_that_fell_off_lies_where_it_fell_though_the_animal_walks_on() -> None:
    walk = [located(31.0 + number / 100, -10.0) for number in range(200)]
    lying = told(begun("collar_drop_off"), walk)
    distances = [distance(report) for report in lying]
    # The length of an error of 2.5 m on each axis: Rayleigh, of mean 3.1 m.
    assert 2.5 < statistics.mean(distances) < 3.8
    assert max(distances) < 15.0
    assert {report.fix.speed for report in lying if report.fix} == {0.0}


def test_outliers_are_as_many_and_as_far_as_asked_in_every_direction() -> None:
    reports = told(begun("gps_outlier", metres=20_000.0, share=0.1), [located(31.0, -10.0)] * 3000)
    far = [report for report in reports if distance(report) > 1.0]
    assert 240 < len(far) < 360
    assert all(19_900 < distance(report) < 20_100 for report in far)
    assert {(report.fix.longitude > 31.0, report.fix.latitude > -10.0) for report in far if report.fix} == {
        (east, north) for east in (True, False) for north in (True, False)
    }


def test_an_outlier_beyond_the_pole_still_tells_degrees_that_exist() -> None:
    for report in told(begun("gps_outlier", metres=5_000_000.0, share=1.0), [located(179.9, 80.0)] * 50):
        assert report.fix is not None
        assert -180 <= report.fix.longitude <= 180
        assert -90 <= report.fix.latitude <= 90
