// Quarantine: what could not be stored, in groups; one group's messages; one message; replay and discard.

import { request } from "../api.js";
import { fill, h, setText } from "../dom.js";
import { icon } from "../icons.js";
import { MEANINGS, discardButton, messageDetail } from "../quarantine_message.js";
import { replayList } from "../quarantine_replays.js";
import { link, replace } from "../router.js";
import { mayOperate } from "../session.js";
import { empty, failure, skeleton } from "../states.js";
import { ageElement } from "../time.js";
import { notice } from "../toasts.js";
import { count, sentence } from "../units.js";

const PAGE = 100;
const GROUPINGS = [["reason,source,topic_pattern", "Reason"], ["reason,organisation,device", "Device"], ["reason,day", "Day"]];
/** What of a group's row narrows the list of its messages. */
const FILTERS = ["reason", "source", "topic_pattern", "organisation", "device", "from", "to"];

export async function show(view, { parameter, query }) {
  const filter = Object.fromEntries(FILTERS.filter((name) => query.has(name)).map((name) => [name, query.get(name)]));
  const state = {
    by: query.get("by") ?? GROUPINGS[0][0], filter: Object.keys(filter).length > 0 ? filter : null, items: [], next: null, asked: 0, selected: parameter,
    title: h("h2", { class: "grow clip" }), head: h("div", { class: "filters" }), foot: h("div", { class: "quarantine-replays" }), list: h("div", { class: "list" }), pane: h("div", { class: "pane" }), root: null, replays: null,
  };
  view.classList.add("view-fixed");
  state.replays = replayList(() => refresh(state));
  state.root = h("div", { class: "split grow" }, h("section", { class: "card", "aria-label": "Messages" }, state.head, state.foot, state.list), h("section", { class: "card", "aria-label": "Message" }, state.pane));
  fill(view, state.root);
  await (state.filter === null ? loadGroups(state) : loadMessages(state));
  if (state.selected !== null) await openMessage(state, state.selected);
  else rest(state);
  return () => state.replays.dispose();
}

/** Show no message: on a wide screen, what was replayed of late is there in its place; on a phone it is above the list. */
function rest(state) {
  state.root.toggleAttribute("data-open", false);
  if (matchMedia("(max-width: 860px)").matches) return void fill(state.foot, state.replays.element);
  fill(state.pane, h("div", { class: "detail-section" }, h("h3", {}, "Replays"), h("p", { class: "muted small" }, "Mend the cause first: a source, a unit, or the register. Then replay: every message is taken in as it came, once."), state.replays.element));
  return undefined;
}

async function refresh(state) {
  await (state.filter === null ? loadGroups(state) : loadMessages(state));
  if (state.selected !== null) await openMessage(state, state.selected);
}

// Groups

async function loadGroups(state, cursor = null) {
  const mine = ++state.asked; // an answer to what is not asked any more is dropped
  drawGroupHead(state);
  if (cursor === null && state.items.length === 0) fill(state.list, skeleton(6));
  try {
    const page = await request("/v1/quarantine/groups", { query: { by: state.by, limit: PAGE, cursor } });
    if (mine !== state.asked) return;
    state.items = cursor === null ? page.items : [...state.items, ...page.items];
    state.next = page.next;
    drawGroups(state, page.counted);
  } catch (error) {
    if (mine === state.asked) fill(state.list, failure(error, () => loadGroups(state)));
  }
}

function drawGroupHead(state) {
  fill(state.head, h("div", { class: "row row-wrap" }, h("h2", { class: "grow" }, "Waiting"), h("div", { class: "segments", role: "group", "aria-label": "Group by" }, GROUPINGS.map(([by, text]) =>
    h("button", { type: "button", "aria-pressed": String(state.by === by), on: { click: () => { state.by = by; state.items = []; replace(link("quarantine", null, { by })); loadGroups(state); } } }, text)))));
}

function drawGroups(state, counted) {
  if (state.items.length === 0) fill(state.list, empty("ok", "Nothing in quarantine", "Every message that came could be stored. One that cannot is kept here, with the reason."));
  else fill(state.list, state.items.map((group) => groupRow(state, group)), state.next === null ? null : more("Show smaller groups", () => loadGroups(state, state.next)));
  const gone = counted.filter(({ state: settled }) => settled === "open");
  if (gone.length > 0) state.list.append(h("p", { class: "card-body small muted" }, gone.map((each) => h("span", {}, `${count(each.messages)} more of ${sentence(each.reason).toLowerCase()} came when there was no room, and were only counted. `))));
}

function groupRow(state, group) {
  const chosen = () => { state.filter = filterOf(group); state.items = []; state.selected = null; replace(link("quarantine", null, state.filter)); loadMessages(state); rest(state); };
  const name = group.topic_pattern ?? group.device ?? (group.day === null ? "" : new Date(group.day).toLocaleDateString(undefined, { timeZone: "UTC", day: "numeric", month: "short", year: "numeric" }));
  return h("a", { class: "list-row group-row", href: link("quarantine", null, filterOf(group)), title: MEANINGS[group.reason] ?? "", on: { click: (event) => { event.preventDefault(); chosen(); } } },
    h("div", { class: "row" }, h("b", { class: "grow clip" }, sentence(group.reason)), group.waiting > 0 ? h("span", { class: "badge severity-info" }, icon("clock", 13), count(group.waiting)) : null, h("span", { class: "chip" }, count(group.messages))),
    h("div", { class: "mono muted clip" }, name || "–"),
    h("div", { class: "row small muted" }, h("span", { class: "grow clip" }, group.detail ?? group.source ?? ""), ageElement(group.last_received_at)));
}

/** The filter that leaves a group's messages; a group of what cannot be told (null) is left to its other parts. */
function filterOf(group) {
  const filter = Object.fromEntries(["reason", "source", "topic_pattern", "organisation", "device"].filter((name) => group[name] !== null).map((name) => [name, group[name]]));
  return group.day === null ? filter : { ...filter, from: group.day, to: new Date(Date.parse(group.day) + 86_400_000).toISOString() };
}

// The messages of one group

async function loadMessages(state, cursor = null) {
  const mine = ++state.asked;
  drawMessageHead(state);
  if (cursor === null && state.items.length === 0) fill(state.list, skeleton(6));
  try {
    const page = await request(messagesOf(state, cursor));
    if (mine !== state.asked) return;
    state.items = cursor === null ? page.items : [...state.items, ...page.items];
    state.next = page.next;
    drawMessages(state, cursor === null ? 0 : state.items.length - page.items.length);
  } catch (error) {
    if (mine === state.asked) fill(state.list, failure(error, () => loadMessages(state)));
  }
}

/** An empty source is one of its own: `address()` would leave it out. */
function messagesOf(state, cursor) {
  return `/v1/quarantine?${new URLSearchParams({ ...state.filter, limit: String(PAGE), ...(cursor === null ? {} : { cursor }) })}`;
}

function drawMessageHead(state) {
  const { reason, topic_pattern: pattern, device } = state.filter;
  setText(state.title, sentence(reason ?? "Messages"));
  const which = () => ({ filter: { ...state.filter, ...(reason ? { reason: [reason] } : {}), ...(state.items.length > 0 ? { up_to: state.items[0].id } : {}) } });
  fill(state.head,
    h("div", { class: "row" }, h("button", { class: "button button-small", type: "button", on: { click: () => { Object.assign(state, { filter: null, items: [], selected: null }); replace(link("quarantine", null, { by: state.by })); loadGroups(state); rest(state); } } }, icon("back", 15), "Groups"), state.title),
    pattern ?? device ? h("div", { class: "mono muted clip small" }, pattern ?? device) : null,
    mayOperate() ? h("div", { class: "row row-wrap quarantine-actions" },
      h("button", { class: "button button-main", type: "button", on: { click: () => replay(state, which()) } }, icon("play", 15), "Replay all"),
      discardButton("Discard all", (why) => discard(state, which(), why))) : null);
}

function drawMessages(state, from) {
  const rows = state.items.slice(from).map((item) => messageRow(state, item));
  if (from === 0) fill(state.list, rows.length === 0 ? empty("ok", "None waits", "No message of this group waits any more.") : rows);
  else { state.list.lastElementChild.remove(); state.list.append(...rows); }
  if (state.next !== null) state.list.append(more("Show older messages", () => loadMessages(state, state.next)));
}

function messageRow(state, item) {
  return h("a", { class: "list-row", href: link("quarantine", String(item.id), state.filter ?? {}), "data-id": String(item.id), "aria-current": String(item.id) === state.selected ? "true" : null, on: { click: (event) => {
    event.preventDefault();
    state.selected = String(item.id);
    for (const row of state.list.children) row.toggleAttribute("aria-current", false);
    event.currentTarget.setAttribute("aria-current", "true");
    openMessage(state, state.selected);
  } } },
  h("div", { class: "row" }, h("span", { class: "mono grow clip" }, item.topic), item.waiting_in ? icon("clock", 14) : null, item.count > 1 ? h("span", { class: "chip" }, `× ${count(item.count)}`) : null, h("span", { class: "small muted" }, ageElement(item.last_received_at))),
  h("div", { class: "small muted clip" }, item.detail ?? item.device ?? ""));
}

async function openMessage(state, number) {
  state.root.toggleAttribute("data-open", true);
  try {
    const item = await request(`/v1/quarantine/${encodeURIComponent(number)}`);
    if (state.selected !== number) return;
    if (item.state === "merged" && item.merged_into !== null) { state.selected = String(item.merged_into); return void await openMessage(state, state.selected); }
    const scrolled = state.pane.scrollTop;
    fill(state.pane, messageDetail(item, {
      back: () => { state.selected = null; rest(state); },
      replay: (which) => replay(state, which),
      discard: (which, why) => discard(state, which, why),
    }), h("div", { class: "detail-section" }, state.replays.element));
    state.pane.scrollTop = scrolled;
  } catch (error) {
    if (state.selected === number) fill(state.pane, failure(error, () => openMessage(state, number)));
  }
}

// What operators do

async function replay(state, which) {
  try {
    const asked = await request("/v1/quarantine/replays", { method: "POST", body: which });
    notice(asked.asked === 0 ? `None of them can be replayed${asked.left_out > 0 ? `: ${count(asked.left_out)} are cut or lines of a file` : " or needs to be"}` : `Replay ${asked.id}: ${count(asked.asked)} messages are taken in again`, asked.asked === 0 ? "bad" : "ok");
  } catch (error) {
    return void notice(error.message, "bad");
  }
  state.replays.look();
  await refresh(state);
  if (state.selected === null) rest(state);
}

async function discard(state, which, reason) {
  try {
    const made = await request("/v1/quarantine/discards", { method: "POST", body: { ...which, reason } });
    notice(`${count(made.discarded)} discarded`);
  } catch (error) {
    return void notice(error.message, "bad");
  }
  await refresh(state);
}

const more = (text, load) => h("div", { class: "card-body" }, h("button", { class: "button", type: "button", on: { click: load } }, text));
