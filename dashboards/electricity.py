"""Electricity: how much power flows, who draws it, and is the voltage right?"""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards import frame, links, variables
from dashboards.panels import Panel, band, bars, lines, ranking
from dashboards.thresholds import limits

_FILE = "electricity"
# Metrics that rules may set limits on, with the factor from the rule's unit to the panel's.
_POWER = {"power": 0.001}
_VOLTAGE = {"voltage": 1.0}


def build() -> Dashboard:
    """Build it: total, by device, energy counted, voltage and the largest consumers."""
    head = frame.Frame(
        uid=links.ELECTRICITY,
        title="Electricity",
        question="How much power flows, who draws it, and is the voltage right?",
        level="site",
    )
    return (
        head.build()
        .with_variable(variables.organisation())
        .with_variable(variables.site())
        .annotation(frame.alerts())
        .with_panel(band(_TOTAL, "kwatt"))
        .with_panel(lines(_BY_DEVICE, "kwatt", label="device", limits=limits(_POWER)))
        .with_panel(bars(_ENERGY, "kwatth", label="site"))
        .with_panel(ranking(_LARGEST, "kwatth", name="device"))
        .with_panel(band(_VOLTAGES, "volt", limits=limits(_VOLTAGE)))
    )


_TOTAL = Panel(
    dashboard=_FILE,
    query="power_total",
    title="Power of all",
    description="Sum over the chosen devices: average in a band of the sums of their smallest and largest values.",
    height=9,
)
_BY_DEVICE = Panel(
    dashboard=_FILE,
    query="power",
    title="Power by device",
    description="The first 20 devices by name; choose a site for others. Dashed: limits that rules alarm on.",
    height=9,
)
_ENERGY = Panel(
    dashboard=_FILE,
    query="energy",
    title="Energy",
    description="What registers counted, by site: hours, or days in long ranges. Roll-overs, resets and stray figures"
    " are undone, so it is never negative; what no meter can count is left out.",
    height=9,
)
_LARGEST = Panel(
    dashboard=_FILE,
    query="largest",
    title="Largest consumers",
    description="Devices by the energy that they counted in the chosen time.",
    height=9,
)
_VOLTAGES = Panel(
    dashboard=_FILE,
    query="voltage",
    title="Voltage",
    description="Average of the chosen devices in a band from the lowest to the highest. Dashed: limits that rules"
    " alarm on.",
    width=24,
    height=9,
)
