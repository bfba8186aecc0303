from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from simulators.report import Name, Place
from simulators.systems.water.network import WaterNetwork
from tests.unit.simulators.systems.water.towns import (
    DAY,
    HOUR,
    MONDAY,
    device,
    homes,
    network,
    run,
    site,
    steps,
    told,
    town,
)
from veldwatch.errors import ConfigurationInvalid

_STEPS = st.sampled_from([1.0, 5.0, 60.0, 300.0, 900.0, 3600.0])


def _seen(played: WaterNetwork, seconds: float, begins_at: int, ends_at: int) -> list[list[float]]:
    rows: list[list[float]] = []
    for moment in steps(seconds, begins_at, ends_at):
        played.advance(moment)
        rows.append([value for bank in played.banks for column in told(bank, moment).values() for value in column])
    return rows


@examples(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**31), history=_STEPS, live=_STEPS, hour=st.integers(0, 23))
def test_no_register_falls(seed: int, history: float, live: float, hour: int) -> None:
    played = town(seed=seed, unmetered=20, per_zone=3)
    begins_at = MONDAY + hour * HOUR
    shown: dict[str, Any] = {}
    for seconds, start in ((history, begins_at), (live, begins_at + 40 * round(history * 1000))):
        for moment in steps(seconds, start, start + 40 * round(seconds * 1000)):
            played.advance(moment)
            for bank in (played.meters, played.bulk_meters):
                now = told(bank, moment)["volume"]
                assert (now >= shown.get(type(bank).__name__, now)).all()
                shown[type(bank).__name__] = now


@examples(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**31), seconds=_STEPS, cut=st.integers(0, 40))
def test_a_run_in_two_parts_says_what_one_run_says(seed: int, seconds: float, cut: int) -> None:
    ends_at = MONDAY + 7 * HOUR + 40 * round(seconds * 1000)
    begins_at = MONDAY + 7 * HOUR
    middle = begins_at + cut * round(seconds * 1000)
    whole, first, second = (town(seed=seed, unmetered=20, per_zone=3) for _ in range(3))

    expected = _seen(whole, seconds, begins_at, ends_at)
    parts = _seen(first, seconds, begins_at, middle)
    second.restore(first.state())
    parts += _seen(second, seconds, middle, ends_at)

    np.testing.assert_array_equal(np.array(parts), np.array(expected))


def test_the_state_is_a_copy() -> None:
    played = town()
    kept = played.state()
    state = {name: array.copy() for name, array in kept.items()}

    list(run(played, 300.0, HOUR, MONDAY + 8 * HOUR))

    assert all((kept[name] == array).all() for name, array in state.items())


def test_the_seed_decides_what_is_drawn() -> None:
    one, same, other = (np.array(_seen(town(seed=seed), 300.0, MONDAY, MONDAY + HOUR)) for seed in (1, 1, 2))

    assert np.array_equal(one, same, equal_nan=True)
    assert not np.array_equal(one, other, equal_nan=True)


def test_what_a_home_draws_does_not_depend_on_its_neighbours() -> None:
    few, many = homes(3), homes(50)

    list(run(few, 300.0, DAY))
    list(run(many, 300.0, DAY))

    assert many.meters.registers.litres[:3].tolist() == few.meters.registers.litres.tolist()


@pytest.mark.parametrize(
    ("name", "metric", "value", "pulse"),
    [("north-1", "volume", 1234.5678, 0.1), ("mill", "volume", 98765.432, 1.0), ("tank", "level", 3.25, 0.0)],
)
def test_registers_and_levels_go_on_from_what_is_known(name: str, metric: str, value: float, pulse: float) -> None:
    played = town()

    played.resume(Name("town-water", name), {metric: value, "battery": 50.0})

    bank = next(bank for bank in played.banks if Name("town-water", name) in bank.rows)
    row = bank.rows[Name("town-water", name)]
    moment = next(iter(steps(1.0, MONDAY, MONDAY + HOUR)))
    played.advance(moment)
    assert float(told(bank, moment)[metric][row]) == pytest.approx(value, abs=0.02)
    if pulse:
        assert float(told(bank, moment)[metric][row]) >= value


def test_registers_are_told_in_whole_pulses() -> None:
    played = homes(20, litres_per_pulse=10.0)

    for moment in run(played, 300.0, 2 * HOUR, MONDAY + 8 * HOUR):
        pulses = told(played.meters, moment)["volume"] * 100.0
        assert pulses == pytest.approx(np.rint(pulses), abs=1e-6)


def test_metrics_are_those_of_the_profiles() -> None:
    played = town()

    assert {type(bank).__name__: [(m.name, m.unit) for m in bank.metrics] for bank in played.banks} == {
        "WaterMeters": [("volume", "m3"), ("flow_rate", "L/h"), ("battery", "%")],
        "BulkMeters": [("volume", "m3"), ("flow_rate", "m3/h"), ("pressure", "bar")],
        "PressureLoggers": [("pressure", "bar")],
        "ReservoirGauges": [("level", "m"), ("inflow", "L/s"), ("outflow", "L/s"), ("pump", "1")],
    }


def test_batteries_fade_over_years() -> None:
    played = homes(50)
    now, later = (
        told(played.meters, next(iter(steps(300.0, at, at + HOUR))))["battery"] for at in (MONDAY, MONDAY + 365 * DAY)
    )

    fell = (now - later)[now > 20.0]
    assert fell == pytest.approx(6.0, abs=0.01)
    assert ((now >= 10.0) & (now <= 100.0)).all()


def test_pressure_is_told_by_the_bulk_meters_that_measure_it() -> None:
    played = town()
    moment = next(run(played, 300.0, HOUR))

    bars = told(played.bulk_meters, moment)["pressure"].tolist()
    pressure = dict(zip((plan.id for plan in played.bulk_meters.devices), bars, strict=True))

    assert {name for name, bar in pressure.items() if np.isfinite(bar)} == {"north-inlet", "south-inlet"}


def test_a_business_uses_water_while_it_is_open() -> None:
    mill = device("mill", "bulk_meter", "north", litres_per_day=9050.0, night_litres_per_hour=50.0)
    played = network([site("north", "zone")], [mill])
    hourly = [played.bulk_meters.registers.litres[0]]
    hourly += [played.bulk_meters.registers.litres[0] for _ in run(played, 3600.0, 7 * DAY)]
    litres = np.diff(hourly).reshape(7, 24)

    assert litres[:5].sum() / 5 == pytest.approx(9050.0, rel=0.15)
    assert litres[:5, 8:17].min() > 2 * litres[:5, :8].max()
    assert litres[5:].sum() / 2 < 0.4 * litres[:5].sum() / 5


def test_a_closed_business_uses_fifty_litres_an_hour_and_rests_in_most_hours() -> None:
    shops = [device(f"shop-{number}", "bulk_meter", "north") for number in range(100)]
    played = network([site("north", "zone")], shops)
    counts = [played.bulk_meters.registers.litres.copy()]
    counts += [played.bulk_meters.registers.litres.copy() for _ in run(played, 3600.0, 8 * HOUR)]
    litres = np.diff(counts, axis=0)

    assert litres.mean() == pytest.approx(50.0, rel=0.15)
    assert (litres == 0.0).mean() == pytest.approx(0.75, abs=0.05)


@pytest.mark.parametrize(
    ("kind", "place"),
    [
        ("leak", Place(organisation="town-water", device="tank")),
        ("leak", Place(organisation="town-water", site="north")),
        ("leak", Place(organisation="others", device="north-1")),
        ("burst", Place(organisation="town-water", device="north-1")),
        ("burst", Place(organisation="town-water", site="hill")),
        ("burst", Place(organisation="others", site="north")),
        ("background_growth", Place(organisation="town-water", site="nowhere")),
        ("pump_failure", Place(organisation="town-water", device="mill")),
        ("mortality", Place(organisation="town-water", device="north-1")),
    ],
)
def test_a_fault_that_does_not_suit_its_place_is_refused(kind: str, place: Place) -> None:
    with pytest.raises(ConfigurationInvalid, match=f"bad fault: '{kind}' does not suit {place}"):
        town().fault(kind, place, {"litres_per_hour": 1.0, "litres_per_second": 1.0})


@pytest.mark.parametrize(
    ("model", "settings", "complaint"),
    [
        ("water_meter", {"persons": 0}, "device 'x': persons: 0"),
        ("water_meter", {"person": 2}, "device 'x': person: 2"),
        ("bulk_meter", {"role": "outlet"}, "device 'x': role: 'outlet'"),
        ("pressure_logger", {"distance": 2}, "device 'x': distance: 2"),
        ("reservoir", {"area_square_metres": "big"}, "device 'x': area_square_metres: 'big'"),
    ],
)
def test_bad_settings_of_a_device_are_named(model: str, settings: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigurationInvalid, match=complaint):
        network([site("town", "zone")], [device("x", model, "town", **settings)])


def test_bad_settings_of_a_site_are_named() -> None:
    with pytest.raises(ConfigurationInvalid, match="site 'town': unmetered_customers: -1"):
        network([site("town", "zone", unmetered_customers=-1)], [device("x", "water_meter", "town")])
