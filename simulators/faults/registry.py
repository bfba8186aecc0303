"""Which class plays which kind of fault."""

from collections.abc import Callable, Mapping

from simulators.chance import Chance
from simulators.faults.instrument import InstrumentFault, Wrapped
from simulators.faults.outage import Outage
from simulators.faults.wire import WireFault
from veldwatch.errors import ConfigurationInvalid

_INSTRUMENT: Mapping[str, Callable[[Wrapped], InstrumentFault]] = {"outage": Outage}
_WIRE: Mapping[str, Callable[[Mapping[str, float], Chance, int], WireFault]] = {}


def instrument_fault(kind: str, wrapped: Wrapped) -> InstrumentFault:
    """Make an instrument's fault at one device."""
    if kind not in _INSTRUMENT:
        raise ConfigurationInvalid(f"bad fault: {kind!r} (expected one of {', '.join(_INSTRUMENT)})")
    return _INSTRUMENT[kind](wrapped)


def wire_fault(kind: str, parameters: Mapping[str, float], chance: Chance, starts: int) -> WireFault:
    """Make a fault on the wire of one device.

    Args:
        starts: milliseconds since 1970.
    """
    if kind not in _WIRE:
        raise ConfigurationInvalid(f"bad fault: {kind!r} (expected one of {', '.join(_WIRE)})")
    return _WIRE[kind](parameters, chance, starts)
