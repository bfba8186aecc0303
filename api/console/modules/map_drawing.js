// A map as MapLibre draws it: own basemap, the sites, devices and their tracks. map.js fetches this for the first map.

import * as maplibre from "../vendor/maplibre-gl/maplibre-gl.mjs";
import { graticule } from "./graticule.js";
import { addImages, addMissingImage } from "./map_images.js";
import { mapStyle, seaColour, WORLD } from "./map_style.js";

maplibre.setWorkerUrl(new URL("../vendor/maplibre-gl/maplibre-gl-worker.mjs", import.meta.url).href);

/** Changed devices are handed to WebGL at most this often. */
const REDRAW_MILLISECONDS = 500;

const collection = (features) => ({ type: "FeatureCollection", features });

/**
 * Draw a map in `host`; the same options and the same methods as `createMap` in map.js.
 * @throws {Error} where the browser has no WebGL.
 */
export function drawMap(host, { label, onDevice }) {
  const shown = { grid: [], sites: [], tracks: [], devices: [] };
  const map = new maplibre.Map({
    container: host, style: mapStyle(), center: [25, 0], zoom: 2.5, attributionControl: { compact: true, customAttribution: "Natural Earth" }, dragRotate: false, pitchWithRotate: false,
    touchPitch: false, maxZoom: 17, fadeDuration: 0, refreshExpiredTiles: false, validateStyle: false, locale: { "Map.Title": label },
  });
  map.touchZoomRotate.disableRotation();
  map.addControl(new maplibre.NavigationControl({ showCompass: false }), "top-right");
  map.addControl(new maplibre.ScaleControl({ maxWidth: 110 }), "bottom-left");

  let ready = false;
  const push = (name) => { if (ready) map.getSource(name)?.setData(collection(shown[name])); };
  const drawGrid = () => { shown.grid = graticule(map.getBounds(), map.getZoom()); push("grid"); };
  const restyle = () => { ready = false; delete host.dataset.drawn; map.setStyle(mapStyle(), { diff: false }); };
  map.setMissingStyleImageResolver((name) => addMissingImage(map, name));
  map.on("style.load", () => {
    addImages(map);
    ready = true;
    for (const name of Object.keys(shown)) push(name);
    map.getSource("world").setData(WORLD);
    map.once("idle", () => {
      map.setPaintProperty("water", "background-color", seaColour());
      host.dataset.drawn = "true";
    });
  });
  map.on("load", drawGrid);
  map.on("moveend", drawGrid);
  if (onDevice) popups(map, onDevice);

  let timer = null;
  const later = () => {
    timer ??= setTimeout(() => { timer = null; push("devices"); push("tracks"); }, REDRAW_MILLISECONDS);
  };
  addEventListener("themechange", restyle);
  return {
    setSites: (features) => { shown.sites = features; push("sites"); },
    setDevices: (features) => { shown.devices = features; later(); },
    setTracks: (features) => { shown.tracks = features; later(); },
    fit: (features, options = {}) => fit(map, features, options),
    destroy: () => { clearTimeout(timer); removeEventListener("themechange", restyle); map.remove(); },
  };
}

function popups(map, content) {
  const popup = new maplibre.Popup({ closeButton: false, closeOnClick: false, maxWidth: "280px", offset: 16 });
  const show = (feature) => popup.setLngLat(feature.geometry.coordinates).setDOMContent(content(feature.properties)).addTo(map);
  map.on("mouseenter", "devices", (event) => { map.getCanvas().style.cursor = "pointer"; show(event.features[0]); });
  map.on("mouseleave", "devices", () => { map.getCanvas().style.cursor = ""; });
  map.on("click", ({ point }) => {
    const [feature] = map.queryRenderedFeatures(point, { layers: ["devices"] });
    if (feature) show(feature);
    else popup.remove();
  });
}

/** Bring all coordinates of the features into view; nothing when there are none. */
function fit(map, features, { maxZoom = 13, animate = false, padding = 48 } = {}) {
  const bounds = new maplibre.LngLatBounds();
  for (const feature of features) for (const point of points(feature.geometry?.coordinates ?? [])) bounds.extend(point);
  if (!bounds.isEmpty()) map.fitBounds(bounds, { padding, maxZoom, animate });
}

function points(coordinates) {
  if (typeof coordinates[0] === "number") return [[coordinates[0], coordinates[1]]];
  return coordinates.flatMap(points);
}
