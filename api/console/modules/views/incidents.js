// Incidents: alerts that are one thing to work on. Keys: j and k move, a acknowledges all, m takes, r goes to the verdict.

import { isPassing, request } from "../api.js";
import { SEVERITIES } from "../badges.js";
import { disposables, fill, h } from "../dom.js";
import { isWriting, noDrafts, takeDrafts } from "../drafts.js";
import { showIncident } from "../incident_detail.js";
import { incidentRow } from "../incident_row.js";
import { subscribe } from "../live.js";
import { link, replace } from "../router.js";
import { empty, failure, skeleton } from "../states.js";
import { sentence } from "../units.js";

const PAGE = 100;
const STATES = [["open", "Open"], ["resolved", "Resolved"], ["", "All"]];
const SORTS = [["opened", "Newest first"], ["severity", "Worst first"], ["money", "Most money first"], ["people", "Most people first"], ["water", "Most water first"], ["energy", "Most energy first"]];
/** A list in the order of a figure is asked for anew this long after an incident changed. */
const REORDER_MILLISECONDS = 1_500;
/** What could not be asked for anew is asked for again after this. */
const RETRY_MILLISECONDS = 5_000;

export async function show(view, { parameter, query }) {
  const parts = disposables();
  const board = {
    items: [], next: null, asked: 0, selected: parameter, shown: null, detail: null, timer: null, renewing: null, stale: false,
    filters: { state: stateOf(query.get("state")), severity: query.get("severity") ?? "", sort: query.get("sort") ?? "opened" },
    list: h("div", { class: "list", role: "list" }), pane: h("div", { class: "detail" }), root: null,
  };
  board.root = h("div", { class: "inbox" },
    h("section", { class: "card", "aria-label": "Incidents" }, filterBar(board), board.list), h("section", { class: "card", "aria-label": "Incident" }, board.pane));
  fill(view, board.root);
  await load(board);
  if (board.selected === null && board.items.length > 0 && matchMedia("(min-width: 861px)").matches) board.selected = board.items[0].id;
  parts.add(subscribe(({ incidents }) => take(board, incidents)));
  const catchUp = () => { board.stale = true; board.timer ??= setTimeout(() => refresh(board)); };
  addEventListener("missed", catchUp);
  parts.add(() => removeEventListener("missed", catchUp));
  const keys = (event) => onKey(board, event);
  addEventListener("keydown", keys);
  parts.add(() => { removeEventListener("keydown", keys); clearTimeout(board.timer); clearTimeout(board.renewing); board.selected = null; close(board); });
  draw(board);
  await open(board);
  return parts.dispose;
}

/** `all` in the address is no filter; nothing said: what is open. */
const stateOf = (said) => (said === "all" ? "" : said ?? "open");

function filterBar(board) {
  const set = (name, value) => { board.filters[name] = value; reload(board); };
  const segments = h("div", { class: "segments", role: "group", "aria-label": "State" }, STATES.map(([value, text]) =>
    h("button", { type: "button", "aria-pressed": String(board.filters.state === value), on: { click: (event) => {
      for (const button of segments.children) button.setAttribute("aria-pressed", String(button === event.currentTarget));
      set("state", value);
    } } }, text)));
  const select = (name, label, options) => h("select", { class: "input", "aria-label": label, on: { change: (event) => set(name, event.currentTarget.value) } },
    options.map(([value, text]) => h("option", { value, selected: board.filters[name] === value }, text)));
  return h("div", { class: "filters" }, segments, h("div", { class: "row" },
    select("severity", "Severity", [["", "Any severity"], ...SEVERITIES.map((s) => [s, sentence(s)])]), select("sort", "Order", SORTS)));
}

const asked = (board) => Object.fromEntries(Object.entries(board.filters).filter(([, value]) => value !== ""));

/** Ask for a page of the list; an answer to what is not asked any more is dropped. */
async function load(board, cursor = null) {
  const mine = ++board.asked;
  if (cursor === null && board.items.length === 0) fill(board.list, skeleton(7));
  try {
    const page = await request("/v1/incidents", { query: { ...asked(board), limit: PAGE, ...(cursor === null ? {} : { cursor }) } });
    if (mine !== board.asked) return;
    board.items = cursor === null ? page.items : [...board.items, ...page.items];
    board.next = page.next ?? null;
  } catch (error) {
    if (mine !== board.asked) return;
    fill(board.list, failure(error, () => reload(board)));
    throw error;
  }
}

async function reload(board) {
  replace(address(board, board.selected));
  await load(board).then(() => draw(board)).catch(() => null);
}

const address = (board, id) => link("incidents", id, { ...board.filters, state: board.filters.state === "" ? "all" : board.filters.state });

function draw(board) {
  const focused = document.activeElement?.dataset?.incident;
  const scroll = board.list.scrollTop;
  fill(board.list, board.items.length === 0 ? nothing(board) : board.items.map((incident) => row(board, incident)),
    board.next === null ? null : h("div", { class: "card-body", role: "listitem" }, h("button", { class: "button", type: "button", on: { click: () => load(board, board.next).then(() => draw(board)).catch(() => null) } }, "Show more incidents")));
  board.list.scrollTop = scroll;
  if (focused) board.list.querySelector(`[data-incident="${CSS.escape(focused)}"]`)?.focus();
  board.root.toggleAttribute("data-open", board.selected !== null);
}

function row(board, incident) {
  const element = incidentRow(incident, { href: address(board, incident.id), current: incident.id === board.selected });
  element.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    choose(board, incident.id);
  });
  return h("div", { role: "listitem" }, element);
}

const nothing = (board) => (board.filters.state === "open" && board.filters.severity === ""
  ? empty("ok", "All quiet", "No incident is open.") : empty("search", "No such incident", "No incident matches these filters."));

async function choose(board, id) {
  board.selected = id;
  history.pushState(null, "", address(board, id));
  draw(board);
  await open(board);
}

/** Show the chosen incident; `isRenewed`: it changed elsewhere. */
function open(board, isRenewed = false) {
  return showChosen(board, board.selected, isRenewed);
}

function close(board) {
  board.detail?.dispose();
  board.detail = board.shown = null;
}

async function showChosen(board, id, isRenewed) {
  const isThere = board.shown === id;
  if (!isThere) close(board);
  if (id === null) return fill(board.pane, empty("incidents", "No incident chosen", "Choose one from the list to see where it is, what it costs and what became of it."));
  const current = () => board.selected === id;
  if (!isThere) fill(board.pane, skeleton(6));
  const drafts = () => (board.shown === id ? takeDrafts(board.pane, isRenewed) : noDrafts());
  try {
    const onChange = () => { reload(board); if (current()) open(board); };
    const detail = await showIncident(board.pane, id, { back: address(board, null), current, drafts, onChange });
    if (detail === null) return undefined;
    board.detail?.dispose();
    board.detail = detail;
    board.shown = id;
  } catch (error) {
    if (!current()) return undefined;
    // What is shown stays, with what somebody writes there, unless the server says that it is not for them.
    if (board.shown === id && isPassing(error)) {
      board.stale = true;
      clearTimeout(board.renewing);
      board.renewing = setTimeout(() => renew(board), RETRY_MILLISECONDS);
    } else { close(board); fill(board.pane, failure(error, () => open(board))); }
  }
  return undefined;
}

/** Incidents that changed (by id): in place at once; the list in its order, and the page that is read, a moment later. */
function take(board, incidents) {
  if (incidents.size === 0) return;
  const items = board.items.map((item) => incidents.get(item.id) ?? item);
  const isListed = items.some((item, at) => item !== board.items[at]);
  board.items = items;
  if (isListed) draw(board);
  if (incidents.has(board.selected)) board.stale = true;
  board.timer ??= setTimeout(() => refresh(board), REORDER_MILLISECONDS);
}

async function refresh(board) {
  board.timer = null;
  const listed = () => board.items.some((item) => item.id === board.selected);
  const before = listed();
  await load(board).then(() => draw(board)).catch(() => null);
  // What left the list may be part of another by now.
  board.stale ||= before && !listed();
  await renew(board);
}

/** Ask anew for the incident that is read, when it changed elsewhere; not while somebody writes about it. */
async function renew(board) {
  clearTimeout(board.renewing);
  if (!board.stale) return;
  if (isWriting(board.pane)) {
    board.renewing = setTimeout(() => renew(board), REORDER_MILLISECONDS);
    return;
  }
  board.stale = false;
  const scroll = board.pane.scrollTop;
  await open(board, true);
  board.pane.scrollTop = scroll;
}

function onKey(board, event) {
  const isHeld = event.repeat && event.key !== "j" && event.key !== "k";
  if (isHeld || event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
  if (["a", "m", "r"].includes(event.key)) {
    event.preventDefault();
    board.detail?.keys[event.key]?.();
  }
  if (event.key !== "j" && event.key !== "k") return;
  const at = board.items.findIndex((item) => item.id === board.selected);
  const next = board.items[Math.min(Math.max(at + (event.key === "j" ? 1 : -1), 0), board.items.length - 1)];
  if (next && next.id !== board.selected) {
    choose(board, next.id);
    board.list.querySelector('[aria-current="true"]')?.scrollIntoView({ block: "nearest" });
  }
}
