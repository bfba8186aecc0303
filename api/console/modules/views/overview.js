// Overview: where everything is, what is wrong, and that data is coming in.

import { collect, request } from "../api.js";
import { alertRow, isOpen, alertTime } from "../alert_row.js";
import { freshness, SEVERITIES, severityBadge } from "../badges.js";
import { sparkline } from "../charts.js";
import { disposables, fill, h, setText } from "../dom.js";
import { deviceFeatures, popupContent, Tracks, worstAlerts } from "../fleet.js";
import { createMap, fetchDrawing } from "../map.js";
import { latest, perSecond, rate, subscribe } from "../live.js";
import { devices, loadRegister, siteFeatures, siteLabels } from "../register.js";
import { mayOperate } from "../session.js";
import { empty } from "../states.js";
import { ageElement, setAge } from "../time.js";
import { count, metricTitle, number, quantity, sentence } from "../units.js";

const TRACK_HOURS = 24;
const TRACK_FIXES = 10_000;
const FEED_ROWS = 12;
const ALERTS_SHOWN = 40;

export async function show(view) {
  fetchDrawing().catch(() => null);  // where it could not be fetched, the map says so
  const [, alerts, tracks] = await Promise.all([
    loadRegister(), recentAlerts(),
    request("/v1/positions", { query: { track: true, order: "desc", limit: TRACK_FIXES, from: new Date(Date.now() - TRACK_HOURS * 3600_000).toISOString() } }).catch(() => ({ features: [] })),
  ]);
  const parts = disposables();
  const shown = { alerts: new Map(alerts.map((a) => [a.id, a])), tracks: new Tracks(tracks.features), worst: worstAlerts(alerts) };
  const figures = keyFigures();
  const list = h("div", { class: "scroll" });
  const feed = h("div", { class: "scroll" });
  const mapHost = h("div", { class: "map" });
  view.className = "view overview";
  fill(view, figures.element,
    h("section", { class: "card map-card", "aria-label": "Map" }, mapHost, legend()),
    h("div", { class: "side" }, panel("Alerts", h("a", { class: "small", href: "#/alerts" }, "All alerts"), list), panel("Latest readings", h("span", { class: "small muted" }, "as they arrive"), feed)));
  const map = showMap(mapHost, shown, parts);
  const redraw = { alerts: () => drawAlerts(list, shown), figures: () => figures.update(shown) };
  redraw.alerts();
  redraw.figures();
  const drawFeed = feedDrawer(feed);
  parts.add(subscribe((changes) => {
    if (changes.positions.size > 0 && shown.tracks.extend(changes.positions)) map.setTracks(shown.tracks.features());
    if (changes.alerts.size > 0) takeAlerts(shown, changes.alerts, redraw);
    if (changes.positions.size > 0 || changes.contacts.size > 0 || changes.alerts.size > 0) map.setDevices(deviceFeatures(shown.worst));
  }));
  const seconds = setInterval(() => { redraw.figures(); drawFeed(); }, 1000);
  parts.add(() => clearInterval(seconds));
  const refresh = () => loadRegister({ again: true }).then(() => map.setDevices(deviceFeatures(shown.worst))).catch(() => null);
  const minutes = setInterval(() => { refresh(); figures.loadQuarantine(); }, 30_000);
  parts.add(() => clearInterval(minutes));
  figures.loadQuarantine();
  drawFeed();
  return parts.dispose;
}

async function recentAlerts() {
  const [firing, latestOnes] = await Promise.all([collect("/v1/alerts", { query: { state: "firing", handled: false, limit: 500 }, limit: 1000 }), request("/v1/alerts", { query: { limit: ALERTS_SHOWN } })]);
  return [...new Map([...firing.items, ...latestOnes.items].map((a) => [a.id, a])).values()];
}

const panel = (title, side, body) => h("section", { class: "card", "aria-label": title }, h("div", { class: "card-head" }, h("h2", { class: "grow" }, title), side), body);

function legend() {
  const line = (kind, text) => h("div", {}, h("i", { class: kind }), text);
  return h("div", { class: "legend wide-only", "aria-hidden": "true" }, line("", "Heard"), line("silent", "Silent"), line("alerting", "Alert, by severity"));
}

function showMap(host, shown, parts) {
  const map = createMap(host, { label: "Devices and tracks", onDevice: popupContent(() => shown.worst) });
  const features = deviceFeatures(shown.worst);
  map.setSites([...siteFeatures(), ...siteLabels()]);
  map.setDevices(features);
  map.setTracks(shown.tracks.features());
  const areas = siteFeatures().filter(({ geometry }) => geometry.type.endsWith("Polygon"));
  map.fit(areas.length > 0 ? areas : features);
  const recolour = () => map.setDevices(deviceFeatures(shown.worst));
  addEventListener("themechange", recolour);
  parts.add(() => { removeEventListener("themechange", recolour); map.destroy(); });
  return map;
}

function takeAlerts(shown, changed, redraw) {
  for (const [id, alert] of changed) shown.alerts.set(id, alert);
  if (shown.alerts.size > 2000) for (const [id, alert] of shown.alerts) if (!isOpen(alert)) shown.alerts.delete(id);
  shown.worst = worstAlerts(shown.alerts.values());
  redraw.alerts();
}

function drawAlerts(list, shown) {
  const ordered = [...shown.alerts.values()].filter((a) => a.state !== "pending")
    .sort((a, b) => Number(isOpen(b)) - Number(isOpen(a)) || Date.parse(alertTime(b)) - Date.parse(alertTime(a))).slice(0, ALERTS_SHOWN);
  fill(list, ordered.length > 0 ? ordered.map((a) => alertRow(a)) : empty("ok", "All quiet", "No alert so far. New ones appear here by themselves."));
}

/** The four key figures; `update` costs no layout when nothing changed. */
function keyFigures() {
  const heard = figure("Devices heard", "#/devices");
  const perSec = figure("Readings per second", null);
  const open = figure("Open alerts", "#/alerts?state=firing");
  const quarantine = figure("In quarantine", "#/quarantine");
  const line = sparkline(132, 34);
  fill(perSec.side, line.canvas);
  let severities = "";
  return {
    element: h("div", { class: "figures" }, heard.element, perSec.element, open.element, quarantine.element),
    update: ({ alerts }) => {
      const tally = heardTally();
      heard.set(count(tally.fresh), ` / ${count(tally.total)}`);
      setText(heard.side, tally.silent > 0 ? `${count(tally.silent)} silent` : "none silent");
      perSec.set(number(Math.round(rate() * 10) / 10));
      line.draw(perSecond.slice(0, -1));
      const firing = [...alerts.values()].filter((a) => a.state === "firing" && !a.resolution);
      open.set(count(firing.length), firing.length > 0 ? ` ${count(firing.filter((a) => !a.acknowledged_at).length)} new` : "");
      const counts = SEVERITIES.map((s) => [s, firing.filter((a) => a.severity === s).length]).filter(([, n]) => n > 0);
      if (counts.join() !== severities) fill(open.side, counts.slice(0, 3).map(([s, n]) => withCount(severityBadge(s), s, n)));
      severities = counts.join();
    },
    loadQuarantine: async () => {
      if (!mayOperate()) return void setText(quarantine.side, "for operators");
      const summary = await request("/v1/quarantine/summary").catch(() => null);
      if (summary === null) return undefined;
      quarantine.set(count(summary.items.reduce((sum, item) => sum + item.count, 0)));
      const worst = [...summary.items].sort((a, b) => b.count - a.count)[0];
      return void setText(quarantine.side, worst ? `mostly ${sentence(worst.reason).toLowerCase()}` : "nothing refused");
    },
  };
}

function withCount(badge, severity, n) {
  badge.title = `${n} ${severity}`;
  badge.lastChild.textContent = `${n} ${severity}`;
  return badge;
}

function figure(title, href) {
  const value = h("span", {}, "–");
  const aside = h("small", {});
  const side = h("span", { class: "figure-side" });
  const element = h(href ? "a" : "div", { class: "card figure", href }, h("span", { class: "figure-title" }, title), h("span", { class: "figure-value" }, value, aside), side);
  return { element, side, set: (text, small = "") => { setText(value, text); setText(aside, small); } };
}

function heardTally() {
  const tally = { fresh: 0, silent: 0, total: devices.size };
  for (const device of devices.values()) {
    const state = freshness(device);
    if (state === "fresh") tally.fresh += 1;
    else if (state === "silent") tally.silent += 1;
  }
  return tally;
}

/** Rows are made once and change their text: nothing moves while readings come in. */
function feedDrawer(feed) {
  const rows = [];
  return () => {
    const newest = [...latest.values()].sort((a, b) => Date.parse(b.observed_at) - Date.parse(a.observed_at)).slice(0, FEED_ROWS);
    if (newest.length === 0) {
      if (feed.childElementCount === 0) fill(feed, empty("clock", "Waiting for readings", "They appear here as soon as a device publishes."));
      return;
    }
    if (rows.length === 0) fill(feed);
    while (rows.length < newest.length) { rows.push(feedRow()); feed.append(rows.at(-1).element); }
    newest.forEach((reading, i) => rows[i].set(reading));
  };
}

function feedRow() {
  const name = h("span", { class: "clip" });
  const metric = h("span", { class: "muted clip" });
  const value = h("span", { class: "value" });
  const age = ageElement(new Date().toISOString());
  const element = h("a", { class: "feed-row" }, name, metric, value, age);
  return { element, set: (reading) => {
    const device = devices.get(reading.device_id);
    element.href = `#/devices/${reading.device_id}`;
    setText(name, device?.name ?? reading.device);
    setText(metric, metricTitle(reading.metric, reading.unit).toLowerCase());
    setText(value, quantity(reading.value, reading.unit));
    setAge(age, reading.observed_at);
  } };
}
