"""Maps: markers over the borders of countries that Grafana itself ships, so that no map tiles are fetched from anybody.

The layers' settings are plain mappings: the SDK has no types for them, and types latitude as a whole number.
"""

from dataclasses import dataclass

from grafana_foundation_sdk.builders import common, geomap
from grafana_foundation_sdk.models.common import FrameGeometrySourceMode
from grafana_foundation_sdk.models.geomap import TooltipMode

from dashboards import appearance, datasource
from dashboards.panels import Panel, titled


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One set of markers on a map, from a query with `latitude` and `longitude`.

    Attributes:
        query: name of the query.
        colour_field: column whose words colour the markers; None: one colour.
        size: of a marker, in pixels.
        colour: where no column decides.
        route: join the points in the order of the rows, instead of marking each.
        nth: which of the devices that the query lists, from 0 on, takes the place of the first (its `OFFSET 0`).
    """

    query: str
    name: str
    ref_id: str
    colour_field: str | None
    size: int
    colour: str = "#3274d9"
    route: bool = False
    nth: int = 0


def world(panel: Panel, layers: tuple[Layer, ...], colours: dict[str, str]) -> geomap.Panel:
    """Draw markers on the borders of countries that Grafana itself ships: no map tiles are fetched from anybody."""
    shown = titled(geomap.Panel(), panel).unit("none").mappings(appearance.words(colours))
    for layer in layers:
        shown = shown.with_target(datasource.Target(panel.dashboard, layer.query, "table", layer.ref_id, nth=layer.nth))
    return (
        shown.basemap(_borders())
        .layers([_drawn(layer) for layer in layers])
        .view(geomap.MapViewConfig().id("fit").all_layers(True).zoom(9).padding(20))
        .controls(geomap.ControlsOptions().show_zoom(True).mouse_wheel_zoom(True).show_scale(True))
        .tooltip(geomap.TooltipOptions().mode(TooltipMode.DETAILS))
    )


# Grafana's usual base layer loads tiles from another company's servers: a closed network cannot reach them, and they
# would learn where we look. The borders come with Grafana (public/maps).
def _borders() -> common.MapLayerOptions:
    style: dict[str, object] = {"color": {"fixed": appearance.QUIET}, "opacity": 0.15, "size": {"fixed": 1}}
    config: dict[str, object] = {"src": "public/maps/countries.geojson", "rules": [], "style": style}
    return common.MapLayerOptions().type("geojson").name("Countries").config(config).tooltip(False)


def _drawn(layer: Layer) -> common.MapLayerOptions:
    return _route(layer) if layer.route else _markers(layer)


def _route(layer: Layer) -> common.MapLayerOptions:
    style = {"color": {"fixed": layer.colour}, "opacity": 0.7, "lineWidth": layer.size}
    location = common.FrameGeometrySource().mode(FrameGeometrySourceMode.COORDS)
    return (
        common.MapLayerOptions()
        .type("route")
        .name(layer.name)
        .config({"style": style, "arrow": 0})
        .location(location.latitude("latitude").longitude("longitude"))
        .filter_data({"id": "byRefId", "options": layer.ref_id})
        .tooltip(False)
    )


def _markers(layer: Layer) -> common.MapLayerOptions:
    colour = (
        {"fixed": layer.colour} if layer.colour_field is None else {"field": layer.colour_field, "fixed": layer.colour}
    )
    style = {
        "color": colour,
        "opacity": 0.8,
        "size": {"fixed": layer.size, "min": 2, "max": 15},
        "symbol": {"fixed": "img/icons/marker/circle.svg", "mode": "fixed"},
    }
    location = common.FrameGeometrySource().mode(FrameGeometrySourceMode.COORDS)
    return (
        common.MapLayerOptions()
        .type("markers")
        .name(layer.name)
        .config({"showLegend": layer.colour_field is not None, "style": style})
        .location(location.latitude("latitude").longitude("longitude"))
        .filter_data({"id": "byRefId", "options": layer.ref_id})
        .tooltip(True)
    )
