"""Environment: is the water fit to drink, is a flood, a fire or a storm coming, is the air clean?"""

from grafana_foundation_sdk.builders import geomap, timeseries
from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards import appearance, columns, datasource, frame, links
from dashboards.maps import Layer, world
from dashboards.panels import Column, Panel, bars, lines, rows, section, with_guide
from dashboards.thresholds import limits

_FILE = "environment"
# Metrics that rules may set limits on, with the factor from the rule's unit to the panel's.
_TURBIDITY = {"turbidity": 1.0}
_CHLORINE = {"free_chlorine": 1.0}
_HEAT = {"temperature": 1.0}
_WIND = {"wind_speed": 1.0}
_DUST = {"pm2_5": 1.0}
_OF_STATIONS = (
    " AND s.device_id = ANY (ARRAY(SELECT x.device_id FROM dashboard.series x"
    " WHERE x.metric IN ('wind_speed', 'humidity') AND {{in_sites x}}))"
)


def _of(metric: str, value: str, more: str = "") -> dict[str, str]:
    """Say the terms of one metric by device: its average or maximum of each bucket."""
    return {"where": f"s.metric = '{metric}'{more}", "value": value, "name": metric, "least": "1800000"}


def build() -> Dashboard:
    """Build it: values now beside the map, water quality, weather for floods, fire and storms, air."""
    head = frame.Frame(
        uid=links.ENVIRONMENT,
        title="Environment",
        question="Is the water fit to drink, is a flood, a fire or a storm coming, is the air clean?",
        level="site",
        since="now-7d",
    )
    return (
        head.of_sites()
        .with_panel(rows(_NOW, _NOW_COLUMNS))
        .with_panel(_map())
        .with_row(section("Water quality"))
        .with_panel(lines(_TURBID, "none", label="device", limits=limits(_TURBIDITY)).decimals(2))
        .with_panel(lines(_FREE_CHLORINE, "suffix: mg/L", label="device", limits=limits(_CHLORINE)).decimals(2))
        .with_panel(_ph())
        .with_panel(lines(_CONDUCTIVITY, "suffix: mS/cm", label="device").decimals(2))
        .with_panel(lines(_OXYGEN, "suffix: mg/L", label="device").decimals(1))
        .with_row(section("Weather"))
        .with_panel(bars(_RAIN, "lengthmm", label="device"))
        .with_panel(rows(_RAIN_SUMS, _RAIN_COLUMNS))
        .with_panel(lines(_TEMPERATURE, "celsius", label="device", limits=limits(_HEAT)).decimals(1))
        .with_panel(lines(_WINDS, "velocityms", label="device", limits=limits(_WIND)).decimals(1))
        .with_panel(_fire())
        .with_panel(rows(_FIRE_NOW, _FIRE_COLUMNS))
        .with_row(section("Air"))
        .with_panel(lines(_DUSTS, "conμgm3", label="device", limits=limits(_DUST)).decimals(0))
    )


_NOW = Panel(
    dashboard=_FILE,
    query="now",
    title="Now",
    description="The newest value of each parameter of sondes and stations. Alarmed: a rule's alert on it holds."
    " Old: no value for three of its expected intervals.",
    width=14,
    height=11,
)
_NOW_COLUMNS = (
    Column(name="condition", title="Condition", words=appearance.CONDITION_COLOURS, width=100),
    columns.DEVICE,
    columns.SITE,
    Column(name="metric", title="Parameter"),
    Column(name="value", title="Value", unit="none", decimals=2, width=90),
    columns.UNIT,
    Column(name="observed_at", title="Observed", unit="dateTimeFromNow", width=140),
    columns.HIDDEN_DEVICE,
    columns.HIDDEN_SITE,
    columns.HIDDEN_ORGANISATION,
)


def _map() -> geomap.Panel:
    panel = Panel(
        dashboard=_FILE,
        query="map",
        title="Map",
        description="Sondes and stations, coloured by whether an alert of theirs holds.",
        width=10,
        height=11,
    )
    layer = Layer(query="map", name="Stations", ref_id="A", colour_field="condition", size=8)
    return world(panel, (layer,), appearance.CONDITION_COLOURS)


_TURBID = Panel(
    dashboard=datasource.SHARED,
    query="by_device",
    terms=_of("turbidity", "maximum"),
    title="Turbidity (FNU)",
    description="The highest turbidity of each bucket. WHO: below 5 to be acceptable, below 1 for chlorine to work well"
    " (Guidelines for drinking-water quality, 4th edition). Dashed: limits that rules alarm on.",
    width=12,
)
_FREE_CHLORINE = Panel(
    dashboard=datasource.SHARED,
    query="by_device",
    terms=_of("free_chlorine", "average"),
    title="Free chlorine",
    description="What is left of chlorine to keep water safe on its way. WHO: at least 0.2 mg/L at the tap, at most 5."
    " Dashed: limits that rules alarm on.",
    width=12,
)
_PH = Panel(
    dashboard=datasource.SHARED,
    query="by_device",
    terms=_of("ph", "average"),
    title="pH",
    description="Acidity. The shaded band is 6.5 to 8.5, which WHO calls usual for water that does not eat pipes and"
    " can be disinfected; it is no limit for health.",
    width=8,
)
_CONDUCTIVITY = Panel(
    dashboard=datasource.SHARED,
    query="by_device",
    terms=_of("conductivity", "average"),
    title="Conductivity",
    description="Salts in the water. A step is water from elsewhere: sea, sewage, another source.",
    width=8,
)
_OXYGEN = Panel(
    dashboard=datasource.SHARED,
    query="by_device",
    terms=_of("dissolved_oxygen", "average"),
    title="Dissolved oxygen",
    description="What fish breathe: below 5 mg/L most suffer (US EPA criterion for waters with fish), and a daily wave"
    " that grows is algae.",
    width=8,
)
_RAIN = Panel(
    dashboard=_FILE,
    query="rain",
    title="Rain",
    description="Rain of each hour, or of longer stretches in long ranges, by station.",
    width=14,
)
_RAIN_SUMS = Panel(
    dashboard=_FILE,
    query="rain_day",
    title="Rain, sums",
    description="Rain up to the end of the chosen time: of a day, of three days, of a week, and of the wettest hour."
    " Much in three days on wet ground is what floods come from.",
    width=10,
)
_RAIN_COLUMNS = (
    columns.DEVICE,
    Column(name="day", title="Day", unit="lengthmm", decimals=1, width=95),
    Column(name="three_days", title="Three days", unit="lengthmm", decimals=1, width=110),
    Column(name="week", title="Week", unit="lengthmm", decimals=1, width=95),
    Column(name="heaviest", title="Wettest hour", unit="lengthmm", decimals=1, width=115),
    Column(name="site_name", title="Site", hidden=True),
    columns.HIDDEN_DEVICE,
    columns.HIDDEN_SITE,
    columns.HIDDEN_ORGANISATION,
)
_TEMPERATURE = Panel(
    dashboard=datasource.SHARED,
    query="by_device",
    terms=_of("temperature", "maximum", more=_OF_STATIONS),
    title="Air temperature",
    description="The highest of each bucket by weather station. Dashed: limits that rules alarm on.",
)
_WINDS = Panel(
    dashboard=datasource.SHARED,
    query="by_device",
    terms=_of("wind_speed", "maximum"),
    title="Wind",
    description="The strongest of each bucket by weather station. Dashed: limits that rules alarm on.",
)
_FIRE_INDEX = Panel(
    dashboard=_FILE,
    query="fire",
    title="Fire weather",
    description="Ångström's index, humidity / 20 + (27 - temperature) / 10: below 2 fires start very easily, above 4"
    " hardly. It knows no wind and no fuel, so look at both.",
)
_FIRE_NOW = Panel(
    dashboard=_FILE,
    query="fire_now",
    title="Fire weather now",
    description="Newest temperature, humidity and wind by station, Ångström's index of them, and how easily fires"
    " start: below 2 very easily, below 2.5 easily, below 4 moderately.",
)
_FIRE_COLUMNS = (
    columns.DEVICE,
    Column(name="temperature", title="Temperature", unit="celsius", decimals=1, width=110),
    Column(name="humidity", title="Humidity", unit="percent", decimals=0, width=95),
    Column(name="wind", title="Wind", unit="velocityms", decimals=1, width=95),
    Column(name="index", title="Index", unit="none", decimals=1, width=80),
    Column(name="danger", title="Danger", words=appearance.FIRE_COLOURS, width=110),
    Column(name="site_name", title="Site", hidden=True),
    columns.HIDDEN_DEVICE,
    columns.HIDDEN_SITE,
    columns.HIDDEN_ORGANISATION,
)
_DUSTS = Panel(
    dashboard=datasource.SHARED,
    query="by_device",
    terms=_of("pm2_5", "average"),
    title="Fine dust",
    description="PM2.5 by sensor. WHO's guideline for a day is 15 µg/m³ (2021). Dashed: limits that rules alarm on.",
    width=24,
    height=7,
)


def _ph() -> timeseries.Panel:
    return with_guide(lines(_PH, "none", label="device").decimals(1), between=(6.5, 8.5))


def _fire() -> timeseries.Panel:
    drawn = lines(_FIRE_INDEX, "none", label="device").decimals(1)
    return with_guide(
        drawn, below=((2.0, appearance.FIRE_COLOURS["very high"]), (2.5, appearance.FIRE_COLOURS["high"]))
    )
