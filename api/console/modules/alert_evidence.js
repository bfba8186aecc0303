// What an alert rests on: the readings around its time as a chart, the way of an animal as a map, the contacts
// of a silent device as a list.

import { request } from "./api.js";
import { fill, h } from "./dom.js";
import { isOpen } from "./alert_row.js";
import { createMap } from "./map.js";
import { imageName } from "./map_images.js";
import { loadRegister, siteFeatures, siteLabels } from "./register.js";
import { empty, failure, skeleton } from "./states.js";
import { colour } from "./theme.js";
import { timeElement } from "./time.js";
import { metricTitle } from "./units.js";
import { windowChart } from "./window_chart.js";

const POINTS = 5_000;
const seconds = (iso) => Date.parse(iso) / 1000;

/** The alert's time with room before and after: half its length, at least half an hour. */
export function windowAround(alert, now = Date.now()) {
  const begin = Date.parse(alert.opened_at);
  const end = isOpen(alert) ? now : Date.parse(alert.resolved_at ?? alert.fired_at ?? alert.opened_at);
  const room = Math.max((end - begin) / 2, 1800_000);
  return { from: new Date(begin - room).toISOString(), to: new Date(Math.min(end + room, now + 60_000)).toISOString() };
}

/** Limits of the rule as it was then, in the colour of the severity that they stand for. */
const levels = (limits = []) => limits.filter((limit) => limit.drawn).map(({ value, severity }) => ({ value, token: `--${severity}` }));

/** Why: in words, the rule's reason and source, and its text as it was then. */
function reasons(why) {
  const { definition, version, slug, active } = why.rule;
  const limits = why.limits.map(({ side, value, severity }) => `${side} ${value}: ${severity}`).join(" · ");
  return h("div", { class: "stack", id: "why" }, h("p", { class: "small" }, why.explained),
    definition.reason ? h("p", { class: "small" }, h("b", {}, "Why it matters: "), definition.reason) : null,
    definition.source ? h("p", { class: "small muted" }, h("b", {}, "Source: "), definition.source) : null,
    limits ? h("p", { class: "small muted" }, `Limits: ${limits}`) : null,
    h("details", {}, h("summary", { class: "small" }, `Rule ${slug}, version ${version}${active ? "" : ", which is not the present one"}`), h("pre", { class: "small" }, JSON.stringify(definition, null, 2))));
}

/** What alerts about many devices rest on: stretches of time, with what was made of them. */
const buckets = (observations) => h("table", { class: "table" }, h("thead", {}, h("tr", {}, h("th", {}, "Until"), h("th", { class: "right" }, "Made of it"))),
  h("tbody", {}, observations.buckets.map((b) => h("tr", {}, h("td", {}, timeElement(b.until)), h("td", { class: "right number" }, JSON.stringify(b.values))))));

const said = (attributes) => Object.entries(attributes ?? {}).map(([name, value]) => `${name} ${typeof value === "object" ? JSON.stringify(value) : value}`).join(", ");

/** What else than readings a combined condition looks at. */
const besides = (why) => [why.events?.length ? events(why) : null, why.contacts?.length ? heard(why.contacts) : null].filter(Boolean);

/** What a device told around the alert, newest first; those that the alert rests on stand out. */
function events(why) {
  const told = why.observations.events ?? [];
  const rests = new Set(told.map((e) => `${Date.parse(e.observed_at)} ${e.kind}`));
  const missing = told.filter((e) => !why.events.some((one) => Date.parse(one.observed_at) === Date.parse(e.observed_at) && one.kind === e.kind));
  const shown = [...why.events, ...missing].sort((a, b) => Date.parse(b.observed_at) - Date.parse(a.observed_at)).slice(0, 50);
  return h("table", { class: "table", id: "evidence-events" }, h("thead", {}, h("tr", {}, h("th", {}, "When"), h("th", {}, "What it told"))),
    h("tbody", {}, shown.map((e) => {
      const words = [e.kind, said(e.attributes)].filter(Boolean).join(": ");
      return h("tr", {}, h("td", {}, timeElement(e.observed_at)), h("td", {}, rests.has(`${Date.parse(e.observed_at)} ${e.kind}`) ? h("b", {}, words) : words));
    })));
}

/** Fill `host`; `parts` takes what must be destroyed with the view. */
export async function showEvidence(host, alert, rule, parts) {
  fill(host, skeleton(3));
  try {
    const why = await request(`/v1/alerts/${alert.id}/evidence`);
    const shown = h("div", {});
    fill(host, reasons(why), shown);
    host = shown;
    if (alert.series_id) await readings(shown, alert, alert.series_id, why.limits, parts);
    else if (alert.evidence?.series_ids?.some(Boolean)) {
      await samples(shown, alert, parts);
      shown.append(...besides(why));
    } else if (why.observations.others) fill(shown, ...besides(why));
    else if (why.observations.buckets) fill(shown, buckets(why.observations));
    else if (why.observations.events) fill(shown, events(why));
    else if (alert.device_id && (why.observations.fixes || ["geofence", "immobility", "near", "speed"].includes(rule?.definition?.condition?.kind))) await track(host, alert, parts);
    else if (alert.device_id) await contacts(host, alert);
    else fill(host, empty("info", "No readings", "This alert is not about one device."));
  } catch (error) {
    if (error.name !== "AbortError") fill(host, failure(error, () => showEvidence(host, alert, rule, parts)));
  }
}

/** Several series of a device that were looked at together: a chart of each. */
async function samples(host, alert, parts) {
  const series = alert.evidence.series_ids.map((id, slot) => ({ id, slot })).filter(({ id }) => id);
  const hosts = series.map(() => h("div", {}));
  fill(host, hosts);
  await Promise.all(series.map(({ id, slot }, number) => {
    const shown = (alert.evidence.samples ?? []).map((sample) => ({ observed_at: sample.observed_at, value: sample.values?.[slot] }));
    return readings(hosts[number], { ...alert, metric: null, evidence: { readings: shown } }, id, [], parts);
  }));
}

const stretch = (alert) => ({ from: seconds(alert.opened_at), to: isOpen(alert) ? Date.now() / 1000 : seconds(alert.resolved_at ?? alert.opened_at), token: `--${alert.severity}` });

async function readings(host, alert, seriesId, limits, parts) {
  const span = windowAround(alert);
  const series = (await request("/v1/readings/window", { query: { series_id: seriesId, ...span, points: 1 } })).series[0];
  if (series.at.length === 0) return fill(host, empty("clock", "No readings kept", "The readings of that time are no longer stored."));
  const marks = {
    bands: [stretch(alert)],
    lines: alert.fired_at ? [{ at: seconds(alert.fired_at), token: `--${alert.severity}` }] : [], levels: levels(limits),
    points: (alert.evidence?.readings ?? []).filter((r) => typeof r?.value === "number").map((r) => ({ at: seconds(r.observed_at), value: r.value, token: `--${alert.severity}` })),
  };
  const title = metricTitle(alert.metric ?? series.metric, series.unit);
  const drawing = windowChart({ id: seriesId, unit: series.unit, kind: series.kind, metric: series.metric }, {
    title: `${title} of ${alert.device_name} around the alert`, height: 210, marks, note: "shaded upright: while the condition held; dashed: when it fired; rings: the readings it rests on",
  });
  fill(host, drawing.body, drawing.foot);
  parts.add(drawing.dispose);
  return drawing.show(seconds(span.from), seconds(span.to));
}

async function track(host, alert, parts) {
  const span = windowAround(alert);
  const [lines, fixes] = await Promise.all([
    request("/v1/positions", { query: { device_id: alert.device_id, track: true, ...span, limit: POINTS } }),
    request("/v1/positions", { query: { device_id: alert.device_id, from: alert.opened_at, to: span.to, limit: POINTS } }), loadRegister()]);
  const way = lines.features.filter((f) => f.geometry?.coordinates?.length > 1);
  const at = alert.longitude === null || alert.longitude === undefined ? fixes.features[0]?.geometry?.coordinates : [alert.longitude, alert.latitude];
  const mapHost = h("div", { class: "map" });
  fill(host, h("div", { class: "mini-map" }, mapHost), h("p", { class: "small muted" }, `Its way from before until after the alert, ${way[0]?.geometry.coordinates.length ?? 0} fixes; the mark is where it happened.`));
  const map = createMap(mapHost, { label: `Way of ${alert.device_name}` });
  const here = at ? [{ type: "Feature", geometry: { type: "Point", coordinates: at }, properties: { kind: "tracker", status: "alert", label: alert.device_name ?? "", image: imageName("tracker", alert.severity), rank: 9, colour: colour(`--${alert.severity}`) } }] : [];
  map.setSites([...siteFeatures(), ...siteLabels()]);
  map.setTracks(way);
  map.setDevices(here);
  map.fit([...way, ...here], { maxZoom: 14, padding: 40 });
  parts.add(map.destroy);
}

async function contacts(host, alert) {
  const page = await request("/v1/contacts", { query: { device_id: alert.device_id, ...windowAround(alert), limit: 500 } });
  if (page.items.length === 0) return fill(host, empty("silent", "Not heard", "Nothing was received from this device around the time of the alert."));
  return fill(host, heard(page.items));
}

/** When a device was heard, newest first. */
function heard(items) {
  const shown = [...items].sort((a, b) => Date.parse(b.received_at) - Date.parse(a.received_at)).slice(0, 12);
  return h("table", { class: "table" }, h("thead", {}, h("tr", {}, h("th", {}, "Heard at"), h("th", { class: "right" }, "Messages"))),
    h("tbody", {}, shown.map((c) => h("tr", {}, h("td", {}, timeElement(c.received_at)), h("td", { class: "right number" }, c.messages)))));
}

