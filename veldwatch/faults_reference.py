"""The reference of all kinds of fault, made from the catalogue: `docs/reference/faults.md` is this module's output.

Make it anew with `python -m veldwatch.faults_reference > docs/reference/faults.md`; a test compares.
"""

import sys
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from veldwatch.model.faults import FAULTS, FaultKind, FaultLayer, FaultParameter

_HEAD = """\
# Faults

Generated from `veldwatch/model/faults.py`; do not edit. What simulators can let go wrong, by the names that scenarios,
`veldwatch simulate inject`, rules (`detects`) and the scorecard share. The first parameter is a fault's size; what is
not said is usual, and what is beyond a limit is taken as the limit. "To be found" says whether readings show it to a
good rule; what they do not show is there to cause no alert. A size or course without a source is assumed.
How to plan them: [scenarios](scenarios.md). How to let one happen: [simulate](../how-to/simulate.md).
"""

_LAYERS: Mapping[FaultLayer, str] = MappingProxyType(
    {
        FaultLayer.PHYSICS: "In the pipe, the wire or the animal: every instrument near it shows it.",
        FaultLayer.INSTRUMENT: "In one device: only its own reports are wrong. At a site, or at a gateway, each device "
        "there or behind it has it that may.",
        FaultLayer.WIRE: "Between device and broker: what was measured is right, messages are not.",
    }
)

SHOWN: Mapping[str, str] = MappingProxyType(
    {
        "leak": "Water runs behind the meter without rest, night and day; its area's inlet sees it too.",
        "burst": "The area's inflow jumps and pressure falls; it flows with the root of pressure until it is mended.",
        "background_growth": "The area's night flow rises week by week; when it ends, what has grown is mended.",
        "pump_failure": "The pump stands still, and the level falls as water is drawn.",
        "contamination": "Chlorine, pH and oxygen fall, turbidity and conductivity rise: a front comes within some "
        "quarters of an hour, stays, and leaves as slowly after the end.",
        "feeder_outage": "All that hangs on the site has no supply; afterwards the load is higher for a while.",
        "planned_interruption": "As an outage of the feeder, but announced: nobody is to be called.",
        "stuck": "The device tells its first values again and again, registers and place too, but not its battery; "
        "events are told. Afterwards it tells the values of the time.",
        "drift": "Gauges are off by the same share more each day, from nothing at the begin; registers and battery are "
        "right.",
        "spike": "Gauges of some reports, each drawn by itself, are multiplied; registers and battery are right.",
        "bypass": "Register and rate miss a share of what flows. What was not counted never comes back.",
        "reverse": "The register falls by what flows, and the rate is negative. It never comes back.",
        "magnet": "The meter counts nothing. What was not counted never comes back.",
        "cover_open": "An event `tamper` with `cover` `opened` comes with the first report, and one with `closed` with "
        "the first after the end.",
        "meter_exchange": "The register goes on from a start between 0 and 10 for good.",
        "roll_over": "The register stands at once half a unit below its last figure, then begins again from zero, for "
        "good.",
        "outage": "Nothing is sent; it goes on measuring. At a gateway, all devices behind it fall silent as well.",
        "fence_break": "The fence's voltage falls to 2 to 12 % of what it was.",
        "fence_crossing": "It makes straight for the nearest fence, goes on behind it, and circles there until the "
        "end.",
        "immobility": "Fixes stay at one place, but for the receiver's error.",
        "mortality": "Fixes stay at one place, for good; an end brings the collar to another animal of its kind.",
        "collar_drop_off": "Fixes lie where the collar fell, 2.5 m about it; afterwards they are the animal's again.",
        "streaking": "It runs straight on at one pace, along the fence or back where it comes to it.",
        "gps_outlier": "Some fixes, each drawn by itself, are far off in any direction.",
        "drop": "Some messages never come.",
        "delay": "Each message is late by a time of its own, exponential; what is under way at the end stays late.",
        "duplicate": "Some messages come once more within a minute, byte for byte.",
        "reorder": "Each message comes at any moment of the window after its time.",
        "corrupt": "Some messages are cut off, or have bytes in them that are no text; neither reads as another value.",
        "clock_skew": "`observed_at` is off by the same time; messages come when they would.",
        "gateway_backlog": "Nothing comes from the gateway or from behind it until the end; then all of it, ten "
        "messages a second, as observed.",
    }
)
"""What each kind does to what a device tells."""


def faults_reference() -> str:
    """Write the page."""
    return "\n".join([_HEAD, *(line for layer in _LAYERS for line in _section(layer))])


def _section(layer: FaultLayer) -> Iterator[str]:
    yield f"## {layer.value.capitalize()}\n\n{_LAYERS[layer]}\n"
    yield from (_entry(kind) for kind in FAULTS.values() if kind.layer is layer)


def _entry(kind: FaultKind) -> str:
    lines = [
        f"### `{kind.name}`\n",
        f"{kind.title}. {SHOWN[kind.name]}\n",
        f"- Where: {_places(kind)}",
        f"- To be found: {'yes' if kind.observable else 'no'}",
        f"- Source: {kind.source or 'assumed'}",
    ]
    if kind.parameters:
        lines += ["\n| parameter | unit | usual | from | to | meaning |", "|---|---|---|---|---|---|"]
        lines += [_parameter(parameter) for parameter in kind.parameters]
    return "\n".join(lines) + "\n"


def _places(kind: FaultKind) -> str:
    models = [f"`{model}`" for model in sorted(kind.models)]
    sites = [f"site of kind `{site}`" for site in sorted(kind.sites)]
    return ", ".join(models + sites) or "any device"


def _parameter(parameter: FaultParameter) -> str:
    numbers = (parameter.usual, parameter.minimum, parameter.maximum)
    figures = " | ".join(f"{number:.10g}" for number in numbers)
    return f"| `{parameter.name}` | {parameter.unit} | {figures} | {parameter.meaning} |"


if __name__ == "__main__":
    sys.stdout.write(faults_reference())
