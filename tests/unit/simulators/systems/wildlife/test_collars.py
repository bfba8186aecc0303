"""Collars tell of themselves now and then."""

import numpy as np

from tests.unit.simulators.systems.wildlife.reserves import Watch, collar, reserve


def test_battery_is_told_about_every_sixth_time_and_falls_until_the_collar_is_exchanged() -> None:
    watch = Watch(reserve(*[collar(n, {"species": "lion"}) for n in range(6)]))
    rows = np.arange(6)
    told = np.array(
        [watch.system.banks[0].readings(rows, moment)["battery"] for moment in watch.moments(24 * 300, 3600)]
    )

    assert 0.14 < (~np.isnan(told)).mean() < 0.2
    assert np.nanmin(told) >= 25.0
    assert np.nanmax(told) <= 100.0
    rises = sum((np.diff(one[~np.isnan(one)]) > 0.0).sum() for one in told.T)
    assert 3 <= rises <= 6


def test_temperature_is_told_only_where_it_is_asked_for() -> None:
    watch = Watch(reserve(collar(1, {"species": "rhino"}), collar(2, {"species": "rhino", "temperature": True})))
    told = np.array(
        [watch.system.banks[0].readings(np.arange(2), moment)["temperature"] for moment in watch.moments(240, 3600)]
    )

    assert np.isnan(told[:, 0]).all()
    assert np.nanmin(told[:, 1]) > 24.0
    assert np.nanmax(told[:, 1]) < 36.0
