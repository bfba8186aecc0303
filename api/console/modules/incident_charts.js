// What was measured around an incident: a chart of each series that its alerts are about, with their times shaded.

import { request } from "./api.js";
import { isOpen } from "./alert_row.js";
import { h } from "./dom.js";
import { metricTitle } from "./units.js";
import { windowChart } from "./window_chart.js";

const CHARTS = 4;
const LEAST_ROOM_SECONDS = 1800;
const seconds = (iso) => Date.parse(iso) / 1000;
const iso = (at) => new Date(at * 1000).toISOString();

/**
 * Fill `host` with the charts of the first series that are named; it stays empty where none is.
 * @param {{add: (dispose: () => void) => void}} parts takes what must be destroyed with the view
 */
export async function incidentCharts(host, incident, alerts, parts) {
  const ids = [...new Set(alerts.map((alert) => alert.series_id).filter(Boolean))].slice(0, CHARTS);
  if (ids.length === 0) return;
  const [from, to] = stretch(incident);
  // One bucket of all: names, units and whether there is anything.
  const answer = await request("/v1/readings/window", { query: { series_id: ids.join(","), from: iso(from), to: iso(to), points: 1 } });
  await Promise.all(answer.series.filter((one) => one.at.length > 0).map((one) => {
    const mine = alerts.filter((alert) => alert.series_id === one.series_id);
    const name = metricTitle(one.metric, one.unit);
    const drawing = windowChart({ id: one.series_id, unit: one.unit, kind: one.kind, metric: one.metric }, { title: `${name} of ${one.device_name} around the incident`, height: 150, marks: { bands: mine.map(shaded) } });
    host.append(h("div", { class: "incident-chart" }, h("div", { class: "small" }, h("b", {}, name), " ", h("a", { href: `#/devices/${one.device_id}` }, one.device_name)), drawing.body, drawing.foot));
    parts.add(drawing.dispose);
    return drawing.show(from, to);
  }));
}

/** The incident's time with room before and after: half its length, at least half an hour; not beyond now. */
function stretch(incident, now = Date.now() / 1000) {
  const begin = seconds(incident.opened_at);
  const end = incident.resolved_at === null ? now : seconds(incident.resolved_at);
  const room = Math.max((end - begin) / 2, LEAST_ROOM_SECONDS);
  return [begin - room, Math.min(end + room, now)];
}

const shaded = (alert) => ({ from: seconds(alert.opened_at), to: isOpen(alert) ? Date.now() / 1000 : seconds(alert.resolved_at ?? alert.opened_at), token: `--${alert.severity}` });
