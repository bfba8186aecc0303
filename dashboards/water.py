"""Water: where does water run, how much, and where does it run when nobody needs it?"""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards import frame, links, variables
from dashboards.panels import Column, Panel, bars, lines, ranking, rows
from dashboards.thresholds import limits

_FILE = "water"
# Metrics that rules may set limits on, with the factor from the rule's unit to the panel's.
_FLOW = {"flow_rate": 1.0}
_LEVEL = {"level": 1.0}
_PRESSURE = {"pressure": 1.0}


def build() -> Dashboard:
    """Build it: flow now and over time, consumption, night flow, levels, pressures."""
    head = frame.Frame(
        uid=links.WATER,
        title="Water",
        question="Where does water run, how much, and where does it run when nobody needs it?",
        level="site",
    )
    return (
        head.build()
        .with_variable(variables.organisation())
        .with_variable(variables.site())
        .with_variable(variables.night_zone())
        .annotation(frame.alerts())
        .with_panel(lines(_FLOWS, "litreh", label="device", limits=limits(_FLOW)))
        .with_panel(ranking(_FLOW_NOW, "litreh", name="device"))
        .with_panel(bars(_CONSUMPTION, "m3", label="site"))
        .with_panel(rows(_NIGHT_FLOW, _NIGHT_COLUMNS))
        .with_panel(lines(_WORKS, "suffix: m³/h", label="device"))
        .with_panel(lines(_LEVELS, "lengthm", label="device", limits=limits(_LEVEL)))
        .with_panel(lines(_PRESSURES, "pressurebar", label="device", limits=limits(_PRESSURE)))
    )


_FLOWS = Panel(
    dashboard=_FILE,
    query="flow",
    title="Flow",
    description="Flow by device, the first 20 by name; choose a site for others. Dashed: limits that rules alarm on.",
    width=16,
    height=9,
)
_FLOW_NOW = Panel(
    dashboard=_FILE,
    query="flow_now",
    title="Flow now",
    description="The newest flow of each device that reported within a day, largest first.",
    width=8,
    height=9,
)
_CONSUMPTION = Panel(
    dashboard=_FILE,
    query="consumption",
    title="Consumption",
    description="What registers counted, by site: hours, or days in long ranges. Roll-overs, resets and stray figures"
    " are undone, so it is never negative; what no meter can count is left out.",
    height=9,
)
_NIGHT_FLOW = Panel(
    dashboard=_FILE,
    query="night_flow",
    title="Minimum night flow",
    description="The smallest hourly flow between 01:00 and 05:00 of each night, largest first: what runs then"
    " mostly leaks.",
    height=9,
)
_NIGHT_COLUMNS = (
    Column(name="night", title="Night of", unit="dateTimeAsIso"),
    Column(name="device", title="Device"),
    Column(name="flow", title="Flow", unit="litreh"),
)
_WORKS = Panel(
    dashboard=_FILE,
    query="works",
    title="Reservoirs and pumps",
    description="What flows into and out of reservoirs and pumps, in cubic metres an hour.",
    width=24,
)
_LEVELS = Panel(
    dashboard=_FILE,
    query="level",
    title="Levels",
    description="Levels of reservoirs and wells. Dashed: limits that rules alarm on.",
    height=9,
)
_PRESSURES = Panel(
    dashboard=_FILE,
    query="pressure",
    title="Pressure",
    description="Pressure in the network by device. Dashed: limits that rules alarm on.",
    height=9,
)
