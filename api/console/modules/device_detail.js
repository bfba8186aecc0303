// One device: what it measures, where it is, when it was heard, what was raised about it.

import { collect, request } from "./api.js";
import { alertRow } from "./alert_row.js";
import { freshnessBadge, kindIcon } from "./badges.js";
import { credentialsCard } from "./credentials_card.js";
import { disposables, fill, h } from "./dom.js";
import { deployments, statusButtons } from "./device_changes.js";
import { deviceFeatures, Tracks, worstAlerts } from "./fleet.js";
import { icon } from "./icons.js";
import { createMap } from "./map.js";
import { subscribe } from "./live.js";
import { mayOperate } from "./session.js";
import { place, siteFeatures, siteLabels, sites, devices as register } from "./register.js";
import { during, empty } from "./states.js";
import { ageElement, local, setAge, timeElement } from "./time.js";
import { RANGES, seriesCard } from "./series_card.js";
import { count, sentence } from "./units.js";

const TRACK_DAYS = 7;

export async function showDevice(view, id) {
  const [device, series] = await Promise.all([request(`/v1/devices/${id}`), collect("/v1/series", { query: { device_id: id, limit: 1000 }, limit: 200 })]);
  const parts = disposables();
  const shown = { hours: 24 };
  const cards = new Map(series.items.map((s) => [s.id, seriesCard(s)]));
  const contact = ageElement(device.last_contact_at);
  const charts = h("div", { class: "charts" }, [...cards.values()].map((c) => c.element));
  const aside = { deployments: h("div", {}), alerts: h("div", {}), contacts: h("div", {}), events: h("div", {}), map: h("div", { class: "map" }) };
  const changed = async () => {
    const now = await request(`/v1/devices/${id}`);
    if (register.has(id)) Object.assign(register.get(id), now);
    view.querySelector("#device-head")?.replaceWith(head(now, contact, changed));
  };
  fill(view, head(device, contact, changed),
    h("div", { class: "device-grid" },
      h("div", { class: "stack" }, series.items.length > 0 ? ranges(shown, cards) : null, series.items.length > 0 ? charts : h("div", { class: "card" }, noSeries(device))),
      h("div", { class: "stack" },
        h("section", { class: "card", "aria-label": "Place" }, h("div", { class: "card-head" }, h("h2", {}, device.kind === "tracker" ? "Track of 7 days" : "Place")), h("div", { class: "mini-map" }, aside.map)),
        titled("Deployments", aside.deployments), titled("Alerts", aside.alerts), titled("Contacts", aside.contacts), titled("Events", aside.events), mayOperate() ? credentialsCard(device) : null)));
  for (const card of cards.values()) card.show(shown.hours);
  parts.add(() => cards.forEach((card) => card.dispose()));
  showPlace(aside.map, device, parts);
  during(aside.deployments, () => deployments(device), 2);
  during(aside.alerts, () => alerts(id), 2);
  during(aside.contacts, () => contacts(id), 3);
  during(aside.events, () => events(id), 2);
  parts.add(subscribe(({ readings, contacts: heard }) => {
    const mine = Map.groupBy(readings.filter((r) => cards.has(r.series_id)), (r) => r.series_id);
    for (const [seriesId, ones] of mine) cards.get(seriesId).take(ones);
    if (heard.has(id) && contact.tagName === "TIME") setAge(contact, heard.get(id).received_at);
  }));
  return parts.dispose;
}

const titled = (title, body) => h("section", { class: "card", "aria-label": title }, h("div", { class: "card-head" }, h("h2", {}, title)), body);

function noSeries(device) {
  return device.kind === "tracker" ? empty("tracker", "Positions only", "This tracker sends no readings; its way is on the map.") : empty("clock", "No readings yet", "A chart appears here with the first reading.");
}

function head(device, contact, changed) {
  const site = sites.find((s) => s.slug === device.site);
  return h("div", { class: "card", id: "device-head" }, h("div", { class: "detail-head" },
    h("div", { class: "row row-wrap" }, h("a", { class: "button button-small", href: "#/devices" }, icon("back", 15), "Devices"), freshnessBadge(device), h("span", { class: "chip" }, sentence(device.status)), h("span", { class: "grow" }), statusButtons(device, changed)),
    h("div", { class: "row" }, kindIcon(device, 24), h("h2", { class: "detail-title" }, device.name)),
    h("dl", { class: "facts" },
      fact("Last contact", contact), fact("Identifier", h("span", { class: "mono" }, device.external_id)), fact("Organisation", device.organisation), fact("Site", site?.name ?? device.site ?? "–"),
      fact("Profile", device.profile ?? "–"), fact("Source", device.source), device.gateway ? fact("Heard through", h("span", { class: "mono" }, device.gateway)) : null, device.tags.length > 0 ? fact("Tags", h("span", { class: "row row-wrap" }, device.tags.map((t) => h("span", { class: "chip" }, t)))) : null)));
}

const fact = (name, value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));

/** Choose a range; the resolution follows it. */
function ranges(shown, cards) {
  const mark = () => { for (const button of group.children) button.setAttribute("aria-pressed", String(Number(button.dataset.value) === shown.hours)); };
  const choose = (hours) => {
    shown.hours = hours;
    mark();
    for (const card of cards.values()) card.show(hours);
  };
  const group = h("div", { class: "segments", role: "group", "aria-label": "Range" },
    RANGES.map(([text, hours]) => h("button", { type: "button", "data-value": hours, on: { click: () => choose(hours) } }, text)));
  mark();
  return h("div", { class: "row row-wrap" }, group);
}

async function showPlace(host, device, parts) {
  const from = new Date(Date.now() - TRACK_DAYS * 86400_000).toISOString();
  const lines = device.kind === "tracker" ? await request("/v1/positions", { query: { device_id: device.id, track: true, order: "desc", from, limit: 5000 } }).catch(() => ({ features: [] })) : { features: [] };
  if (!place(device) && lines.features.length === 0) return fill(host, empty("overview", "Place unknown", "It has sent no position, and none was registered."));
  if (!host.isConnected) return undefined;
  if (!register.has(device.id)) register.set(device.id, device);
  const tracks = new Tracks(lines.features);
  const map = createMap(host, { label: `Place of ${device.name}` });
  const here = () => deviceFeatures(worstAlerts([])).filter((f) => f.properties.id === device.id);
  map.setSites([...siteFeatures(), ...siteLabels()]);
  map.setDevices(here());
  map.setTracks(tracks.features());
  map.fit([...tracks.features(), ...here()], { maxZoom: 14, padding: 36 });
  parts.add(subscribe(({ positions }) => {
    if (!positions.has(device.id)) return;
    tracks.extend(new Map([[device.id, positions.get(device.id)]]));
    map.setTracks(tracks.features());
    map.setDevices(here());
  }));
  parts.add(map.destroy);
  return undefined;
}

async function alerts(id) {
  const page = await request("/v1/alerts", { query: { device_id: id, limit: 6 } });
  return page.items.length === 0 ? quiet("None was raised about this device.") : page.items.map((a) => alertRow(a));
}

async function contacts(id) {
  const page = await request("/v1/contacts", { query: { device_id: id, limit: 8 } });
  if (page.items.length === 0) return quiet("Never heard.");
  return h("table", { class: "table" }, h("thead", {}, h("tr", {}, h("th", {}, "Heard"), h("th", { class: "right" }, "Messages"), h("th", { class: "right" }, "Delay"))),
    h("tbody", {}, page.items.map((c) => h("tr", {}, h("td", {}, timeElement(c.received_at)), h("td", { class: "right number" }, count(c.messages)), h("td", { class: "right number muted" }, delay(c))))));
}

function delay({ received_at: received, last_observed_at: observed }) {
  if (!observed) return "–";
  const seconds = (Date.parse(received) - Date.parse(observed)) / 1000;
  return seconds < 0 ? "clock ahead" : `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
}

async function events(id) {
  const page = await request("/v1/events", { query: { device_id: id, limit: 6 } });
  if (page.items.length === 0) return quiet("None.");
  return page.items.map((e) => h("div", { class: "list-row", title: local(e.observed_at) }, h("div", { class: "row" }, h("b", { class: "grow clip" }, sentence(e.kind)), h("span", { class: "muted small" }, ageElement(e.observed_at))),
    h("div", { class: "mono muted wrap" }, Object.entries(e.attributes).map(([k, v]) => `${k}: ${typeof v === "object" ? JSON.stringify(v) : v}`).join(", "))));
}

const quiet = (text) => h("p", { class: "muted small card-body" }, text);
