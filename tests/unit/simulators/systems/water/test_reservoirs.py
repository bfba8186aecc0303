import numpy as np
import pytest

from simulators.report import Place
from simulators.systems.water.network import WaterNetwork
from tests.unit.simulators.systems.water.towns import DAY, HOUR, MONDAY, device, network, run, site, told, town


def _tank(**settings: float) -> WaterNetwork:
    sites = [site("town", "zone", unmetered_customers=500)]
    return network(sites, [device("tank", "reservoir", "town", **settings)])


def test_level_changes_by_what_flows_in_and_out() -> None:
    played = _tank(area_square_metres=100.0)
    reservoirs = played.reservoirs
    before = reservoirs.level.copy()
    for _ in run(played, 60.0, 6 * HOUR):
        gained = (reservoirs.inflow - reservoirs.outflow) * 60.0 / 1000.0 / 100.0
        assert reservoirs.level == pytest.approx(before + gained)
        before = reservoirs.level.copy()


@pytest.mark.parametrize("seconds", [1.0, 300.0, 3600.0])
def test_the_pump_keeps_the_level_between_its_two(seconds: float) -> None:
    played = town()
    lasts = HOUR if seconds == 1.0 else 5 * DAY
    levels: list[float] = []
    pumps: list[float] = []
    for moment in run(played, seconds, lasts):
        levels.append(float(played.reservoirs.level[0]))
        pumps.append(float(told(played.gauges, moment)["pump"][0]))

    assert 1.8 < min(levels) <= max(levels) < 4.4
    assert set(pumps) <= {0.0, 1.0}
    if seconds != 1.0:
        assert 0.3 < np.mean(pumps) < 0.7
        assert set(pumps) == {0.0, 1.0}


def test_a_pump_runs_on_between_its_levels_and_rests_between_them() -> None:
    played = town()
    switched: list[tuple[bool, float]] = []
    was: bool | None = None
    for _ in run(played, 120.0, 2 * DAY):
        now = bool(played.reservoirs.pumping[0])
        if was is not None and now != was:
            switched.append((now, float(played.reservoirs.level[0])))
        was = now

    assert all(level < 2.45 for on, level in switched if on)
    assert all(level > 3.75 for on, level in switched if not on)
    assert len(switched) >= 3


def test_a_reservoir_feeds_all_areas() -> None:
    played = town()

    for moment in run(played, 300.0, DAY):
        told_outflow = float(told(played.gauges, moment)["outflow"][0])
        assert told_outflow == pytest.approx(float(played.zones.inlet[0]), rel=0.03)


def test_a_dry_reservoir_gives_no_water_and_no_pressure() -> None:
    played = town()
    fault = played.fault("pump_failure", Place(organisation="town-water", device="tank"), {})
    moments = list(run(played, 300.0, 3 * DAY, faults=[fault]))
    before = played.meters.registers.litres.copy()

    list(run(played, 300.0, 4 * HOUR, MONDAY + 3 * DAY, faults=[fault]))

    assert played.reservoirs.level[0] == pytest.approx(0.0, abs=0.001)
    assert (played.meters.registers.litres - before).sum() < 1.0
    assert told(played.loggers, moments[-1])["pressure"].max() < 0.2

    list(run(played, 300.0, DAY, MONDAY + 3 * DAY + 4 * HOUR))
    assert played.reservoirs.level[0] > 1.0
    assert (played.meters.registers.litres - before).sum() > 1000.0
