import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Point, Polygon

from simulators.devices.collar import Collar, Home
from simulators.devices.device import Device, World
from simulators.devices.electricity_meter import ElectricityMeter
from simulators.devices.reservoir import Reservoir
from simulators.devices.water_meter import WaterMeter
from simulators.devices.weather_station import WeatherStation
from simulators.plane import Plane

WORLD = World(seed=1, utc_offset=timedelta(0))
MIDNIGHT = datetime(2026, 11, 22, tzinfo=UTC)
PLANE = Plane(longitude=31.27, latitude=-10.21)
RESERVE = Polygon([(-500, -400), (3000, -400), (3000, 2000), (-500, 2000)])


def play(device: Device, begin: datetime, span: timedelta, step: timedelta) -> list[tuple[datetime, dict[str, float]]]:
    told: list[tuple[datetime, dict[str, float]]] = []
    for number in range(span // step):
        device.advance(begin + number * step, begin + (number + 1) * step)
        at = begin + (number + 1) * step
        told.append((at, dict(device.report(at).readings)))
    return told


def collar(seed: int = 1) -> Collar:
    world = World(seed=seed, utc_offset=timedelta(0))
    return Collar("collar", world, Home(plane=PLANE, radius_metres=180, reserve=RESERVE), "elephant")


@pytest.mark.parametrize("number", range(10))
def test_water_rests_for_ten_seconds_in_every_minute(number: int) -> None:
    told = play(WaterMeter(f"meter-{number}", WORLD), MIDNIGHT, timedelta(hours=24), timedelta(seconds=5))
    for minute in range(0, len(told), 12):
        window = told[minute : minute + 12]
        assert any(
            earlier[1]["volume"] == later[1]["volume"] and later[1]["flow_rate"] == 0.0
            for earlier, later in itertools.pairwise(window)
        )


def test_households_draw_plausible_volumes_most_of_them_by_day() -> None:
    by_night = by_day = 0.0
    for number in range(20):
        meter = WaterMeter(f"meter-{number}", WORLD)
        volumes = [told["volume"] for _, told in play(meter, MIDNIGHT, timedelta(hours=24), timedelta(minutes=30))]
        by_night += volumes[7] - volumes[1]
        by_day += volumes[43] - volumes[13]
    assert by_night / 20 / 3 < 0.004  # m³ an hour and household: the minimum night flow of a sound network
    assert 0.2 < by_day / 20 < 1.5


@settings(max_examples=30)
@given(st.lists(st.floats(min_value=0.1, max_value=4000), min_size=1, max_size=30))
def test_registers_never_fall_and_do_not_depend_on_how_time_is_cut(cuts: list[float]) -> None:
    meter, whole = WaterMeter("meter", WORLD), WaterMeter("meter", WORLD)
    at, volume = MIDNIGHT, meter.report(MIDNIGHT).readings["volume"]
    for cut in cuts:
        later = at + timedelta(seconds=cut)
        meter.advance(at, later)
        assert meter.report(later).readings["volume"] >= volume
        at, volume = later, meter.report(later).readings["volume"]
    whole.advance(MIDNIGHT, at)
    assert whole.state()["volume"] == pytest.approx(meter.state()["volume"], abs=1e-9)


def test_electricity_has_an_evening_peak_and_a_register_that_counts_its_power() -> None:
    meter = ElectricityMeter("meter", WORLD)
    told = play(meter, MIDNIGHT, timedelta(hours=24), timedelta(minutes=1))
    night = [values["power"] for at, values in told if 1 <= at.hour < 4]
    evening = [values["power"] for at, values in told if 18 <= at.hour < 20]
    assert sum(evening) / len(evening) > 2.5 * sum(night) / len(night)
    counted = told[-1][1]["energy"] - told[0][1]["energy"]
    assert counted == pytest.approx(sum(values["power"] for _, values in told[1:]) / 60_000, rel=0.02)
    assert all(222 < values["voltage"] < 240 for _, values in told)


def test_a_reservoir_stays_between_its_levels_and_its_pump_switches() -> None:
    told = play(Reservoir("reservoir", WORLD), MIDNIGHT, timedelta(days=3), timedelta(minutes=1))
    levels = [values["level"] for _, values in told]
    assert min(levels) > 2.3
    assert max(levels) < 3.9
    pumping = [values["inflow"] > 0 for _, values in told]
    switches = sum(a != b for a, b in itertools.pairwise(pumping))
    assert 2 <= switches <= 60


def test_weather_is_warm_by_day_and_its_rain_only_adds_up() -> None:
    told = play(WeatherStation("station", WORLD), MIDNIGHT, timedelta(days=7), timedelta(minutes=10))
    noon = [values["temperature"] for at, values in told if 13 <= at.hour < 15]
    dawn = [values["temperature"] for at, values in told if 4 <= at.hour < 6]
    assert min(noon) > max(dawn)
    rain = [values["rain"] for _, values in told]
    assert rain == sorted(rain)
    assert 5 < rain[-1] - rain[0] < 400
    assert all(0 <= values["humidity"] <= 100 and 0 < values["wind_speed"] < 15 for _, values in told)


@pytest.mark.parametrize("seed", range(4))
def test_an_animal_stays_inside_its_fence_near_its_home(seed: int) -> None:
    animal = collar(seed)
    animal.advance(MIDNIGHT, MIDNIGHT)
    for number in range(24 * 60):
        at = MIDNIGHT + timedelta(minutes=number)
        animal.advance(at, at + timedelta(minutes=1))
        place = Point(animal.state()["east"], animal.state()["north"])
        assert RESERVE.contains(place)
        assert RESERVE.exterior.distance(place) >= 85
        assert place.distance(Point(0, 0)) < 700


@pytest.mark.parametrize("seed", range(4))
def test_a_healthy_animal_is_never_still_for_two_minutes(seed: int) -> None:
    animal = collar(seed)
    fixes: list[tuple[float, float]] = []
    for number in range(6 * 360):
        at = MIDNIGHT + timedelta(seconds=10 * number)
        animal.advance(at, at + timedelta(seconds=10))
        fix = animal.report(at).fix
        assert fix is not None
        fixes.append(PLANE.metres(fix.longitude, fix.latitude))
    for start in range(len(fixes) - 12):
        window = fixes[start : start + 12]
        assert max(Point(a).distance(Point(window[0])) for a in window) > 30


@pytest.mark.parametrize(
    "make",
    [
        lambda: WaterMeter("a", WORLD),
        lambda: ElectricityMeter("a", WORLD),
        lambda: Reservoir("a", WORLD),
        lambda: WeatherStation("a", WORLD),
        collar,
    ],
)
def test_a_device_goes_on_from_its_state_as_if_nothing_had_been(make: type[WaterMeter]) -> None:
    steady, restarted = make(), make()  # pyright: ignore[reportCallIssue]  # factories without arguments
    play(steady, MIDNIGHT, timedelta(hours=1), timedelta(seconds=10))
    restarted.restore(steady.state())
    later = MIDNIGHT + timedelta(hours=1)
    assert play(restarted, later, timedelta(minutes=10), timedelta(seconds=10)) == play(
        steady, later, timedelta(minutes=10), timedelta(seconds=10)
    )
