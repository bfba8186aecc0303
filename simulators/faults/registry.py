"""Which class plays which kind of fault."""

from collections.abc import Callable, Mapping

from simulators.chance import Chance
from simulators.faults.cover import CoverOpen
from simulators.faults.damage import ClockSkew, Corrupt
from simulators.faults.instrument import InstrumentFault, Wrapped
from simulators.faults.outage import Outage
from simulators.faults.registers import MeterExchange, RollOver, bypass, magnet, reverse
from simulators.faults.trackers import CollarDropOff, GpsOutlier
from simulators.faults.transit import Delay, Drop, Duplicate, GatewayBacklog, Reorder
from simulators.faults.values import Drift, Spike, Stuck
from simulators.faults.wire import WireFault
from veldwatch.errors import ConfigurationInvalid

INSTRUMENT: Mapping[str, Callable[[Wrapped], InstrumentFault]] = {
    "stuck": Stuck,
    "drift": Drift,
    "spike": Spike,
    "bypass": bypass,
    "reverse": reverse,
    "magnet": magnet,
    "cover_open": CoverOpen,
    "meter_exchange": MeterExchange,
    "roll_over": RollOver,
    "outage": Outage,
    "collar_drop_off": CollarDropOff,
    "gps_outlier": GpsOutlier,
}
WIRE: Mapping[str, Callable[[Mapping[str, float], Chance, int], WireFault]] = {
    "drop": Drop,
    "delay": Delay,
    "duplicate": Duplicate,
    "reorder": Reorder,
    "corrupt": Corrupt,
    "clock_skew": ClockSkew,
    "gateway_backlog": GatewayBacklog,
}


def instrument_fault(kind: str, wrapped: Wrapped) -> InstrumentFault:
    """Make an instrument's fault at one device."""
    if kind not in INSTRUMENT:
        raise ConfigurationInvalid(f"bad fault: {kind!r} (expected one of {', '.join(INSTRUMENT)})")
    return INSTRUMENT[kind](wrapped)


def wire_fault(kind: str, parameters: Mapping[str, float], chance: Chance, starts: int) -> WireFault:
    """Make a fault on the wire of one device.

    Args:
        starts: milliseconds since 1970.
    """
    if kind not in WIRE:
        raise ConfigurationInvalid(f"bad fault: {kind!r} (expected one of {', '.join(WIRE)})")
    return WIRE[kind](parameters, chance, starts)
