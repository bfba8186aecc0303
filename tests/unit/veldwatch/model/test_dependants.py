"""Totals of people up the tree of sites, nobody counted twice."""

from veldwatch.model.dependants import SiteDependants, of_device, totals


def test_sites_and_their_devices_add_up() -> None:
    found = totals(
        [
            SiteDependants(id=1),
            SiteDependants(id=2, parent=1, own=40),
            SiteDependants(id=3, parent=1, own=20),
            SiteDependants(id=4, parent=3, own=5),
        ]
    )
    assert found == {1: 65, 2: 40, 3: 25, 4: 5}


def test_what_was_said_of_a_site_counts_and_not_what_is_below() -> None:
    assert totals([SiteDependants(id=1), SiteDependants(id=2, parent=1, said=100, own=40)]) == {1: 100, 2: 100}


def test_those_who_depend_on_an_inlet_are_those_of_its_meters() -> None:
    assert totals([SiteDependants(id=1, own=3000, supplied=3000)]) == {1: 3000}
    assert totals([SiteDependants(id=1, own=100, supplied=3000)]) == {1: 3000}


def test_where_nobody_said_anything_nothing_is_known() -> None:
    assert totals([SiteDependants(id=1), SiteDependants(id=2, parent=1)]) == {1: None, 2: None}


def test_a_site_of_another_list_above_is_no_harm() -> None:
    assert totals([SiteDependants(id=2, parent=1, own=3)]) == {2: 3}


def test_on_a_device_depend_those_who_were_said_or_all_of_the_site_that_it_supplies() -> None:
    assert of_device(5, 300, supplies=True) == 5
    assert of_device(None, 300, supplies=True) == 300
    assert of_device(None, 300, supplies=False) is None
