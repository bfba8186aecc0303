// Quarantine: messages that could not be stored, by reason, with the bytes as they came.

import { request } from "../api.js";
import { fill, h } from "../dom.js";
import { icon } from "../icons.js";
import { link, replace } from "../router.js";
import { mayOperate } from "../session.js";
import { denied, empty, failure, skeleton } from "../states.js";
import { ageElement, timeElement } from "../time.js";
import { bytes, count, sentence } from "../units.js";

const PAGE = 100;

/** What each reason means to the person who has to fix it. */
const MEANINGS = {
  no_source: "No source's topic filter matches the topic.", source_invalid: "The source that takes the topic cannot work.", malformed_topic: "The topic lacks an organisation, a device or a known kind.",
  malformed_payload: "The bytes are not what the format says.", payload_too_large: "The payload is longer than the limit.",
  unknown_message_type: "The format is known, this kind of message is not.", missing_time: "It carries no time of observation.",
  bad_time: "Its time cannot be read, or lies before digital trackers existed.", future_time: "Its time lies further ahead than clock drift explains.",
  bad_value: "A value is not a finite number of plausible size.", bad_position: "A coordinate is absent, out of range or 0,0.",
  unit_mismatch: "The unit is unknown or of another dimension.", nothing_to_store: "A valid document without anything to store.",
  unknown_organisation: "The organisation in the topic is not registered.", unknown_device: "The device is not registered.",
  conflicting_duplicate: "Another value is stored already for this time.", storage_rejected: "The database refused the row.", decoder_failed: "The decoder broke on it: a defect to report.",
};

export async function show(view, { parameter, query }) {
  if (!mayOperate()) return void fill(view, h("div", { class: "card" }, denied("Messages in quarantine may hold anything, so only operators see them.")));
  const state = { reason: query.get("reason") ?? "", items: [], next: null, selected: parameter, list: h("div", { class: "list" }), pane: h("div", { class: "pane" }), root: null };
  const summary = await request("/v1/quarantine/summary");
  view.classList.add("view-fixed");
  state.root = h("div", { class: "split grow" }, h("section", { class: "card", "aria-label": "Messages" }, state.list), h("section", { class: "card", "aria-label": "Message" }, state.pane));
  if (summary.items.length === 0) {
    fill(view, h("div", { class: "card" }, empty("ok", "Nothing in quarantine", "Every message that came could be stored. One that cannot is kept here, with the reason.")));
    return undefined;
  }
  fill(view, reasons(state, summary.items), state.root);
  await load(state);
  return undefined;
}

function reasons(state, items) {
  const total = items.reduce((sum, item) => sum + item.count, 0);
  const bar = h("div", { class: "reasons", role: "group", "aria-label": "Reason" }, [{ reason: "", count: total }, ...items].map(({ reason, count: n }) =>
    h("button", { class: "reason", type: "button", title: MEANINGS[reason] ?? "", "aria-pressed": String(state.reason === reason), "data-reason": reason, on: { click: () => {
      state.reason = reason;
      for (const button of bar.children) button.setAttribute("aria-pressed", String(button.dataset.reason === reason));
      state.selected = null;
      replace(link("quarantine", null, { reason }));
      load(state);
    } } }, reason === "" ? "All" : sentence(reason), h("b", {}, count(n)))));
  return bar;
}

async function load(state, cursor = null) {
  if (cursor === null) fill(state.list, skeleton(6));
  try {
    const page = await request("/v1/quarantine", { query: { reason: state.reason, limit: PAGE, cursor } });
    state.items = cursor === null ? page.items : [...state.items, ...page.items];
    state.next = page.next ?? null;
    if (state.selected === null && matchMedia("(min-width: 861px)").matches && state.items.length > 0) state.selected = String(state.items[0].id);
    draw(state);
  } catch (error) {
    fill(state.list, failure(error, () => load(state)));
  }
}

function draw(state) {
  fill(state.list, state.items.length === 0 ? empty("ok", "None", "No message has this reason.") : state.items.map((item) => row(state, item)),
    state.next === null ? null : h("div", { class: "card-body" }, h("button", { class: "button", type: "button", on: { click: () => load(state, state.next) } }, "Show older messages")));
  const item = state.items.find(({ id }) => String(id) === state.selected);
  state.root.toggleAttribute("data-open", item !== undefined);
  fill(state.pane, item ? detail(state, item) : empty("quarantine", "No message chosen", "Choose one from the list to see its bytes."));
}

function row(state, item) {
  return h("a", { class: "list-row", href: link("quarantine", String(item.id), { reason: state.reason }), "aria-current": String(item.id) === state.selected ? "true" : null, on: { click: (event) => {
    event.preventDefault();
    state.selected = String(item.id);
    draw(state);
  } } },
  h("div", { class: "row" }, h("b", { class: "grow clip" }, sentence(item.reason)), item.count > 1 ? h("span", { class: "chip" }, `× ${count(item.count)}`) : null, h("span", { class: "small muted" }, ageElement(item.last_received_at))),
  h("div", { class: "mono muted clip" }, item.topic));
}

function detail(state, item) {
  const raw = Uint8Array.from(atob(item.payload_base64), (c) => c.charCodeAt(0));
  const body = h("div", {});
  const showAs = (kind) => {
    fill(body, h("pre", { class: "payload", tabindex: "0" }, kind === "text" ? item.payload_text : hexDump(raw)));
    for (const button of choice.children) button.setAttribute("aria-pressed", String(button.dataset.kind === kind));
  };
  const choice = h("div", { class: "segments", role: "group", "aria-label": "Show payload as" }, [["text", "Text"], ["hex", "Hex"]].map(([kind, text]) =>
    h("button", { type: "button", "data-kind": kind, disabled: kind === "text" && item.payload_text === null, on: { click: () => showAs(kind) } }, text)));
  showAs(item.payload_text === null ? "hex" : "text");
  return h("div", {},
    h("header", { class: "detail-head" },
      h("div", { class: "row" }, h("button", { class: "button button-small phone-only", type: "button", on: { click: () => { state.selected = null; draw(state); } } }, icon("back", 15), "Messages"), h("span", { class: "badge severity-major" }, icon("quarantine", 14), sentence(item.reason)), item.replayed_at ? h("span", { class: "badge badge-ok" }, icon("check", 14), "Replayed") : null),
      h("p", { class: "strong wrap" }, item.detail), h("p", { class: "muted" }, MEANINGS[item.reason] ?? ""),
      h("dl", { class: "facts" }, fact("First received", timeElement(item.received_at)), fact("Last received", timeElement(item.last_received_at)), fact("Times", count(item.count)), fact("Source", item.source || "–"))),
    h("section", { class: "detail-section" }, h("h3", {}, "Topic"), h("pre", { class: "payload" }, item.topic)),
    h("section", { class: "detail-section" }, h("h3", {}, h("span", {}, "Payload ", h("span", { class: "muted small" }, bytes(raw.length))), choice), body));
}

const fact = (name, value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));

/** Offset, sixteen bytes, and the printable ones; at most 4 KiB. */
function hexDump(raw) {
  const lines = [];
  for (let at = 0; at < Math.min(raw.length, 4096); at += 16) {
    const part = [...raw.subarray(at, at + 16)];
    const hex = part.map((b) => b.toString(16).padStart(2, "0")).join(" ").padEnd(47);
    lines.push(`${at.toString(16).padStart(6, "0")}  ${hex}  ${part.map((b) => (b >= 32 && b < 127 ? String.fromCharCode(b) : ".")).join("")}`);
  }
  return raw.length > 4096 ? `${lines.join("\n")}\n… ${raw.length - 4096} more bytes` : lines.join("\n");
}
