// One incident: what it is about, where, what became of it, its alerts, and what an operator may do about all of them.

import { impactFigures } from "./alert_impact.js";
import { alertRow } from "./alert_row.js";
import { RESOLUTIONS } from "./alert_work.js";
import { request } from "./api.js";
import { severityBadge } from "./badges.js";
import { disposables, fill, h } from "./dom.js";
import { putDrafts } from "./drafts.js";
import { icon } from "./icons.js";
import { incidentCharts } from "./incident_charts.js";
import { impactSettings } from "./impact_settings.js";
import { isOpenIncident } from "./incident_row.js";
import { createMap } from "./map.js";
import { imageName } from "./map_images.js";
import { loadRegister, siteFeatures, siteLabels } from "./register.js";
import { mayOperate, me } from "./session.js";
import { failure } from "./states.js";
import { colour } from "./theme.js";
import { local, span, timeElement } from "./time.js";
import { notice } from "./toasts.js";
import { count, sentence } from "./units.js";

const PAGE = 50;
const STEP_ICONS = { firing: "alerts", resolved: "ok", retracted: "retracted", corrected: "retracted", acknowledged: "check", commented: "comment", assigned: "key", resolved_by_hand: "ok", reopened: "back", taken_out: "leave", put_back: "back", merged: "check", split: "leave" };

/**
 * Show the incident in `host`.
 * @param {{back: string, current: () => boolean, drafts: () => object, onChange: () => void}} options `current` false: another was chosen meanwhile; `drafts`: what is written and opened in `host` by then
 * @returns {Promise<{dispose: () => void, keys: Record<string, () => void>} | null>} null: it was no longer wanted
 */
export async function showIncident(host, id, { back, current, drafts, onChange }) {
  const [incident, alerts] = await Promise.all([request(`/v1/incidents/${id}`), request(`/v1/incidents/${id}/alerts`, { query: { limit: PAGE } }), loadRegister()]);
  if (!current()) return null;
  const parts = disposables();
  const act = async (path, body, done, form = null) => {
    try {
      await request(`/v1/incidents/${incident.id}${path}`, { method: "POST", body });
    } catch (error) {
      notice(error.message, "bad");
      return;
    }
    form?.reset(); // what was sent is no draft any more
    notice(done);
    onChange();
  };
  const acknowledge = () => act("/acknowledge", {}, "All alerts acknowledged");
  const waits = incident.acknowledged_alerts < incident.alerts;
  const where = h("div", { class: "incident-map", role: "region", "aria-label": "Where it is" });
  const measured = h("div", { class: "stack" });
  const figures = impactFigures(incident.impact);
  const settings = impactSettings(incident, onChange);
  const verdict = !mayOperate() ? null : incident.resolved_by_hand_at === null ? verdictForm(act) : reopenButton(act);
  const written = drafts();
  fill(host, head(incident, back, waits ? acknowledge : null),
    figures === null && settings === null ? null : section("Impact", figures, settings),
    hasPlace(alerts.items) ? section("Where", where) : null,
    alerts.items.some((alert) => alert.series_id) ? section("What was measured", measured) : null,
    mayOperate() ? section("Work", workForm(incident, act), verdict, mergeForm(incident, act)) : null,
    section("What happened", course(incident), mayOperate() ? commentForm(act) : null),
    section(`Alerts (${count(incident.alerts)})`, alertList(incident.id, alerts)));
  putDrafts(host, written);
  if (hasPlace(alerts.items)) showPlaces(where, alerts.items, parts);
  const drawMeasured = () => { fill(measured); incidentCharts(measured, incident, alerts.items, parts).catch((error) => fill(measured, failure(error, drawMeasured))); };
  drawMeasured();
  const keys = mayOperate() ? { a: () => waits && acknowledge(), m: () => assign(act, me.name), r: () => verdict.querySelector("select, button").focus() } : {};
  return { dispose: parts.dispose, keys };
}

const section = (title, ...body) => h("section", { class: "detail-section" }, h("h3", {}, title), body);

const fact = (name, value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));

const assign = (act, name, form = null) => act("/assign", { assigned_to: name }, name === null ? "It is nobody's" : `Assigned to ${name}`, form);

function head(incident, back, acknowledge) {
  const open = isOpenIncident(incident);
  const lasted = (Date.parse(incident.resolved_at ?? new Date().toISOString()) - Date.parse(incident.opened_at)) / 1000;
  return h("header", { class: "detail-head" },
    h("div", { class: "row row-wrap" },
      h("a", { class: "button button-small phone-only", href: back }, icon("back", 15), "Incidents"),
      severityBadge(incident.severity), h("span", { class: `badge ${open ? "state-firing" : "state-resolved"}` }, icon(open ? "alerts" : "ok", 14), sentence(incident.state)),
      incident.is_planned ? h("span", { class: "badge" }, icon("clock", 14), "Planned interruption") : null,
      h("span", { class: "grow" }),
      acknowledge && mayOperate() ? h("button", { class: "button button-main", type: "button", id: "acknowledge", on: { click: acknowledge } }, icon("check", 16), "Acknowledge all") : null),
    h("h2", { class: "detail-title" }, incident.title),
    incident.impact.text === null ? null : h("p", {}, sentence(incident.impact.text)),
    h("dl", { class: "facts" },
      fact("Alerts", `${count(incident.alerts)}, ${count(incident.open_alerts)} open`), fact("Devices", count(incident.devices)),
      fact("Acknowledged", `${count(incident.acknowledged_alerts)} of ${count(incident.alerts)}`), fact("Assigned to", incident.assigned_to ?? "–"),
      fact("Site", incident.site_name ?? incident.site ?? "–"), fact("Organisations", incident.organisations.join(", ")),
      fact("Began", timeElement(incident.opened_at)), fact(open ? "Open for" : "Lasted", span(lasted)),
      incident.resolved_by_hand_at === null ? null : fact("Resolved by hand", h("span", {}, `${incident.resolved_by} `, timeElement(incident.resolved_by_hand_at)))));
}

const hasPlace = (alerts) => alerts.some((alert) => alert.longitude !== null);

function showPlaces(host, alerts, parts) {
  const placed = alerts.filter((alert) => alert.longitude !== null);
  const features = placed.map((alert) => ({ type: "Feature", geometry: { type: "Point", coordinates: [alert.longitude, alert.latitude] }, properties: {
    id: alert.device_id, kind: "sensor", label: alert.device_name ?? "", status: "alert", image: imageName("sensor", alert.severity), colour: colour(`--${alert.severity}`), rank: 10,
  } }));
  const map = createMap(host, { label: "Where the incident is" });
  map.setSites([...siteFeatures(), ...siteLabels()]);
  map.setDevices(features);
  map.fit(features);
  parts.add(map.destroy);
}

function workForm(incident, act) {
  const name = h("input", { class: "input", name: "person", maxlength: 200, required: true, autocomplete: "off", "aria-label": "Assign all alerts to", placeholder: "Assign all alerts to …" });
  const submit = (event) => {
    event.preventDefault();
    if (name.value.trim() !== "") assign(act, name.value.trim(), event.currentTarget);
  };
  return h("form", { class: "row row-wrap", on: { submit } }, h("span", { class: "grow" }, name), h("button", { class: "button", type: "submit" }, "Assign"),
    incident.assigned_to === me.name ? null : h("button", { class: "button", type: "button", on: { click: () => assign(act, me.name) } }, icon("check", 15), "Assign to me"),
    incident.assigned_to === null ? null : h("button", { class: "button", type: "button", on: { click: () => assign(act, null) } }, icon("leave", 15), "Unassign"));
}

function verdictForm(act) {
  const reason = h("select", { class: "input", name: "resolution", required: true, "aria-label": "Resolve all as" },
    h("option", { value: "" }, "Resolve all as …"), Object.entries(RESOLUTIONS).map(([value, text]) => h("option", { value }, text)));
  const note = h("input", { class: "input", name: "note", maxlength: 4000, autocomplete: "off", "aria-label": "What was found or done", placeholder: "What was found or done" });
  const submit = (event) => {
    event.preventDefault();
    if (reason.value !== "") act("/resolve", { resolution: reason.value, note: note.value.trim() }, "Resolved by hand", event.currentTarget);
  };
  return h("form", { class: "row row-wrap", on: { submit } }, reason, h("span", { class: "grow" }, note), h("button", { class: "button", type: "submit" }, icon("ok", 15), "Resolve by hand"));
}

const reopenButton = (act) => h("div", { class: "row" }, h("button", { class: "button", type: "button", on: { click: () => act("/reopen", undefined, "Reopened") } }, icon("back", 15), "Reopen"));

/** Another incident that is the same thing: chosen among those that began around then. */
function mergeForm(incident, act) {
  const host = h("div", { class: "stack" });
  const details = h("details", { class: "impact-settings" }, h("summary", {}, "Merge with another incident"), host);
  details.addEventListener("toggle", async () => {
    if (!details.open || host.children.length > 0) return;
    const day = (days) => new Date(Date.parse(incident.opened_at) + days * 86_400_000).toISOString();
    const { items } = await request("/v1/incidents", { query: { from: day(-3), to: day(3), limit: 100 } }).catch((error) => { notice(error.message, "bad"); return { items: [] }; });
    const others = items.filter((one) => one.id !== incident.id);
    const other = h("select", { class: "input", name: "other", "aria-label": "The other incident" }, others.map((one) => h("option", { value: one.id }, `${one.title} · ${local(one.opened_at)} · ${count(one.alerts)} ${one.alerts === 1 ? "alert" : "alerts"}`)));
    const submit = (event) => { event.preventDefault(); act("/merge", { incident_id: other.value }, "They are one incident now", event.currentTarget); };
    const merged = incident.entries.some((entry) => entry.kind === "merged" && entry.author !== "engine");
    host.append(others.length === 0 ? h("p", { class: "muted small" }, "None began within three days of it.") : h("form", { class: "row row-wrap", on: { submit } }, h("span", { class: "grow" }, other), h("button", { class: "button", type: "submit" }, icon("check", 15), "Merge")));
    if (merged) host.append(h("div", { class: "row" }, h("button", { class: "button", type: "button", on: { click: () => act("/split", undefined, "It is by itself again") } }, icon("leave", 15), "Take merges by hand back")));
  });
  return details;
}

function commentForm(act) {
  const text = h("textarea", { class: "input", name: "comment", maxlength: 4000, required: true, rows: 2, placeholder: "What was found, who is on the way …" });
  const submit = (event) => {
    event.preventDefault();
    if (text.value.trim() !== "") act("/comments", { body: text.value.trim() }, "Comment added", event.currentTarget);
  };
  return h("form", { class: "stack", on: { submit } }, h("label", { class: "field" }, "Comment", text), h("div", { class: "row" }, h("button", { class: "button", type: "submit" }, icon("comment", 16), "Add comment")));
}

const ENTRY_WORDS = { acknowledged: "All alerts acknowledged", assigned: "Assigned", commented: "Comment", resolved: "Resolved by hand", reopened: "Reopened", merged: "Another incident is part of it now", split: "Came apart from another incident", taken_out: "An alert was taken out", put_back: "An alert was put back" };

/** What became of its alerts, those of a minute together, and what people did with all of them. */
function course(incident) {
  const steps = [
    ...incident.course.map((step) => ({ ...step, words: `${sentence(step.kind)}${step.count > 1 ? ` × ${count(step.count)}` : ""}`, body: null, about: step.title, href: `#/alerts/${step.alert_id}` })),
    ...incident.entries.map((entry) => ({ ...entry, words: ENTRY_WORDS[entry.kind], body: entry.kind === "assigned" ? entry.body || "Nobody" : entry.body || null, about: entry.alert_id ? "The alert" : entry.kind === "split" ? "The other incident" : null, href: entry.alert_id ? `#/alerts/${entry.alert_id}` : `#/incidents/${entry.other_id}`, count: 1 })),
  ].sort((one, other) => Date.parse(one.at) - Date.parse(other.at));
  return h("ol", { class: "timeline" }, steps.map((step) => h("li", {},
    h("span", { class: "dot", "data-kind": step.kind }, icon(STEP_ICONS[step.kind] ?? "info", 14)),
    h("div", {}, h("div", { class: "row row-wrap" }, h("b", {}, step.words), h("span", { class: "muted small" }, step.author === "engine" ? "" : `by ${step.author}`), h("span", { class: "muted small" }, timeElement(step.at))),
      step.about ? h("a", { class: "small", href: step.href }, step.count > 1 ? `${step.about} and others` : step.about) : null,
      step.body ? h("div", { class: "comment" }, step.body) : null))));
}

/** Its alerts by page. */
function alertList(id, page) {
  const list = h("div", { class: "incident-alerts" });
  const state = { items: page.items, next: page.next };
  const draw = () => fill(list, state.items.map((alert) => alertRow(alert)),
    state.next === null ? null : h("div", { class: "card-body" }, h("button", { class: "button", type: "button", on: { click: further } }, "Show more alerts")));
  const further = async () => {
    const more = await request(`/v1/incidents/${id}/alerts`, { query: { limit: PAGE, cursor: state.next } }).catch((error) => notice(error.message, "bad"));
    if (!more) return;
    state.items = [...state.items, ...more.items];
    state.next = more.next;
    draw();
  };
  draw();
  return list;
}
