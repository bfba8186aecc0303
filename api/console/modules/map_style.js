// The map's style: Natural Earth under the organisations' own sites, in the page's colours. No tiles, no glyph
// server: without a `glyphs` address MapLibre draws labels with the page's own font.

import { colour } from "./theme.js";

const FONT = ["Inter"];
const empty = { type: "FeatureCollection", features: [] };

const kindIs = (...kinds) => ["match", ["get", "kind"], kinds, true, false];
const isArea = ["match", ["geometry-type"], ["Polygon", "MultiPolygon"], true, false];
const isLine = ["match", ["geometry-type"], ["LineString", "MultiLineString"], true, false];

/** Colours of the map, resolved for WebGL. */
function palette() {
  const names = ["water", "land", "border", "grid", "river", "road", "reserve", "dma", "zone", "fence", "feeder", "label", "halo", "track"];
  return Object.fromEntries(names.map((name) => [name, colour(`--map-${name}`)]));
}

/** The basemap's features: a megabyte, so map.js asks for it after what matters more. */
export const WORLD = new URL("../vendor/basemap/world.json", import.meta.url).href;

/** What lies under the land once the land is there; until then all is land, so that nothing flashes. */
export const seaColour = () => colour("--map-water");

/** A whole style; its sources are filled by map.js. */
export function mapStyle() {
  const c = palette();
  return {
    version: 8,
    sources: {
      world: { type: "geojson", data: empty, maxzoom: 8, tolerance: 0.3 },
      grid: { type: "geojson", data: empty },
      sites: { type: "geojson", data: empty },
      tracks: { type: "geojson", data: empty },
      devices: { type: "geojson", data: empty },
    },
    layers: [...basemap(c), ...sites(c), ...devices(c)],
  };
}

function basemap(c) {
  return [
    { id: "water", type: "background", paint: { "background-color": c.land } },
    { id: "land", type: "fill", source: "world", filter: kindIs("land"), paint: { "fill-color": c.land, "fill-antialias": true } },
    { id: "lakes", type: "fill", source: "world", filter: kindIs("lake"), paint: { "fill-color": c.water } },
    { id: "grid", type: "line", source: "grid", paint: { "line-color": c.grid, "line-width": 0.7 } },
    { id: "rivers", type: "line", source: "world", filter: kindIs("river"), maxzoom: 9, paint: { "line-color": c.river, "line-width": 0.8, "line-opacity": 0.7 } },
    { id: "borders", type: "line", source: "world", filter: kindIs("border"), paint: { "line-color": c.border, "line-width": 1, "line-dasharray": [3, 2] } },
    { id: "grid-labels", type: "symbol", source: "grid", minzoom: 3,
      layout: { "symbol-placement": "line", "symbol-spacing": 600, "text-field": ["get", "name"], "text-font": FONT, "text-size": 10 },
      paint: { "text-color": c.label, "text-opacity": 0.55, "text-halo-color": c.land, "text-halo-width": 1.2 } },
    { id: "countries", type: "symbol", source: "world", filter: kindIs("name"), maxzoom: 7,
      layout: { "text-field": ["get", "name"], "text-font": FONT, "text-size": ["interpolate", ["linear"], ["zoom"], 2, 10, 6, 14], "text-max-width": 8, "text-letter-spacing": 0.05 },
      paint: { "text-color": c.label, "text-halo-color": c.land, "text-halo-width": 1.4, "text-opacity": 0.8 } },
  ];
}

const byKind = (c, other) => ["match", ["get", "kind"], "reserve", c.reserve, "district_metered_area", c.dma, "river", c.river, "reservoir", c.river,
  "dam", c.river, "waterhole", c.river, "road", c.road, "fence", c.fence, "feeder", c.feeder, other];

function sites(c) {
  return [
    { id: "site-fill", type: "fill", source: "sites", filter: isArea, paint: { "fill-color": byKind(c, c.zone), "fill-opacity": ["match", ["get", "kind"], ["reservoir", "dam", "waterhole"], 0.75, "reserve", 0.16, 0.11] } },
    { id: "site-outline", type: "line", source: "sites", filter: ["all", isArea, ["!", kindIs("reservoir", "dam", "waterhole")]],
      paint: { "line-color": byKind(c, c.zone), "line-width": 1.4, "line-opacity": 0.75 } },
    { id: "site-casing", type: "line", source: "sites", filter: ["all", isLine, kindIs("road")], layout: { "line-cap": "round", "line-join": "round" },
      paint: { "line-color": c.border, "line-width": ["interpolate", ["linear"], ["zoom"], 8, 2, 14, 7] } },
    { id: "site-line", type: "line", source: "sites", filter: ["all", isLine, ["!", kindIs("fence")]], layout: { "line-cap": "round", "line-join": "round" },
      paint: { "line-color": byKind(c, c.zone), "line-width": ["interpolate", ["linear"], ["zoom"], 8, ["match", ["get", "kind"], "river", 2, 1.2], 14, ["match", ["get", "kind"], "river", 6, 4.5]] } },
    { id: "site-fence", type: "line", source: "sites", filter: kindIs("fence"), paint: { "line-color": c.fence, "line-width": 2, "line-dasharray": [1, 1.6] } },
    { id: "site-point", type: "circle", source: "sites", filter: ["all", ["==", ["geometry-type"], "Point"], ["!", ["has", "label"]]], minzoom: 9,
      paint: { "circle-radius": 5, "circle-color": byKind(c, c.zone), "circle-stroke-color": c.halo, "circle-stroke-width": 1.5 } },
    { id: "track-casing", type: "line", source: "tracks", layout: { "line-cap": "round", "line-join": "round" }, paint: { "line-color": c.halo, "line-width": 2.8, "line-opacity": 0.7 } },
    { id: "tracks", type: "line", source: "tracks", layout: { "line-cap": "round", "line-join": "round" }, paint: { "line-color": ["coalesce", ["get", "colour"], c.track], "line-width": 1.3, "line-opacity": 0.9 } },
    { id: "site-line-labels", type: "symbol", source: "sites", filter: isLine, minzoom: 8,
      layout: { "symbol-placement": "line", "text-field": ["get", "name"], "text-font": FONT, "text-size": 11, "symbol-spacing": 500 },
      paint: { "text-color": byKind({ ...c, road: c.label, fence: c.label }, c.label), "text-halo-color": c.halo, "text-halo-width": 1.6 } },
    { id: "site-labels", type: "symbol", source: "sites", filter: ["has", "label"], minzoom: 6,
      layout: { "text-field": ["get", "name"], "text-font": FONT, "text-size": 12, "text-letter-spacing": 0.02, "text-max-width": 9 },
      paint: { "text-color": c.label, "text-halo-color": c.halo, "text-halo-width": 1.8 } },
  ];
}

function devices(c) {
  return [
    { id: "device-halo", type: "circle", source: "devices", filter: ["==", ["get", "status"], "alert"],
      paint: { "circle-radius": 15, "circle-color": ["get", "colour"], "circle-opacity": 0.22, "circle-stroke-color": ["get", "colour"], "circle-stroke-width": 1.2, "circle-stroke-opacity": 0.7 } },
    { id: "devices", type: "symbol", source: "devices",
      layout: { "icon-image": ["get", "image"], "icon-allow-overlap": true, "icon-ignore-placement": false, "symbol-sort-key": ["get", "rank"],
        "icon-size": ["interpolate", ["linear"], ["zoom"], 4, 0.5, 9, 0.62, 12, 0.82, 14, 1] } },
    { id: "device-labels", type: "symbol", source: "devices", minzoom: 9, filter: ["any", ["==", ["get", "kind"], "tracker"], ["==", ["get", "status"], "alert"], [">=", ["zoom"], 13]],
      layout: { "text-field": ["get", "label"], "text-font": FONT, "text-size": 11, "text-offset": [0, 1.5], "text-anchor": "top", "text-optional": true, "symbol-sort-key": ["-", 0, ["get", "rank"]] },
      paint: { "text-color": c.label, "text-halo-color": c.halo, "text-halo-width": 1.8 } },
  ];
}
