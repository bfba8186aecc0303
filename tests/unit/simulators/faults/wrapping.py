"""A device to wrap a fault around."""

from typing import Any

from simulators.chance import Chance
from simulators.faults.instrument import InstrumentFault, Wrapped
from simulators.faults.registry import instrument_fault
from simulators.moment import Moment
from simulators.report import Fix, Metric, Name, Report
from simulators.scenario import DevicePlan
from veldwatch.model.faults import FAULTS

STEP = 300_000
BEGINS = 1_795_320_000_000
_METRICS = (
    Metric(name="volume", unit="m3", decimals=4),
    Metric(name="flow_rate", unit="L/h", decimals=1),
    Metric(name="battery", unit="%", decimals=1),
    Metric(name="humidity", unit="%RH", decimals=1),
)


def moment(number: int) -> Moment:
    """Return the end of a step, counted from the fault's begin."""
    return Moment(at=BEGINS + number * STEP, step=STEP)


def begun(kind: str, **parameters: float) -> InstrumentFault:
    """Begin a fault at a meter that also has a receiver."""
    fields: dict[str, Any] = {"organisation": "town", "site": "centre", "profile": "meter", "model": "water_meter"}
    return instrument_fault(
        kind,
        Wrapped(
            name=Name("town", "meter-1"),
            plan=DevicePlan(id="meter-1", name="Meter", interval_seconds=300, **fields),
            metrics=_METRICS,
            chance=Chance(1, [f"town/meter-1:{kind}"]),
            parameters={parameter.name: parameter.usual for parameter in FAULTS[kind].parameters} | parameters,
        ),
    )


def metered(volume: float, flow_rate: float = 120.0) -> Report:
    """Make a meter's report."""
    return Report(readings={"volume": volume, "flow_rate": flow_rate, "battery": 90.0})


def located(longitude: float, latitude: float) -> Report:
    """Make a tracker's report."""
    return Report(fix=Fix(longitude=longitude, latitude=latitude, accuracy=5.0, speed=1.4, heading=45.0))


def told(fault: InstrumentFault, reports: list[Report], first: int = 1) -> list[Report]:
    """Pass reports through a fault, one a step; what is not sent is left out."""
    changed = [fault.change(report, moment(first + number)) for number, report in enumerate(reports)]
    return [report for report in changed if report is not None]


def volumes(reports: list[Report]) -> list[float]:
    """Return the registers, to a litre."""
    return [round(report.readings["volume"], 3) for report in reports]
