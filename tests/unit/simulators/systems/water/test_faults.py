"""What is wrong is seen: each fault's size in what instruments read, against the same run without it."""

from collections.abc import Mapping

import numpy as np
import pytest

from simulators.chance import Floats
from simulators.report import Place
from simulators.systems.system import PhysicalFault
from simulators.systems.water.network import WaterNetwork
from simulators.systems.water.zones import ZONE_KINDS
from tests.unit.simulators.systems.water.towns import DAY, HOUR, MONDAY, homes, run, told, town
from veldwatch.model.faults import FAULTS, FaultKind, FaultLayer


def _at_site(played: WaterNetwork, kind: str, parameters: Mapping[str, float], site: str = "north") -> PhysicalFault:
    return played.fault(kind, Place(organisation="town-water", site=site), parameters)


def _column(played: WaterNetwork, bank: str, name: str, metric: str, hours: int, *faults: PhysicalFault) -> Floats:
    devices = next(b for b in played.banks if type(b).__name__ == bank)
    row = [plan.id for plan in devices.devices].index(name)
    return np.array([told(devices, m)[metric][row] for m in run(played, 300.0, hours * HOUR, MONDAY, faults)])


@pytest.mark.parametrize("litres_per_hour", [25.0, 300.0, 1600.0])
def test_a_leak_never_rests_and_counts_its_size(litres_per_hour: float) -> None:
    healthy, leaking = homes(3), homes(3)
    fault = leaking.fault("leak", Place(organisation="town-water", device="m1"), {"litres_per_hour": litres_per_hour})

    clean = _column(healthy, "WaterMeters", "m1", "volume", 48)
    wrong = _column(leaking, "WaterMeters", "m1", "volume", 48, fault)
    flows = told(leaking.meters, next(run(leaking, 300.0, HOUR, MONDAY + 2 * DAY, [fault])))["flow_rate"]

    assert (np.diff(wrong) > 0.0).all()
    assert not (np.diff(clean) > 0.0).all()
    assert (wrong[-1] - wrong[0]) - (clean[-1] - clean[0]) == pytest.approx(
        litres_per_hour / 1000 * 575 / 12, abs=0.001
    )
    assert flows[1] >= litres_per_hour


def test_a_leak_rests_when_it_is_over() -> None:
    played = homes(1)
    fault = played.fault("leak", Place(organisation="town-water", device="m0"), {"litres_per_hour": 100.0})
    list(run(played, 300.0, HOUR, MONDAY, [fault]))
    fault.end()

    quiet = [played.meters.registers.litres[0] for _ in run(played, 300.0, 6 * HOUR, MONDAY + HOUR)]

    assert (np.diff(quiet) == 0.0).any()


@pytest.mark.parametrize("litres_per_second", [1.0, 3.3, 8.0])
def test_a_burst_raises_its_inlet_by_its_size_and_no_other(litres_per_second: float) -> None:
    healthy, broken = town(), town()
    fault = _at_site(broken, "burst", {"litres_per_second": litres_per_second})
    rows = {plan.id: row for row, plan in enumerate(broken.bulk_meters.devices)}
    more: dict[str, list[float]] = {"north-inlet": [], "south-inlet": [], "town-inlet": []}
    for moment, _ in zip(run(healthy, 300.0, DAY, MONDAY), run(broken, 300.0, DAY, MONDAY, [fault]), strict=True):
        clean = told(healthy.bulk_meters, moment)["flow_rate"]
        wrong = told(broken.bulk_meters, moment)["flow_rate"]
        for name, seen in more.items():
            seen.append(float(wrong[rows[name]] - clean[rows[name]]) / 3.6)

    assert np.mean(more["north-inlet"]) == pytest.approx(litres_per_second, rel=0.08)
    assert np.mean(more["town-inlet"]) == pytest.approx(litres_per_second, rel=0.08)
    assert np.mean(more["south-inlet"]) == pytest.approx(0.0, abs=0.02)


@pytest.mark.parametrize(("litres_per_second", "bar"), [(3.3, 0.2), (8.0, 0.8)])
def test_a_burst_is_seen_as_a_drop_of_pressure_in_its_area(litres_per_second: float, bar: float) -> None:
    healthy, broken = town(), town()
    fault = _at_site(broken, "burst", {"litres_per_second": litres_per_second})

    usual = _column(healthy, "PressureLoggers", "north-logger", "pressure", 24)
    wrong = _column(broken, "PressureLoggers", "north-logger", "pressure", 24, fault)

    assert (usual - wrong).mean() > bar
    assert (usual - wrong).min() > 0.0
    fault.end()
    assert told(broken.loggers, next(run(broken, 300.0, HOUR, MONDAY + DAY)))["pressure"][0] > 4.0


def test_leakage_grows_by_its_size_each_week_and_is_mended() -> None:
    healthy, ailing = town(), town()
    fault = _at_site(ailing, "background_growth", {"litres_per_second_per_week": 0.7})

    list(run(healthy, 1800.0, 14 * DAY, MONDAY))
    list(run(ailing, 1800.0, 14 * DAY, MONDAY, [fault]))

    assert ailing.zones.leakage[1] - healthy.zones.leakage[1] == pytest.approx(1.4, rel=0.1)
    assert ailing.zones.inlet[1] - healthy.zones.inlet[1] == pytest.approx(1.4, rel=0.1)
    fault.end()
    assert ailing.zones.growth.tolist() == [0.0, 0.0, 0.0]


def test_a_pump_that_does_not_start_lets_the_level_fall() -> None:
    played = town()
    fault = played.fault("pump_failure", Place(organisation="town-water", device="tank"), {})

    level = _column(played, "ReservoirGauges", "tank", "level", 24, fault)

    assert level[-1] < 0.8
    assert float(told(played.gauges, next(run(played, 300.0, HOUR, MONDAY + DAY, [fault])))["pump"][0]) == 0.0


def test_growth_goes_on_after_a_restart() -> None:
    parameters = {"litres_per_second_per_week": 5.0}
    whole, first, second = town(), town(), town()
    through = _at_site(whole, "background_growth", parameters)
    before, after = (_at_site(played, "background_growth", parameters) for played in (first, second))
    list(run(whole, 300.0, DAY, MONDAY, [through]))

    list(run(first, 300.0, DAY // 2, MONDAY, [before]))
    second.restore(first.state())
    after.restore(before.state())
    list(run(second, 300.0, DAY // 2, MONDAY + DAY // 2, [after]))

    assert second.zones.inlet.tolist() == whole.zones.inlet.tolist()
    after.end()
    assert second.zones.growth.max() == 0.0


_OURS = [
    kind
    for kind in FAULTS.values()
    if kind.layer is FaultLayer.PHYSICS and (kind.models & WaterNetwork.models or kind.sites & ZONE_KINDS)
]


@pytest.mark.parametrize("kind", _OURS, ids=lambda kind: kind.name)
def test_every_fault_of_water_in_the_catalogue_is_played(kind: FaultKind) -> None:
    device = {"water_meter": "north-1", "reservoir": "tank"}.get(next(iter(kind.models), ""))
    place = Place(organisation="town-water", device=device, site=None if device else "north")
    healthy, ailing = town(), town()
    fault = ailing.fault(kind.name, place, {parameter.name: parameter.usual for parameter in kind.parameters})

    list(run(healthy, 300.0, DAY, MONDAY))
    list(run(ailing, 300.0, DAY, MONDAY, [fault]))

    assert ailing.reservoirs.level[0] < healthy.reservoirs.level[0] or ailing.zones.inlet[1] > healthy.zones.inlet[1]
    assert kind.source or not kind.parameters
