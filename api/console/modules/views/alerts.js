// Alerts: the inbox. Keys: j and k move, a acknowledges, m takes, u gives back, r goes to the verdict.

import { isPassing, request } from "../api.js";
import { alertRow, isOpen } from "../alert_row.js";
import { showAlert } from "../alert_detail.js";
import { SEVERITIES, STATES } from "../badges.js";
import { disposables, fill, h } from "../dom.js";
import { isWriting, noDrafts, takeDrafts } from "../drafts.js";
import { subscribe } from "../live.js";
import { link, replace } from "../router.js";
import { me } from "../session.js";
import { empty, failure, skeleton } from "../states.js";
import { sentence } from "../units.js";

const PAGE = 100;
/** A list that grows by itself keeps so many, or as many as somebody asked for. */
const KEPT = 300;
/** Lists are drawn, and the alert that is read is asked for anew, at most this often: 300 silent meters are one storm. */
const DRAW_MILLISECONDS = 500;
const RENEW_MILLISECONDS = 1_000;
/** What could not be asked for anew is asked for again after this. */
const RETRY_MILLISECONDS = 5_000;
const FILTERS = ["state", "severity", "work", "device_id", "sort"];
const SORTS = [["", "Newest first"], ["money", "Most money first"], ["people", "Most people first"], ["water", "Most water first"], ["energy", "Most energy first"]];

/** What one may look for by who works on it: the question to the server, and the same of an alert that changed. */
const WORK = {
  "": { text: "Inbox: not resolved by hand", query: () => ({ handled: false }), fits: (a) => !a.resolution },
  open: { text: "Open", query: () => ({ open: true }), fits: (a) => isOpen(a) && !a.resolution },
  mine: { text: "Mine", query: () => ({ handled: false, assigned_to: me.name }), fits: (a) => !a.resolution && a.assigned_to === me.name },
  unassigned: { text: "Unassigned", query: () => ({ handled: false, assigned: false }), fits: (a) => !a.resolution && !a.assigned_to },
  unacknowledged: { text: "Unacknowledged", query: () => ({ handled: false, acknowledged: false }), fits: (a) => !a.resolution && !a.acknowledged_at },
  handled: { text: "Resolved by hand", query: () => ({ handled: true }), fits: (a) => Boolean(a.resolution) },
  any: { text: "Everything", query: () => ({}), fits: () => true },
};
const workOf = (filters) => WORK[filters.work] ?? WORK[""];

export async function show(view, { parameter, query }) {
  const parts = disposables();
  const inbox = {
    items: [], next: null, kept: KEPT, isCut: false, asked: 0, selected: parameter, shown: null, detail: null, isStale: false, drawnAt: 0, drawing: null, renewing: null,
    filters: Object.fromEntries(FILTERS.map((name) => [name, query.get(name) ?? ""])),
    list: h("div", { class: "list", role: "list" }), pane: h("div", { class: "detail" }), root: null,
  };
  inbox.root = h("div", { class: "inbox" },
    h("section", { class: "card", "aria-label": "Inbox" }, filterBar(inbox), inbox.list), h("section", { class: "card", "aria-label": "Alert" }, inbox.pane));
  fill(view, inbox.root);
  await load(inbox);
  if (inbox.selected === null && inbox.items.length > 0 && matchMedia("(min-width: 861px)").matches) inbox.selected = inbox.items[0].id;
  parts.add(subscribe(({ alerts }) => take(inbox, [...alerts.values()])));
  const catchUp = () => { load(inbox).then(() => draw(inbox)).catch(() => null); makeStale(inbox); };
  addEventListener("missed", catchUp);
  parts.add(() => removeEventListener("missed", catchUp));
  const keys = (event) => onKey(inbox, event);
  addEventListener("keydown", keys);
  parts.add(() => { removeEventListener("keydown", keys); clearTimeout(inbox.drawing); clearTimeout(inbox.renewing); inbox.selected = null; close(inbox); });
  draw(inbox);
  await open(inbox);
  return parts.dispose;
}

function filterBar(inbox) {
  const set = (name, value) => { inbox.filters[name] = value; reload(inbox); };
  const segments = h("div", { class: "segments", role: "group", "aria-label": "State" }, [["", "All"], ...STATES.map((s) => [s, sentence(s)])].map(([value, text]) =>
    h("button", { type: "button", "aria-pressed": String(inbox.filters.state === value), on: { click: (event) => {
      for (const button of segments.children) button.setAttribute("aria-pressed", String(button === event.currentTarget));
      set("state", value);
    } } }, text)));
  const select = (name, label, options) => h("select", { class: "input", "aria-label": label, on: { change: (event) => set(name, event.currentTarget.value) } },
    options.map(([value, text]) => h("option", { value, selected: inbox.filters[name] === value }, text)));
  return h("div", { class: "filters" }, segments, h("div", { class: "row" },
    select("sort", "Order", SORTS), select("severity", "Severity", [["", "Any severity"], ...SEVERITIES.map((s) => [s, sentence(s)])]),
    select("work", "Work", Object.entries(WORK).map(([name, { text }]) => [name, text]))));
}

/** Ask for a page of the list; an answer to what is not asked any more is dropped. */
async function load(inbox, cursor = null) {
  const mine = ++inbox.asked;
  if (cursor === null) fill(inbox.list, skeleton(7));
  try {
    const page = await request("/v1/alerts", { query: { ...question(inbox.filters), limit: PAGE, cursor } });
    if (mine !== inbox.asked) return;
    inbox.items = cursor === null ? page.items : [...inbox.items, ...page.items];
    inbox.kept = Math.max(KEPT, inbox.items.length);
    inbox.isCut = false;
    inbox.next = page.next ?? null;
  } catch (error) {
    if (mine !== inbox.asked) return;
    fill(inbox.list, failure(error, () => reload(inbox)));
    throw error;
  }
}

const question = ({ work, ...filters }) => ({ ...filters, ...workOf({ work }).query() });

async function reload(inbox) {
  replace(link("alerts", inbox.selected, inbox.filters));
  await load(inbox).then(() => draw(inbox)).catch(() => null);
}

const address = (inbox, id) => link("alerts", id, inbox.filters);

function draw(inbox) {
  clearTimeout(inbox.drawing);
  inbox.drawing = null;
  inbox.drawnAt = performance.now();
  const focused = document.activeElement?.dataset?.alert;
  const scroll = inbox.list.scrollTop;
  fill(inbox.list, inbox.items.length === 0 ? nothing(inbox) : inbox.items.map((alert) => row(inbox, alert)),
    older(inbox));
  inbox.list.scrollTop = scroll;
  if (focused) inbox.list.querySelector(`[data-alert="${CSS.escape(focused)}"]`)?.focus();
  inbox.root.toggleAttribute("data-open", inbox.selected !== null);
}

function older(inbox) {
  if (inbox.next === null && !inbox.isCut) return null;
  // Where the list was cut, the next page would not begin where it ends.
  const [words, go] = inbox.isCut ? ["Older alerts are left out: load the list anew", () => reload(inbox)] : ["Show older alerts", () => load(inbox, inbox.next).then(() => draw(inbox)).catch(() => null)];
  return h("div", { class: "card-body", role: "listitem" }, h("button", { class: "button", type: "button", on: { click: go } }, words));
}

function row(inbox, alert) {
  const element = alertRow(alert, { href: address(inbox, alert.id), current: alert.id === inbox.selected });
  element.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    select(inbox, alert.id);
  });
  return h("div", { role: "listitem" }, element);
}

const nothing = (inbox) => (Object.values(inbox.filters).some((v) => v !== "")
  ? empty("search", "No such alert", "No alert matches these filters.") : empty("ok", "All quiet", "No alert has been raised yet."));

async function select(inbox, id) {
  inbox.selected = id;
  history.pushState(null, "", address(inbox, id));
  draw(inbox);
  await open(inbox);
}

function makeStale(inbox, milliseconds = RENEW_MILLISECONDS) {
  inbox.isStale = true;
  inbox.renewing ??= setTimeout(() => renew(inbox), milliseconds);
}

/** Ask anew for the alert that is read, when it changed elsewhere; not while somebody writes about it. */
function renew(inbox) {
  inbox.renewing = null;
  if (!inbox.isStale) return;
  if (isWriting(inbox.pane)) inbox.renewing = setTimeout(() => renew(inbox), RENEW_MILLISECONDS);
  else open(inbox, true);
}

/** Show the selected alert; `inbox.opening` tells when it is there. A slower answer for an earlier choice is dropped. */
function open(inbox, isRenewed = false) {
  inbox.opening = showSelected(inbox, inbox.selected, isRenewed);
  return inbox.opening;
}

function close(inbox) {
  inbox.detail?.dispose();
  inbox.detail = inbox.shown = null;
}

async function showSelected(inbox, id, isRenewed) {
  const isThere = inbox.shown === id;
  if (!isThere) close(inbox);
  if (id === null) return fill(inbox.pane, empty("alerts", "No alert chosen", "Choose one from the list to see why it fired and who was told."));
  const current = () => inbox.selected === id;
  const scroll = isThere ? inbox.pane.scrollTop : 0;
  if (!isThere) fill(inbox.pane, skeleton(6));
  inbox.isStale = false;
  const drafts = () => (inbox.shown === id ? takeDrafts(inbox.pane, isRenewed) : noDrafts());
  try {
    const onChange = (alert) => { if (alert !== null) take(inbox, [alert]); if (current()) open(inbox); };
    const detail = await showAlert(inbox.pane, id, { back: link("alerts", null, inbox.filters), current, drafts, onChange });
    if (detail === null) return undefined;
    inbox.detail?.dispose();
    inbox.detail = detail;
    inbox.shown = id;
    inbox.pane.scrollTop = scroll;
  } catch (error) {
    if (!current()) return undefined;
    // What is shown stays, with what somebody writes there, unless the server says that it is not for them.
    if (inbox.shown === id && isPassing(error)) makeStale(inbox, RETRY_MILLISECONDS);
    else { close(inbox); fill(inbox.pane, failure(error, () => open(inbox))); }
  }
  return undefined;
}

/** Acknowledge the alert that is selected now, once it is there if it is still being fetched. */
async function acknowledge(inbox) {
  const id = inbox.selected;
  await inbox.opening;
  if (inbox.selected === id) await inbox.detail?.acknowledge();
}

/** Alerts that changed: replaced in place, or put on top where the filters let them in; drawn once for all of them. */
function take(inbox, alerts) {
  const places = new Map(inbox.items.map((item, at) => [item.id, at]));
  const fresh = [];
  let isNew = false;
  for (const alert of alerts) {
    if (alert.id === inbox.selected) makeStale(inbox);
    const at = places.get(alert.id);
    if (at !== undefined) inbox.items[at] = { ...inbox.items[at], ...alert };
    else if (matches(inbox.filters, alert)) fresh.unshift(alert);
    else continue;
    isNew = true;
  }
  if (fresh.length > 0) {
    const all = [...fresh, ...inbox.items];
    inbox.items = all.slice(0, inbox.kept);
    inbox.isCut ||= all.length > inbox.items.length;
  }
  if (isNew) inbox.drawing ??= setTimeout(() => draw(inbox), Math.max(0, DRAW_MILLISECONDS - (performance.now() - inbox.drawnAt)));
}

function matches({ state, severity, work, device_id: device }, alert) {
  return (!state || alert.state === state) && (!severity || alert.severity === severity) && (!device || String(alert.device_id) === device)
    && workOf({ work }).fits(alert);
}

function onKey(inbox, event) {
  const isHeld = event.repeat && event.key !== "j" && event.key !== "k";
  if (isHeld || event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
  if (event.key === "a") acknowledge(inbox);
  if (["m", "u", "r"].includes(event.key)) {
    event.preventDefault();
    inbox.detail?.keys[event.key]?.();
  }
  if (event.key !== "j" && event.key !== "k") return;
  const at = inbox.items.findIndex((item) => item.id === inbox.selected);
  const next = inbox.items[Math.min(Math.max(at + (event.key === "j" ? 1 : -1), 0), inbox.items.length - 1)];
  if (next && next.id !== inbox.selected) {
    select(inbox, next.id);
    inbox.list.querySelector('[aria-current="true"]')?.scrollIntoView({ block: "nearest" });
  }
}
