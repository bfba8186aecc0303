// Devices and tracks as map features, with the state that the marks show.

import { freshness, freshnessBadge, markOf, severityBadge, severityRank } from "./badges.js";
import { h } from "./dom.js";
import { imageName } from "./map_images.js";
import { devices, place } from "./register.js";
import { colour } from "./theme.js";
import { ageElement } from "./time.js";

const TRACK_POINTS = 2_000;

/** Worst firing alert per device id. */
export function worstAlerts(alerts) {
  const worst = new Map();
  for (const alert of alerts) {
    if (alert.state !== "firing" || !alert.device_id) continue;
    const known = worst.get(alert.device_id);
    if (!known || severityRank(alert.severity) > severityRank(known.severity)) worst.set(alert.device_id, alert);
  }
  return worst;
}

/** Name of a device's state, as map_images.js draws it. */
function state(device, alert) {
  if (alert) return alert.severity;
  return freshness(device) === "fresh" ? "ok" : "silent";
}

/** One point per device that has a place. */
export function deviceFeatures(worst, colours = severityColours()) {
  const features = [];
  for (const device of devices.values()) {
    const coordinates = place(device);
    if (!coordinates) continue;
    const alert = worst.get(device.id);
    const shown = state(device, alert);
    features.push({ type: "Feature", geometry: { type: "Point", coordinates }, properties: {
      id: device.id, kind: device.kind ?? "sensor", label: device.name, status: alert ? "alert" : shown, image: imageName(markOf(device), shown),
      colour: alert ? colours[alert.severity] : "", rank: alert ? 10 + severityRank(alert.severity) : shown === "ok" ? 2 : 1,
    } });
  }
  return features;
}

export const severityColours = () => Object.fromEntries(["critical", "major", "minor", "info"].map((s) => [s, colour(`--${s}`)]));

/** Content of a map popup, made of text nodes only. */
export function popupContent(worst) {
  return ({ id }) => {
    const device = devices.get(id);
    if (!device) return h("span", {}, "This device is gone.");
    const alert = worst().get(id);
    return h("div", { class: "popup" },
      h("div", { class: "popup-name" }, device.name),
      h("div", { class: "row row-wrap" }, freshnessBadge(device), alert ? severityBadge(alert.severity) : null),
      alert ? h("div", {}, alert.summary) : null,
      h("div", { class: "muted" }, "Last contact ", ageElement(device.last_contact_at)),
      h("div", { class: "row" }, h("a", { href: `#/devices/${id}` }, "Open device"), alert ? h("a", { href: `#/alerts/${alert.id}` }, "Open alert") : null));
  };
}

/** Tracks by device id, extended by the stream, at most TRACK_POINTS points each. */
export class Tracks {
  #lines = new Map();

  constructor(features) {
    for (const { properties, geometry } of features) if (geometry?.coordinates?.length > 1) this.#lines.set(properties.device_id, geometry.coordinates.slice(-TRACK_POINTS));
  }

  /** Take new fixes; true when a line grew. */
  extend(positions) {
    let grown = false;
    for (const [id, { longitude, latitude }] of positions) {
      const line = this.#lines.get(id) ?? (devices.get(id)?.kind === "tracker" ? [] : null);
      if (line === null) continue;
      line.push([longitude, latitude]);
      if (line.length > TRACK_POINTS) line.splice(0, line.length - TRACK_POINTS);
      this.#lines.set(id, line);
      grown = true;
    }
    return grown;
  }

  features() {
    return [...this.#lines].filter(([, line]) => line.length > 1)
      .map(([id, coordinates]) => ({ type: "Feature", properties: { device_id: id }, geometry: { type: "LineString", coordinates } }));
  }
}
