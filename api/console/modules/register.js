// The register as all views need it: organisations, sites and devices, loaded once, kept fresh by the stream.

import { collect } from "./api.js";
import { subscribe } from "./live.js";

/** Beyond this many devices the list is searched on the server and the map shows the first ones. */
export const DEVICES_KEPT = 10_000;
const FRESH_MILLISECONDS = 30_000;

let loading = null;
let loadedAt = 0;

/** Devices by numeric id; `last_contact_at`, `online` and `last_position` follow the stream. */
export const devices = new Map();
export let sites = [];
export let organisations = [];
export let more = false;

subscribe(({ contacts, positions }) => {
  for (const [id, { received_at, online }] of contacts) {
    const device = devices.get(id);
    if (device) Object.assign(device, { last_contact_at: received_at, online: online ?? true });
  }
  for (const [id, { longitude, latitude, observed_at }] of positions) {
    const device = devices.get(id);
    if (device) device.last_position = { longitude, latitude, observed_at };
  }
});

/** Load the register, unless that was done in the last half minute. */
export function loadRegister({ again = false } = {}) {
  if (!again && loading !== null && Date.now() - loadedAt < FRESH_MILLISECONDS) return loading;
  loadedAt = Date.now();
  loading = load().catch((error) => { loading = null; throw error; });
  return loading;
}

async function load() {
  const [found, places, owners] = await Promise.all([
    collect("/v1/devices", { query: { limit: 1000 }, limit: DEVICES_KEPT }), collect("/v1/sites", { query: { limit: 1000 }, limit: Infinity }),
    collect("/v1/organisations", { query: { limit: 1000 }, limit: Infinity }),
  ]);
  devices.clear(); // a device that was removed must not stay
  for (const device of found.items) devices.set(device.id, device);
  sites = places.items;
  organisations = owners.items;
  more = found.more;
}

/** Sites with a geometry as GeoJSON features. */
export const siteFeatures = () => sites.filter((site) => site.geometry)
  .map((site) => ({ type: "Feature", properties: { name: site.name, kind: site.kind }, geometry: site.geometry }));

const RINGS = { Polygon: ([ring]) => ring, MultiPolygon: ([[ring]]) => ring, Point: (point) => [point] };

/** One point per area or point, for its name: the middle of its outline. */
export const siteLabels = () => sites.filter((site) => site.geometry?.type in RINGS).map((site) => {
  const ring = RINGS[site.geometry.type](site.geometry.coordinates);
  const middle = (axis) => (Math.min(...ring.map((p) => p[axis])) + Math.max(...ring.map((p) => p[axis]))) / 2;
  return { type: "Feature", properties: { name: site.name, kind: site.kind, label: true, small: ring.length === 1 }, geometry: { type: "Point", coordinates: [middle(0), middle(1)] } };
});

/** Where a device is: its last fix, else where it is installed, else null. */
export function place(device) {
  if (device.last_position) return [device.last_position.longitude, device.last_position.latitude];
  return device.longitude === null || device.longitude === undefined ? null : [device.longitude, device.latitude];
}
