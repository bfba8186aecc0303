"""Stations over some weeks: what they tell lies where published or stated bounds have it, and faults show."""

import cmath
import math
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache

import numpy as np
import pytest

from simulators.moment import Moment, to_milliseconds
from simulators.plane import Plane
from simulators.report import Happening, Place
from simulators.scenario import DevicePlan, Point, SitePlan
from simulators.systems.stations.stations import Stations
from simulators.systems.stations.weather import relative_humidity
from simulators.systems.system import Bank, PhysicalFault, SystemPlan, World
from veldwatch.errors import ConfigurationInvalid
from veldwatch.model.faults import FAULTS

BEGIN = to_milliseconds(datetime(2026, 1, 5, tzinfo=UTC))
STEP = 300_000
DAY = 86_400_000
POST = (27.7, -14.6)


def stations(model: str, count: int = 3) -> Stations:
    site = SitePlan(
        slug="post",
        organisation="agency",
        name="Post",
        kind="camp",
        geometry=Point(type="Point", coordinates=POST),
    )
    devices = tuple(
        DevicePlan(
            id=f"d-{number}",
            name="",
            organisation="agency",
            site="post",
            profile="weather-station",
            model=model,
            interval_seconds=300,
            place=POST,
        )
        for number in range(count)
    )
    return Stations(SystemPlan(name="agency/post", sites=(site,), devices=devices, begins_at=BEGIN), World(seed=3))


class Told:
    """What the devices of one model told over a stretch; n steps by m devices."""

    def __init__(
        self, system: Stations, days: float, faults: Mapping[PhysicalFault, tuple[float, float]] | None = None
    ) -> None:
        (bank,) = system.banks
        rows = np.arange(len(bank.devices))
        values: dict[str, list[object]] = defaultdict(list)
        self.hours: list[float] = []
        self.happenings: list[tuple[float, Happening]] = []
        for at in range(BEGIN + STEP, BEGIN + round(days * DAY) + 1, STEP):
            moment = Moment(at=at, step=STEP, utc_offset=7_200_000)
            for fault, (first, last) in (faults or {}).items():
                if first <= (at - BEGIN) / DAY < last:
                    fault.step(moment)
            system.advance(moment)
            self.hours.append(moment.hour)
            self.happenings += [(moment.hour, happening) for happening in bank.events(moment)]
            for metric, column in bank.readings(rows, moment).items():
                values[metric].append(column.copy())
            fixes = bank.fixes(rows, moment)
            if fixes is not None:
                values["longitude"].append(fixes.longitude)
                values["latitude"].append(fixes.latitude)
        self.values = {metric: np.array(columns) for metric, columns in values.items()}

    def at_hours(self, metric: str, first: float, last: float) -> np.ndarray:
        hours = np.array(self.hours)
        return self.values[metric][(hours >= first) & (hours < last)]


@cache
def undisturbed(model: str, days: float, count: int = 3) -> Told:
    """Give what stations of a model told without any fault; made once for all tests that look at it."""
    told = Told(stations(model, count), days)
    for column in told.values.values():
        column.flags.writeable = False
    return told


def fault(system: Stations, kind: str, **parameters: float) -> PhysicalFault:
    usual = {parameter.name: parameter.usual for parameter in FAULTS[kind].parameters}
    return system.fault(kind, Place(organisation="agency", device="d-1"), {**usual, **parameters})


def test_a_day_is_warmest_two_hours_after_noon_and_coldest_at_sunrise() -> None:
    told = undisturbed("weather_station", 20)
    by_hour = [told.at_hours("temperature", hour, hour + 1).mean() for hour in range(24)]
    assert int(np.argmax(by_hour)) in (13, 14)
    assert int(np.argmin(by_hour)) in (5, 6)
    assert 7.0 < max(by_hour) - min(by_hour) < 13.0


def test_air_is_never_wetter_than_wet_and_driest_when_it_is_warmest() -> None:
    told = undisturbed("weather_station", 20)
    assert told.values["humidity"].max() <= 100.0
    assert told.at_hours("humidity", 13, 15).mean() < told.at_hours("humidity", 5, 7).mean() - 20.0


def test_pressure_has_two_tides_a_day_with_their_maxima_before_ten() -> None:
    told = Told(stations("weather_station"), days=60)
    by_hour = [float(told.at_hours("air_pressure", hour, hour + 1).mean()) for hour in range(24)]
    mean = sum(by_hour) / 24
    tide = sum((p - mean) * cmath.exp(2j * math.pi * (hour + 0.5) / 12) for hour, p in enumerate(by_hour)) / 12
    assert abs(tide) == pytest.approx(1.05, abs=0.15)
    assert (cmath.phase(tide) / (2.0 * math.pi) * 12.0) % 12.0 == pytest.approx(9.7, abs=0.4)


def test_humidity_is_that_of_the_magnus_formula() -> None:
    # Source: table of Alduchov and Eskridge 1996: 23.37 hPa at 20 °C, 12.27 hPa at 10 °C.
    assert relative_humidity(20.0, 10.0) == pytest.approx(100.0 * 12.27 / 23.37, abs=0.1)
    assert relative_humidity(20.0, 20.0) == 100.0


def test_clean_water_is_within_the_guidelines_for_drinking_water() -> None:
    told = Told(stations("water_quality_sonde"), 14)
    assert told.values["turbidity"].max() < 1.0
    assert told.values["free_chlorine"].min() > 0.2
    assert told.values["free_chlorine"].max() < 1.0
    assert 6.5 < told.values["ph"].min() < told.values["ph"].max() < 8.5


def test_contamination_takes_chlorine_and_brings_turbidity_at_one_sonde_and_passes() -> None:
    system = stations("water_quality_sonde")
    told = Told(system, 3, {fault(system, "contamination", share=0.6): (1.0, 1.5)})
    during, after = slice(300, 430), slice(470, None)
    assert told.values["turbidity"][during, 1].min() > 5.0
    assert told.values["free_chlorine"][during, 1].max() < 0.1
    assert told.values["turbidity"][:, 0].max() < 1.0
    assert told.values["turbidity"][after, 1].max() < 1.0


def test_air_is_worse_in_the_evening_than_at_noon_and_coarse_particles_are_more() -> None:
    told = undisturbed("air_quality", 21)
    assert told.at_hours("pm2_5", 18, 20).mean() > 1.5 * told.at_hours("pm2_5", 12, 14).mean()
    assert (told.values["pm10"] >= told.values["pm2_5"]).all()
    assert told.values["pm2_5"].min() >= 0
    assert told.values["pm2_5"].max() < 60.0


def test_fine_particles_are_the_published_share_of_all_of_a_town() -> None:
    told = undisturbed("air_quality", 21)
    ratio = told.values["pm2_5"].sum(axis=0) / told.values["pm10"].sum(axis=0)
    # Antonel, Chowdhury 2014: 0.65 to 0.78.
    assert ((ratio > 0.65) & (ratio < 0.78)).all()


def test_traffic_shows_in_nitrogen_dioxide_in_the_morning_too_and_less_at_weekends() -> None:
    told = Told(stations("air_quality", 8), 28)
    assert told.at_hours("no2", 6.5, 7.5).mean() > 1.5 * told.at_hours("no2", 2, 4).mean()
    weekend = np.arange(len(told.hours)) // (DAY // STEP) % 7 >= 5
    assert told.values["no2"][weekend].mean() < 0.95 * told.values["no2"][~weekend].mean()
    # WHO 2021: 25 ug/m3 as a mean of a day; a clean town keeps it on the mean.
    assert 10.0 < told.values["no2"].mean() < 25.0


def test_chlorine_is_lowest_where_water_has_stood_for_a_night() -> None:
    told = Told(stations("water_quality_sonde", 8), 28)
    before_dawn = told.at_hours("free_chlorine", 3, 5).mean()
    afternoon = told.at_hours("free_chlorine", 15, 17).mean()
    assert 0.05 < afternoon - before_dawn < 0.2


@pytest.mark.parametrize("step_seconds", [60, 300, 3600])
def test_contamination_comes_over_minutes_at_any_step(step_seconds: int) -> None:
    system = stations("water_quality_sonde")
    (bank,) = system.banks
    contamination = fault(system, "contamination", share=0.5)
    moment = Moment(at=BEGIN, step=step_seconds * 1000)
    while moment.at < BEGIN + 3_600_000:
        moment = Moment(at=moment.at + moment.step, step=moment.step)
        contamination.step(moment)
        system.advance(moment)
    turbidity = bank.readings(np.arange(3), moment)["turbidity"]
    assert turbidity[1] == pytest.approx(0.3 + 25.0 * 0.5 * -np.expm1(-4.0), abs=0.3)


def test_a_whole_fence_holds_elephants_and_a_broken_one_has_hardly_any_voltage() -> None:
    system = stations("fence_energiser")
    told = Told(system, 4, {fault(system, "fence_break"): (1.0, 2.0)})
    broken = slice(290, 570)
    assert told.values["fence_voltage"][broken, 1].max() < 1.5
    assert told.values["fence_voltage"][:, 0].min() > 4.5
    assert told.values["fence_voltage"][580:, 1].min() > 4.5
    assert 12.0 < told.values["battery"].min() < told.values["battery"].max() < 14.0


def test_gates_are_opened_by_day_only_and_each_opening_is_followed_by_a_closing() -> None:
    told = Told(stations("gate", 1), 14)
    kinds = [happening.kind for _, happening in told.happenings]
    assert kinds[::2] == ["gate_opened"] * len(kinds[::2])
    assert kinds[1::2] == ["gate_closed"] * len(kinds[1::2])
    assert all(6.0 <= hour < 18.6 for hour, happening in told.happenings if happening.kind == "gate_opened")
    assert 10 * 14 < len(kinds[::2]) < 30 * 14


def test_a_camera_counts_what_it_sees_and_sees_more_at_dusk() -> None:
    told = undisturbed("camera_trap", 30, count=4)
    photos = told.values["photos"]
    assert (np.diff(photos, axis=0) >= 0).all()
    assert (photos[-1] - photos[0]).sum() == pytest.approx(3 * len(told.happenings), abs=12)
    by_night = sum(5 <= (hour - 12) % 24 <= 19 for hour, _ in told.happenings)
    assert by_night > 0.55 * len(told.happenings)
    assert 4 < len(told.happenings) / 30 / 4 < 20


@pytest.mark.parametrize("model", ["gate", "camera_trap"])
def test_who_comes_does_not_depend_on_the_step(model: str) -> None:
    counted: list[list[tuple[int, str, str]]] = []
    for step in (10_000, 300_000, 3_600_000):
        system = stations(model)
        (bank,) = system.banks
        told: list[tuple[int, str, str]] = []
        for at in range(BEGIN + step, BEGIN + DAY + 1, step):
            moment = Moment(at=at, step=step)
            system.advance(moment)
            told += [(event.row, event.kind, str(event.attributes)) for event in bank.events(moment)]
        counted.append(sorted(told))
    assert counted[0] == counted[1] == counted[2]
    assert len(counted[0]) > 15


def test_a_camera_tells_species_and_how_many() -> None:
    told = undisturbed("camera_trap", 30, count=4)
    counts = [happening.attributes["count"] for _, happening in told.happenings]
    assert set(counts) >= {1, 2, 3}
    assert max(counts) <= 8
    assert len({happening.attributes["species"] for _, happening in told.happenings}) == 8


def test_the_hours_around_dawn_and_dusk_have_most_visits() -> None:
    told = Told(stations("camera_trap", 8), 60)
    by_hour = np.bincount([int(hour) for hour, _ in told.happenings], minlength=24)
    assert {int(by_hour[:12].argmax()), int(by_hour[12:].argmax()) + 12} <= {4, 5, 6, 7, 17, 18, 19, 20}
    assert by_hour[[5, 18]].sum() > 3 * by_hour[[0, 12]].sum()


def test_rangers_sleep_at_their_post_and_walk_no_faster_than_people_do() -> None:
    told = Told(stations("ranger_radio"), 7)
    plane = Plane(longitude=POST[0], latitude=POST[1])
    places = np.array(
        [
            [plane.metres(x, y) for x, y in zip(*row, strict=True)]
            for row in zip(told.values["longitude"], told.values["latitude"], strict=True)
        ]
    )
    away = np.hypot(places[..., 0], places[..., 1])
    hours = np.array(told.hours)
    assert away[(hours < 5.5) | (hours >= 19)].max() < 30.0
    assert 1500.0 < away.max() < 5000.0
    assert np.hypot(*np.diff(places, axis=0).transpose(2, 0, 1)).max() / 300.0 < 1.5


@pytest.mark.parametrize(
    "model", ["weather_station", "water_quality_sonde", "air_quality", "fence_energiser", "gate", "camera_trap"]
)
def test_a_system_that_was_restored_goes_on_as_if_it_had_never_stopped(model: str) -> None:
    whole, first, second = stations(model), stations(model), stations(model)
    moments = [Moment(at=BEGIN + STEP * number, step=STEP, utc_offset=7_200_000) for number in range(1, 601)]
    for moment in moments:
        whole.advance(moment)
    for moment in moments[:300]:
        first.advance(moment)
    second.restore({key: array.copy() for key, array in first.state().items()})
    for moment in moments[300:]:
        second.advance(moment)
    assert tell(whole.banks[0], moments[-1]) == tell(second.banks[0], moments[-1])


def tell(bank: Bank, moment: Moment) -> dict[str, list[float]]:
    return {metric: column.tolist() for metric, column in bank.readings(np.arange(3), moment).items()}


def test_what_does_not_suit_a_station_is_refused() -> None:
    with pytest.raises(ConfigurationInvalid, match="does not suit"):
        fault(stations("gate"), "fence_break")
    with pytest.raises(ConfigurationInvalid, match="does not suit"):
        fault(stations("fence_energiser"), "contamination")
