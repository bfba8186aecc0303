"""What most faults of an instrument share: they last until they are ended, and remember a few numbers."""

from collections.abc import Mapping

from simulators.faults.instrument import Wrapped

# Counted, not measured: what falsifies a gauge would make a register fall.
COUNTERS = frozenset({"volume", "energy", "energy_export", "energy_import", "rain"})
RATES = frozenset({"flow_rate", "power", "inflow", "outflow", "current"})
# A device's own account of itself, which no fault of a sensor touches.
HOUSEKEEPING = frozenset({"battery", "battery_voltage", "credit"})


class Lasting:
    """Remembers whether it lasts, and numbers by name.

    Args:
        wrapped: the device.
    """

    def __init__(self, wrapped: Wrapped) -> None:
        self.wrapped = wrapped
        self.lasts = True
        self.kept: dict[str, float] = {}

    def end(self) -> None:
        """Stop."""
        self.lasts = False

    @property
    def is_over(self) -> bool:
        """Leave nothing behind."""
        return not self.lasts

    def state(self) -> dict[str, float]:
        """Give what is remembered."""
        return {"lasts": float(self.lasts), **self.kept}

    def restore(self, state: Mapping[str, float]) -> None:
        """Take up what `state` gave."""
        self.lasts = bool(state["lasts"])
        self.kept = {name: value for name, value in state.items() if name != "lasts"}
