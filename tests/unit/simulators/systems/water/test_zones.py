import numpy as np
import pytest

from simulators.systems.water.zones import BAR_PER_METRE, Connected, Zones
from tests.unit.simulators.systems.water.towns import DAY, HOUR, MONDAY, device, network, run, site, told, town

NONE = np.zeros(1)


def _zone(connections: float = 1000.0, litres_per_second: float = 3.0, **water: float) -> Zones:
    zones = Zones([site("north", "district_metered_area", None, **water)])
    zones.connect(Connected(connections=np.array([connections]), litres_per_second=np.array([litres_per_second])))
    return zones


def test_background_leakage_at_50_metres_is_the_unavoidable_one() -> None:
    # Source: Lambert et al. 1999: 20 L/km/h and 1.25 L/connection/h; 1000 connections at 50 a kilometre.
    zones = _zone(head_metres=50.0)

    zones.advance(np.array([0.0]), 0.0, 1.0, NONE)

    assert zones.leakage[0] * 3600 == pytest.approx(20 * 20 + 1.25 * 1000, rel=0.01)


@pytest.mark.parametrize("exponent", [0.5, 1.0, 1.5])
def test_leakage_falls_with_pressure_by_its_exponent(exponent: float) -> None:
    high, low = (_zone(head_metres=head, leakage_exponent=exponent, head_loss_metres=0.0) for head in (60.0, 30.0))
    for zones in (high, low):
        zones.advance(np.array([2.0]), 0.0, 1.0, NONE)

    assert high.leakage[0] / low.leakage[0] == pytest.approx(2.0**exponent)


def test_leakage_is_highest_at_night_when_pressure_is() -> None:
    zones = _zone(condition=5.0)
    leakage: list[float] = []
    pressure: list[float] = []
    for demand in (0.5, 3.0, 8.0):
        zones.advance(np.array([demand]), 0.0, 1.0, NONE)
        leakage.append(float(zones.leakage[0]))
        pressure.append(float(zones.metres[0]))

    assert leakage == sorted(leakage, reverse=True)
    assert pressure == sorted(pressure, reverse=True)


@pytest.mark.parametrize("litres_per_second", [0.5, 3.3, 8.0])
def test_a_burst_flows_with_the_root_of_pressure(litres_per_second: float) -> None:
    zones = _zone(condition=0.0, head_loss_metres=0.0)
    zones.advance(np.array([3.0]), 0.0, 1.0, np.array([litres_per_second]))
    usual = float(zones.leakage[0])
    zones.advance(np.array([3.0]), -zones.usual_metres[0] * 0.75, 1.0, np.array([litres_per_second]))

    assert usual == pytest.approx(litres_per_second)
    assert zones.leakage[0] == pytest.approx(litres_per_second / 2.0)


@pytest.mark.parametrize("demand", [0.0, 0.1, 5.0, 40.0, 500.0])
@pytest.mark.parametrize("burst", [0.0, 8.0, 500.0])
def test_flow_and_pressure_agree_at_any_demand_and_burst(demand: float, burst: float) -> None:
    zones = _zone()
    for _ in range(20):
        zones.advance(np.array([demand]), 0.0, 1.0, np.array([burst]))

    assert zones.inlet[0] == pytest.approx(demand + zones.leakage[0])
    at_far_end = float(zones.pressure(np.array([0]), np.array([1.0]), np.array([0.0]))[0])
    middle = float(zones.metres[0]) * BAR_PER_METRE
    assert 0.0 <= at_far_end <= middle <= 50.0 * BAR_PER_METRE


def test_head_is_lost_by_hazen_and_williams() -> None:
    zones = _zone(condition=0.0, head_loss_metres=20.0)
    lost: list[float] = []
    for demand in (4.0, 8.0):
        zones.advance(np.array([demand]), 0.0, 1.0, NONE)
        far = zones.pressure(np.array([0]), np.array([1.0]), np.array([0.0]))[0]
        lost.append(50.0 - float(far) / BAR_PER_METRE)

    assert lost[1] / lost[0] == pytest.approx(2.0**1.852, rel=0.001)


def test_a_logger_on_a_hill_shows_less() -> None:
    zones = _zone()
    zones.advance(np.array([2.0]), 0.0, 1.0, NONE)

    low, high = zones.pressure(np.array([0, 0]), np.array([0.5, 0.5]), np.array([0.0, 10.0]))

    assert low - high == pytest.approx(10.0 * BAR_PER_METRE)


def test_an_inlet_is_the_sum_of_what_its_area_takes() -> None:
    played = town(unmetered=0)
    zones, rows = played.zones, [f"north-{number}" for number in range(10)]
    before = played.meters.registers.litres.copy()
    bulk_before = played.bulk_meters.registers.litres.copy()
    leaked = 0.0
    for moment in run(played, 300.0, DAY):
        leaked += float(zones.leakage[zones.slugs.index("north")]) * moment.seconds

    names = [plan.id for plan in played.meters.devices]
    homes = sum((played.meters.registers.litres - before)[names.index(row)] for row in rows)
    counted = (played.bulk_meters.registers.litres - bulk_before).tolist()
    bulk = dict(zip((plan.id for plan in played.bulk_meters.devices), counted, strict=True))
    assert bulk["north-inlet"] == pytest.approx(homes + bulk["mill"] + leaked)
    assert bulk["town-inlet"] == pytest.approx(bulk["north-inlet"] + bulk["south-inlet"], rel=0.01)


def test_several_inlets_share_an_area_s_flow() -> None:
    sites = [site("north", "district_metered_area", unmetered_customers=500)]
    played = network(sites, [device(f"in-{number}", "bulk_meter", "north", role="inlet") for number in range(2)])

    for moment in run(played, 300.0, HOUR):
        flows = told(played.bulk_meters, moment)["flow_rate"]
        assert flows[0] == flows[1] == pytest.approx(played.zones.inlet[0] * 3.6 / 2)


def test_a_device_belongs_to_the_nearest_area_around_its_site() -> None:
    zones = Zones(
        [
            site("town", "town"),
            site("north", "district_metered_area", "town"),
            site("street", "street", "north"),
            site("hill", "reservoir", "town"),
        ]
    )

    assert [zones.slugs[zones.within(slug)] for slug in ("street", "north", "hill")] == ["north", "north", "town"]


def test_the_minimum_night_flow_is_night_use_and_leakage() -> None:
    # Source: McKenzie 1999: 0.6 L/h a person; Lambert et al. 1999: 400 L/h of mains and 1250 L/h of connections.
    sites = [site("north", "zone", unmetered_customers=1000, seasonal_amplitude=0.0)]
    played = network(sites, [device("in", "bulk_meter", "north", role="inlet")])

    flows = [float(told(played.bulk_meters, moment)["flow_rate"][0]) for moment in run(played, 3600.0, 3 * DAY)]

    nights = np.array(flows).reshape(3, 24)[:, 3:6]
    assert nights.mean() == pytest.approx(1000 * 2.3 * 0.6 / 1000 + 1.65, rel=0.12)
    assert 4.0 < max(flows) / nights.mean() < 10.0


def test_unmetered_homes_use_what_metered_ones_do() -> None:
    played = network(
        [site("north", "zone", unmetered_customers=1000, condition=0.0, seasonal_amplitude=0.0)],
        [device("in", "bulk_meter", "north", role="inlet")],
    )
    before = played.bulk_meters.registers.litres.copy()

    list(run(played, 300.0, 7 * DAY, MONDAY))

    litres = float((played.bulk_meters.registers.litres - before)[0])
    assert litres / 7 / 1000 / 2.3 == pytest.approx(120.0, rel=0.03)
