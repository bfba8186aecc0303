"""The kinds of panel that our dashboards are made of, each with what house rules ask of it.

Every panel has a title, a sentence that says how to read it, a unit, a text for "nothing there", and its
query from `sql/<dashboard>.sql` by name. Gaps in the data are gaps in the picture.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from grafana_foundation_sdk.builders import (
    barchart,
    bargauge,
    common,
    dashboard,
    geomap,
    logs,
    stat,
    statetimeline,
    table,
    timeseries,
)
from grafana_foundation_sdk.models.common import (
    BarAlignment,
    BarGaugeDisplayMode,
    BigValueColorMode,
    BigValueGraphMode,
    BigValueTextMode,
    GraphDrawStyle,
    GraphThresholdsStyleMode,
    LegendDisplayMode,
    LegendPlacement,
    LogsSortOrder,
    SortOrder,
    TooltipDisplayMode,
    VisibilityMode,
    VizOrientation,
)
from grafana_foundation_sdk.models.dashboard import (
    DataTransformerConfig,
    DynamicConfigValue,
    ValueMap,
    ValueMappingResult,
)

from dashboards import appearance, datasource
from dashboards.appearance import prop
from dashboards.thresholds import Limit

LARGEST_SPAN_MS = 3 * 15 * 60 * 1000
"""A line goes on over three missing reports of the slowest usual meter (15 min); a longer silence is a gap."""

NOTHING = "nothing here"
_POINTS = 500
_WIDE = 12
"""From this width on a table of figures fits beside a graph."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """What every panel has.

    Attributes:
        dashboard: file of queries.
        query: name of the query in it.
        title: what is shown, without the unit.
        description: how to read it, one or two sentences.
        width: columns of 24.
        height: grid rows.
        since: a length of time of its own, such as `35d`, where the dashboard's would show too little.
        terms: what the query's terms stand for.
    """

    dashboard: str
    query: str
    title: str
    description: str
    width: int = 12
    height: int = 8
    since: str | None = None
    terms: Mapping[str, str] | None = None

    def target(self, output: datasource.Format) -> datasource.Target:
        """Give the panel's query."""
        return datasource.Target(self.dashboard, self.query, output, terms=self.terms)


def lines(
    panel: Panel, unit: str, *, label: str, limits: tuple[Limit, ...] = (), colours: dict[str, str] | None = None
) -> timeseries.Panel:
    """Draw one line per value of the column `label`, with the limits that rules set as dashed lines."""
    drawn = _graph(panel, unit).display_name(f"${{__field.labels.{label}}}").color_scheme(appearance.by_name())
    drawn = drawn.legend(_list_legend() if panel.width < _WIDE else _table_legend(["min", "mean", "max"]))
    return _with_limits(_coloured(drawn, colours), limits)


def band(panel: Panel, unit: str, *, limits: tuple[Limit, ...] = ()) -> timeseries.Panel:
    """Draw the columns average, minimum and maximum as a line in a band: a plain average hides spikes."""
    return band_of(panel, unit, low="minimum", high="maximum", limits=limits)


def band_of(panel: Panel, unit: str, *, low: str, high: str, limits: tuple[Limit, ...] = ()) -> timeseries.Panel:
    """Draw one column as a line in a band between two others."""
    drawn = _graph(panel, unit).legend(_list_legend()).display_name("${__field.name}")
    drawn = drawn.color_scheme(appearance.fixed("#3274d9"))
    hidden = {"legend": True, "tooltip": False, "viz": False}
    edge = [prop("custom.lineWidth", 0), prop("custom.hideFrom", hidden)]
    drawn = drawn.override_by_name(low, edge)
    drawn = drawn.override_by_name(high, [*edge, prop("custom.fillBelowTo", low), prop("custom.fillOpacity", 20)])
    return _with_limits(drawn, limits)


def columns_of(panel: Panel, unit: str) -> timeseries.Panel:
    """Draw the query's number columns as lines that carry the columns' names."""
    return _graph(panel, unit).display_name("${__field.name}").legend(_list_legend())


def bars(panel: Panel, unit: str, *, label: str, colours: dict[str, str] | None = None) -> timeseries.Panel:
    """Draw one bar per bucket and value of the column `label`, side by side, not stacked."""
    drawn = _graph(panel, unit).draw_style(GraphDrawStyle.BARS).fill_opacity(70).line_width(1)
    drawn = drawn.display_name(f"${{__field.labels.{label}}}").color_scheme(appearance.by_name())
    # What is counted in a stretch stands above all of it, from its beginning on.
    drawn = drawn.bar_alignment(BarAlignment.AFTER)
    return _coloured(drawn.legend(_table_legend(["sum"])), colours)


def figure(panel: Panel, unit: str, limits: list[tuple[float, str]], below: str = appearance.QUIET) -> stat.Panel:
    """Show one number, coloured by limits."""
    return (
        _stat(panel, unit)
        .reduce_options(common.ReduceDataOptions().values(False).calcs(["lastNotNull"]))
        .thresholds(appearance.steps(limits, below))
        .color_mode(BigValueColorMode.VALUE)
    )


def trend(panel: Panel, unit: str) -> stat.Panel:
    """Show the last number of a series with its course behind it; a series that ends with null has none."""
    return (
        titled(stat.Panel(), panel)
        .with_target(panel.target("time_series"))
        .unit(unit)
        .no_value(NOTHING)
        .max_data_points(_POINTS)
        .reduce_options(common.ReduceDataOptions().values(False).calcs(["last"]))
        .text_mode(BigValueTextMode.VALUE)
        .graph_mode(BigValueGraphMode.AREA)
        .color_scheme(appearance.fixed(appearance.SERIES_COLOURS[0]))
        .color_mode(BigValueColorMode.VALUE)
    )


def figures(panel: Panel, unit: str, *, name: str, value: str, colours: dict[str, str]) -> stat.Panel:
    """Show one number per row, named by the column `name`, in the colour of that name."""
    # Rows become fields: an override, and so a colour, can only be given to a field.
    mappings = [{"fieldName": name, "handlerKey": "field.name"}, {"fieldName": value, "handlerKey": "field.value"}]
    shown = (
        _stat(panel, unit)
        .with_transformation(DataTransformerConfig(id_val="rowsToFields", options={"mappings": mappings}))
        .reduce_options(common.ReduceDataOptions().values(False).calcs(["lastNotNull"]))
        .text_mode(BigValueTextMode.VALUE_AND_NAME)
        .orientation(VizOrientation.VERTICAL)
        .color_scheme(appearance.fixed(appearance.SERIES_COLOURS[0]))
        .color_mode(BigValueColorMode.VALUE)
    )
    for word, colour in colours.items():
        shown = shown.override_by_name(word, [prop("color", {"mode": "fixed", "fixedColor": colour})])
    return shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """How one column of a table is shown.

    Attributes:
        words: words of a closed list with their colours, for a cell with a coloured ground.
        texts: what is shown for words of a closed list.
        link: a data link; see `dashboards.links`.
        hidden: kept in the rows for links, not shown.
        limits: colours of values from each limit up, lowest first, for a cell whose text has the colour.
        below: the colour under the first limit.
        full: the value at which a bar in the cell is full; None: no bar.
    """

    name: str
    title: str
    unit: str | None = None
    words: dict[str, str] | None = None
    texts: dict[str, str] | None = None
    link: dict[str, object] | None = None
    hidden: bool = False
    width: int | None = None
    decimals: int | None = None
    limits: tuple[tuple[float, str], ...] = ()
    below: str = "text"
    full: float | None = None


def rows(panel: Panel, columns: tuple[Column, ...]) -> table.Panel:
    """Show the query's rows as they are."""
    shown = titled(table.Panel(), panel).with_target(panel.target("table")).no_value("").unit("none").filterable(True)
    for column in columns:
        shown = shown.override_by_name(column.name, _column_properties(column))
    return shown


def ranking(panel: Panel, unit: str, *, name: str) -> barchart.Panel:
    """Draw one bar per row, largest first, named by the column `name`."""
    return (
        titled(barchart.Panel(), panel)
        .with_target(panel.target("table"))
        .unit(unit)
        .no_value(NOTHING)
        .x_field(name)
        .orientation(VizOrientation.HORIZONTAL)
        .legend(common.VizLegendOptions().show_legend(False))
        .color_scheme(appearance.fixed("#3274d9"))
    )


def timeline(panel: Panel, *, label: str, states: dict[str, str]) -> statetimeline.Panel:
    """Draw one strip per value of the column `label`, in the colours of states.

    Args:
        states: words with their colours; the query's number is the word's place, from 0 on.
    """
    mappings = {
        str(code): ValueMappingResult(text=word, color=colour, index=code)
        for code, (word, colour) in enumerate(states.items())
    }
    return (
        titled(statetimeline.Panel(), panel)
        .with_target(panel.target("time_series"))
        .unit("none")
        .no_value(NOTHING)
        .max_data_points(_POINTS)
        .display_name(f"${{__field.labels.{label}}}")
        .mappings([ValueMap(options=mappings)])
        .color_scheme(appearance.fixed(appearance.QUIET))
        .merge_values(True)
        .show_value(VisibilityMode.NEVER)
        .row_height(0.85)
        .line_width(0)
        .fill_opacity(85)
        .span_nulls(False)
        .legend(_list_legend())
    )


def gauges(
    panel: Panel, unit: str, *, name: str, value: str, full: float, limits: tuple[tuple[float, str], ...], below: str
) -> bargauge.Panel:
    """Draw one bar per row from 0 to `full`, named by the column `name`, coloured by limits."""
    return (
        titled(bargauge.Panel(), panel)
        .with_target(panel.target("table"))
        .unit(unit)
        .no_value(NOTHING)
        .min(0)
        .max(full)
        .decimals(0)
        .orientation(VizOrientation.HORIZONTAL)
        .display_mode(BarGaugeDisplayMode.BASIC)
        .reduce_options(common.ReduceDataOptions().values(True).fields(f"/^{value}$/").calcs(["lastNotNull"]))
        .display_name(f"${{__data.fields.{name}}}")
        .thresholds(appearance.steps(list(limits), below))
    )


def section(title: str) -> dashboard.Row:
    """Begin a part of a dashboard with a line across it."""
    return dashboard.Row(title)


def log(panel: Panel) -> logs.Panel:
    """Show rows of time, body and level as a log, newest first."""
    return (
        titled(logs.Panel(), panel)
        .with_target(panel.target("table"))
        .show_time(True)
        .wrap_log_message(True)
        .enable_log_details(True)
        .sort_order(LogsSortOrder.DESCENDING)
    )


_Kind = TypeVar(
    "_Kind",
    timeseries.Panel,
    stat.Panel,
    table.Panel,
    barchart.Panel,
    bargauge.Panel,
    logs.Panel,
    geomap.Panel,
    statetimeline.Panel,
)


def titled(shown: _Kind, panel: Panel) -> _Kind:
    """Give a panel its texts, size and data source."""
    if panel.since is not None:
        shown = shown.time_from(panel.since)
    return (
        shown.title(panel.title)
        .description(panel.description)
        .span(panel.width)
        .height(panel.height)
        .datasource(datasource.reference())
    )


def _graph(panel: Panel, unit: str) -> timeseries.Panel:
    return (
        titled(timeseries.Panel(), panel)
        .with_target(panel.target("time_series"))
        .unit(unit)
        .no_value(NOTHING)
        .max_data_points(_POINTS)
        .span_nulls(LARGEST_SPAN_MS)
        .show_points(VisibilityMode.AUTO)
        .line_width(1)
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING))
    )


def _stat(panel: Panel, unit: str) -> stat.Panel:
    return (
        titled(stat.Panel(), panel)
        .with_target(panel.target("table"))
        .unit(unit)
        .no_value(NOTHING)
        .graph_mode(BigValueGraphMode.NONE)
    )


def _coloured(drawn: timeseries.Panel, colours: dict[str, str] | None) -> timeseries.Panel:
    # Grafana matches a labelled field by the value's name and the label: `alerts critical`.
    for name, colour in (colours or {}).items():
        drawn = drawn.override_by_regexp(f"/(^| ){name}$/", [prop("color", {"mode": "fixed", "fixedColor": colour})])
    return drawn


def _with_limits(drawn: timeseries.Panel, limits: tuple[Limit, ...]) -> timeseries.Panel:
    if not limits:
        return drawn
    # Two rules with one limit are one line, in the colour of the last.
    coloured = list({limit.value: appearance.SEVERITY_COLOURS[limit.severity] for limit in limits}.items())
    style = common.GraphThresholdsStyleConfig().mode(GraphThresholdsStyleMode.DASHED)
    return drawn.thresholds(appearance.steps(coloured, below="transparent")).thresholds_style(style)


def with_guide(
    drawn: timeseries.Panel,
    *,
    between: tuple[float, float] | None = None,
    below: tuple[tuple[float, str], ...] = (),
) -> timeseries.Panel:
    """Shade what a guideline says: what is between two values, or below some, lowest first, each in its colour."""
    if between is not None:
        steps = appearance.steps([(between[0], "#3274d9"), (between[1], "transparent")], below="transparent")
    else:
        colours = [colour for _, colour in below]
        above = [*colours[1:], "transparent"]
        steps = appearance.steps(
            [(value, colour) for (value, _), colour in zip(below, above, strict=True)], below=colours[0]
        )
    style = common.GraphThresholdsStyleConfig().mode(GraphThresholdsStyleMode.AREA)
    return drawn.thresholds(steps).thresholds_style(style)


def _table_legend(calculations: list[str]) -> common.VizLegendOptions:
    legend = common.VizLegendOptions().show_legend(True).display_mode(LegendDisplayMode.TABLE)
    return legend.placement(LegendPlacement.RIGHT).calcs(calculations)


def _list_legend() -> common.VizLegendOptions:
    legend = common.VizLegendOptions().show_legend(True).display_mode(LegendDisplayMode.LIST)
    return legend.placement(LegendPlacement.BOTTOM)


def _column_properties(column: Column) -> list[DynamicConfigValue]:
    properties = [prop("displayName", column.title)]
    if column.unit is not None:
        properties.append(prop("unit", column.unit))
    if column.words is not None:
        properties.append(prop("mappings", appearance.words(column.words)))
        properties.append(prop("custom.cellOptions", {"type": "color-background", "mode": "basic"}))
    if column.texts is not None:
        properties.append(prop("mappings", appearance.texts(column.texts)))
    properties += _number_properties(column)
    if column.link is not None:
        properties.append(prop("links", [column.link]))
    if column.hidden:
        properties.append(prop("custom.hidden", True))
    if column.width is not None:
        properties.append(prop("custom.width", column.width))
    return properties


def _number_properties(column: Column) -> list[DynamicConfigValue]:
    properties: list[DynamicConfigValue] = []
    if column.decimals is not None:
        properties.append(prop("decimals", column.decimals))
    if column.limits:
        properties.append(prop("thresholds", _cell_steps(column.limits, column.below)))
        properties.append(prop("custom.cellOptions", {"type": "color-text"}))
    if column.full is not None:
        properties += [prop("min", 0), prop("max", column.full)]
        properties.append(prop("custom.cellOptions", {"type": "gauge", "mode": "basic", "valueDisplayMode": "text"}))
    return properties


def _cell_steps(limits: tuple[tuple[float, str], ...], below: str) -> dict[str, object]:
    first: dict[str, object] = {"value": None, "color": below}
    return {"mode": "absolute", "steps": [first, *({"value": value, "color": colour} for value, colour in limits)]}
