"""What several alerts are about together, and how it is said."""

import pytest

from veldwatch.model.impact import NOTHING, Estimate, Place, spoken_impact, together

METER = Place(path=(1, 2), device=7)
NEIGHBOUR = Place(path=(1, 2), device=8)
ELSEWHERE = Place(path=(1, 3), device=9)
INLET = Place(path=(1, 2), device=10, supplies=True)
AREA = Place(path=(1, 2))
TOWN = Place(path=(1,))


def water(*alerts: tuple[Place, float]) -> float | None:
    return together((place, Estimate(water=value)) for place, value in alerts).water


def test_devices_beside_each_other_add_up() -> None:
    assert water((METER, 10), (NEIGHBOUR, 20), (ELSEWHERE, 5)) == 35


def test_two_alerts_about_one_device_are_about_the_same_water() -> None:
    assert water((METER, 10), (METER, 30)) == 30


def test_what_lies_below_a_place_that_is_counted_is_within_it() -> None:
    assert water((AREA, 100), (METER, 10), (NEIGHBOUR, 20)) == 100
    assert water((AREA, 25), (METER, 10), (NEIGHBOUR, 20)) == 30
    assert water((INLET, 100), (METER, 10)) == 100
    assert water((TOWN, 100), (AREA, 90), (ELSEWHERE, 20)) == 110


def test_what_stands_nowhere_adds_up_by_device() -> None:
    assert water((Place(device=1), 5), (Place(device=2), 6), (Place(device=2, supplies=True), 7)) == 12


def test_people_of_an_area_are_not_counted_again_with_its_meters() -> None:
    alerts = [(AREA, Estimate(people=300)), *((Place(path=(1, 2), device=n), Estimate(people=5)) for n in range(40))]
    assert together(alerts).people == 300


def test_unknown_stays_unknown_and_says_what_is_missing() -> None:
    assert together([]) == NOTHING
    found = together([(METER, Estimate(missing=("a tariff for water",))), (NEIGHBOUR, Estimate(water=1))])
    assert found == Estimate(water=1, missing=("a tariff for water",))


def test_money_of_two_currencies_is_not_added() -> None:
    found = together([(METER, Estimate(money=1, currency="USD")), (ELSEWHERE, Estimate(money=1, currency="ZMW"))])
    assert (found.money, found.currency, found.missing) == (None, None, ("one currency",))


@pytest.mark.parametrize(
    ("estimate", "said"),
    [
        (NOTHING, None),
        (Estimate(missing=("a tariff for water",)), None),
        (
            Estimate(water=1234, people=300, money=24.3, currency="USD"),
            "about 1,200 L/h, 300 people, 24 USD/h",
        ),
        (Estimate(water=0.456), "about 0.46 L/h"),
        (Estimate(energy=12.4, people=1), "about 12 kWh/h, 1 person"),
        (Estimate(customers=1200), "about 1,200 customers"),
    ],
)
def test_it_is_said_in_a_few_words_to_two_figures(estimate: Estimate, said: str | None) -> None:
    assert spoken_impact(estimate) == said
