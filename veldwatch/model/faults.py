"""The kinds of fault that simulators inject, and that detectors are scored by: one closed list for both sides.

A kind names what is wrong in the world, not how an alert words it. Rules say by these names what they are there to
find (`detects`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class FaultLayer(StrEnum):
    """Where a fault sits between the world and the broker."""

    PHYSICS = "physics"
    """In the pipe, the wire or the animal: every instrument near it shows it."""
    INSTRUMENT = "instrument"
    """In one device: only its own reports are wrong."""
    WIRE = "wire"
    """Between device and broker: values are right, messages are not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultParameter:
    """What sets a fault's size.

    Attributes:
        unit: UCUM; `1` for a share or a number.
    """

    name: str
    unit: str
    usual: float
    minimum: float
    maximum: float
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultKind:
    """One kind of fault.

    Attributes:
        models: simulated models that may have it; empty: every model.
        sites: kinds of site that may have it.
        parameters: the first one is the fault's size.
        observable: a good rule can tell it from readings; what merely disturbs the wire is there to cause no alert.
        felt_beyond: a device's fault shows at all that the site above its own holds: it is true of them too.
        source: where size and course come from.
    """

    name: str
    title: str
    layer: FaultLayer
    models: frozenset[str] = frozenset()
    sites: frozenset[str] = frozenset()
    parameters: tuple[FaultParameter, ...] = ()
    observable: bool = True
    felt_beyond: bool = False
    source: str = ""


def _kind(
    name: str,
    title: str,
    layer: FaultLayer,
    *parameters: FaultParameter,
    models: str = "",
    sites: str = "",
    observable: bool = True,
    felt_beyond: bool = False,
    source: str = "",
) -> FaultKind:
    return FaultKind(
        name=name,
        title=title,
        layer=layer,
        models=frozenset(models.split()),
        sites=frozenset(sites.split()),
        parameters=parameters,
        observable=observable,
        felt_beyond=felt_beyond,
        source=source,
    )


def _parameter(name: str, unit: str, usual: float, limits: tuple[float, float], meaning: str) -> FaultParameter:
    return FaultParameter(name=name, unit=unit, usual=usual, minimum=limits[0], maximum=limits[1], meaning=meaning)


_PHYSICS, _INSTRUMENT, _WIRE = FaultLayer.PHYSICS, FaultLayer.INSTRUMENT, FaultLayer.WIRE
_METERS = "water_meter bulk_meter electricity_meter"
_COLLARS = "collar"

_KINDS = (
    # Water
    _kind(
        "leak",
        "Leak behind a meter",
        _PHYSICS,
        _parameter("litres_per_hour", "L/h", 300.0, (0.0, 10_000.0), "flow that never rests"),
        models="water_meter",
        source="between leaking homes' mean, 25 L/h (Lugoma, van Zyl, Ilemobade 2012, Water SA 38(1)), and a burst "
        "service pipe, 1600 L/h at 50 m (Lambert et al. 1999, AQUA 48(6))",
    ),
    _kind(
        "burst",
        "Burst main",
        _PHYSICS,
        _parameter("litres_per_second", "L/s", 3.3, (0.1, 500.0), "flow at the area's usual pressure"),
        sites="district_metered_area zone",
        source="reported bursts of mains, 12 m3/h at 50 m, unreported ones half of it (Lambert et al. 1999, AQUA "
        "48(6)); with the root of pressure (Lambert 2001)",
    ),
    _kind(
        "background_growth",
        "Background leakage grows",
        _PHYSICS,
        _parameter("litres_per_second_per_week", "L/s", 0.5, (0.01, 20.0), "what each week adds at usual pressure"),
        sites="district_metered_area zone",
        source="faster than the natural rate of rise (Lambert, Fantozzi 2005), so that weeks show it; assumed",
    ),
    _kind(
        "pump_failure",
        "Pump does not start",
        _PHYSICS,
        models="reservoir",
        # The reservoir runs empty, and the pressure of all that it supplies falls.
        felt_beyond=True,
    ),
    _kind(
        "contamination",
        "Contamination",
        _PHYSICS,
        _parameter("share", "1", 0.5, (0.05, 1.0), "how strong, from just visible to gross"),
        models="water_quality_sonde",
        source="order of response: Hall et al. 2007, Journal AWWA 99(1); sizes assumed",
    ),
    # Electricity
    _kind(
        "feeder_outage",
        "Feeder without power",
        _PHYSICS,
        sites="feeder transformer",
        source="IEEE Std 1366: an interruption is the loss of all voltage; then cold-load pickup, IEEE PSRC D1 2008",
    ),
    _kind(
        "planned_interruption",
        "Planned interruption",
        _PHYSICS,
        sites="feeder transformer",
        observable=False,
        source="NRS 048-9: load shedding in slots of two or four hours",
    ),
    # Instruments
    _kind("stuck", "Value stands still", _INSTRUMENT),
    _kind(
        "drift",
        "Value drifts",
        _INSTRUMENT,
        _parameter("share_per_day", "1", 0.05, (-1.0, 1.0), "of its value, each day"),
    ),
    _kind(
        "spike",
        "Spikes",
        _INSTRUMENT,
        _parameter("factor", "1", 10.0, (-100.0, 1000.0), "of the true value"),
        _parameter("share", "1", 0.05, (0.0, 1.0), "of the reports"),
    ),
    _kind(
        "bypass",
        "Meter bypassed",
        _INSTRUMENT,
        _parameter("share", "1", 0.7, (0.05, 1.0), "of the consumption that is not counted"),
        models=_METERS,
    ),
    _kind("reverse", "Meter turned round", _INSTRUMENT, models=_METERS),
    _kind("magnet", "Magnet on the meter", _INSTRUMENT, models=_METERS),
    _kind("cover_open", "Cover opened", _INSTRUMENT, models=_METERS),
    _kind("meter_exchange", "Meter exchanged", _INSTRUMENT, models=_METERS, observable=False),
    _kind(
        "roll_over",
        "Register rolls over",
        _INSTRUMENT,
        _parameter("digits", "1", 5.0, (3.0, 9.0), "before the decimal point"),
        models=_METERS,
        observable=False,
    ),
    _kind("outage", "Device silent", _INSTRUMENT),
    # Wildlife
    _kind("fence_break", "Fence broken", _PHYSICS, models="fence_energiser"),
    _kind(
        "fence_crossing",
        "Animal crosses the fence",
        _PHYSICS,
        _parameter("metres_per_second", "m/s", 0.0, (0.0, 20.0), "0: as fast as its kind runs"),
        _parameter("beyond_metres", "m", 350.0, (20.0, 50_000.0), "how far it goes on"),
        models=_COLLARS,
        source="size and course assumed",
    ),
    _kind(
        "immobility",
        "Animal does not move",
        _PHYSICS,
        models=_COLLARS,
        source="EarthRanger's immobility analyser: within 13 m for 5 h",
    ),
    _kind(
        "mortality",
        "Animal dies",
        _PHYSICS,
        models=_COLLARS,
        source="a collar cools to the air in some hours, assumed; when the fault ends, another animal has it",
    ),
    _kind("collar_drop_off", "Collar falls off", _INSTRUMENT, models=_COLLARS),
    _kind(
        "streaking",
        "Animal runs straight on",
        _PHYSICS,
        _parameter("metres_per_second", "m/s", 2.0, (0.5, 20.0), "its pace"),
        models=_COLLARS,
        source="Jachowski, Slotow, Millspaugh 2013, Biological Conservation 167: rapid, unidirectional; pace assumed",
    ),
    _kind(
        "gps_outlier",
        "Fixes far off",
        _INSTRUMENT,
        _parameter("metres", "m", 20_000.0, (100.0, 5_000_000.0), "how far off"),
        _parameter("share", "1", 0.1, (0.0, 1.0), "of the fixes"),
        models=_COLLARS,
        observable=False,
    ),
    # Wire
    _kind(
        "drop", "Messages lost", _WIRE, _parameter("share", "1", 0.2, (0.0, 1.0), "of the messages"), observable=False
    ),
    _kind(
        "delay",
        "Messages late",
        _WIRE,
        _parameter("delay_seconds", "s", 600.0, (0.0, 5_184_000.0), "mean of what each is late"),
        observable=False,
    ),
    _kind(
        "duplicate",
        "Messages sent again",
        _WIRE,
        _parameter("share", "1", 0.2, (0.0, 1.0), "of the messages"),
        observable=False,
    ),
    _kind(
        "reorder",
        "Messages out of order",
        _WIRE,
        _parameter("window_seconds", "s", 300.0, (0.0, 86_400.0), "within which order is lost"),
        observable=False,
    ),
    _kind(
        "corrupt",
        "Messages damaged",
        _WIRE,
        _parameter("share", "1", 0.05, (0.0, 1.0), "of the messages"),
        observable=False,
    ),
    _kind(
        "clock_skew",
        "Clock wrong",
        _WIRE,
        _parameter("offset_seconds", "s", 7200.0, (-5_184_000.0, 5_184_000.0), "added to each time"),
    ),
    _kind("gateway_backlog", "Gateway holds back", _WIRE, models="gateway", observable=False),
)
FAULTS: Mapping[str, FaultKind] = MappingProxyType({kind.name: kind for kind in _KINDS})
"""Every kind by its name."""


def suiting(model: str) -> tuple[FaultKind, ...]:
    """Return the kinds that a device of a simulated model may have."""
    return tuple(kind for kind in _KINDS if model in kind.models or not (kind.models or kind.sites))
