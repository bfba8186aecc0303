// One quarantined message: why it is here, its bytes as text, JSON or hex, what replays made of it, and what can be done.

import { request } from "./api.js";
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { link } from "./router.js";
import { mayOperate, me } from "./session.js";
import { timeElement } from "./time.js";
import { notice } from "./toasts.js";
import { bytes, count, sentence } from "./units.js";

/** What each reason means to the person who has to fix it. */
export const MEANINGS = {
  no_source: "No source's topic filter matches the topic.", source_invalid: "The source that takes the topic cannot work.", malformed_topic: "The topic lacks an organisation, a device or a known kind.",
  malformed_payload: "The bytes are not what the format says.", payload_too_large: "The payload is longer than the limit.",
  unknown_message_type: "The format is known, this kind of message is not.", missing_time: "It carries no time of observation.",
  bad_time: "Its time cannot be read, or lies before digital trackers existed.", future_time: "Its time lies further ahead than clock drift explains.",
  bad_value: "A value is not a finite number of plausible size.", bad_position: "A coordinate is absent, out of range or 0,0.",
  unit_mismatch: "The unit is unknown or of another dimension.", nothing_to_store: "A valid document without anything to store.",
  unknown_organisation: "The organisation in the topic is not registered, or is not the sender's.", unknown_device: "The device is not registered.", device_retired: "The device was retired.", device_refused: "The device registered itself, and somebody refused it.", registration_limit: "More new devices came than the source may register in an hour, or more than 1,000 new metrics of one device.",
  unknown_alias: "The birth certificate that names its metrics was not heard.",
  conflicting_duplicate: "Another value is stored already for this time, and stays. A replay helps only if the source was changed since.", storage_rejected: "The database refused the row.", decoder_failed: "The decoder broke on it: a defect to report.",
};
const STATES = { open: ["badge severity-major", "quarantine", "Waits"], stored: ["badge badge-ok", "check", "Stored by a replay"], discarded: ["badge", "stop", "Discarded"], merged: ["badge", "retracted", "Merged"] };

/**
 * @param {object} item a message with its `history`
 * @param {{back: () => void, replay: (which: object) => void, discard: (which: object, reason: string) => void}} actions
 */
export function messageDetail(item, { back, replay, discard }) {
  const [badge, symbol, state] = item.waiting_in ? ["badge severity-info", "clock", `In replay ${item.waiting_in}`] : STATES[item.state];
  return h("div", {},
    h("header", { class: "detail-head" },
      h("div", { class: "row row-wrap" }, h("button", { class: "button button-small phone-only", type: "button", on: { click: back } }, icon("back", 15), "Messages"), h("span", { class: badge }, icon(symbol, 14), state), h("span", { class: "chip" }, sentence(item.reason)), h("span", { class: "muted small" }, `Message ${item.id}`)),
      item.detail ? h("p", { class: "strong wrap" }, item.detail) : null, h("p", { class: "muted" }, MEANINGS[item.reason] ?? ""),
      item.state !== "stored" && item.why_not ? h("p", { class: "source-fault" }, icon("info", 16), h("span", {}, `Cannot be replayed: ${item.why_not}.`)) : null,
      h("dl", { class: "facts" }, fact("First received", timeElement(item.received_at)), fact("Last received", timeElement(item.last_received_at)), fact("Times", count(item.count)), fact("Source", item.source || "–"), fact("Device", item.device ?? "–"), fact("Organisation", item.organisation ?? "–")),
      mayOperate() ? actionBar(item, { replay, discard }) : null),
    h("section", { class: "detail-section" }, h("h3", {}, "Topic"), h("pre", { class: "payload" }, item.topic)),
    payloadSection(item),
    item.history.length > 0 ? h("section", { class: "detail-section" }, h("h3", {}, "Replays"), h("ol", { class: "timeline" }, item.history.map(attempt))) : null);
}

function actionBar(item, { replay, discard }) {
  const which = { ids: [item.id] };
  const sources = item.source ? link("sources", item.source, { quarantine: String(item.id) }) : link("sources", "new", { quarantine: String(item.id) });
  return h("div", { class: "row row-wrap quarantine-actions" },
    item.replayable && !item.waiting_in ? h("button", { class: "button button-main", type: "button", on: { click: () => replay(which) } }, icon("play", 15), "Replay") : null,
    me.organisation === null ? h("a", { class: "button", href: sources }, icon("sources", 15), item.source ? "Edit source" : "Make a source") : null,
    item.reason === "unknown_device" && item.device && item.organisation ? registerButton(item) : null,
    item.state === "open" && !item.waiting_in ? discardButton("Discard", (reason) => discard(which, reason)) : null);
}

/** Registers the device that a message is of; a replay takes the message in then. */
function registerButton(item) {
  const button = h("button", { class: "button", type: "button", on: { click: async () => {
    button.disabled = true;
    try {
      await request("/v1/devices/bulk", { method: "POST", body: { devices: [{ organisation: item.organisation, external_id: item.device }] } });
      notice(`${item.device} is registered: its messages can be replayed`);
      fill(button, icon("check", 15), "Registered");
    } catch (error) {
      button.disabled = false;
      notice(error.message, "bad");
    }
  } } }, icon("plus", 15), "Register this device");
  return button;
}

/** A button that asks for the reason before it discards. */
export function discardButton(text, discard) {
  const host = h("div", { class: "quarantine-discard" });
  const closed = () => fill(host, h("button", { class: "button button-danger", type: "button", on: { click: ask } }, icon("stop", 15), text));
  const ask = () => {
    const field = h("input", { class: "input", type: "text", required: true, maxlength: 2000, "aria-label": "Why they are given up", placeholder: "Why? For the record" });
    fill(host, h("form", { class: "row", on: { submit: (event) => { event.preventDefault(); if (field.value.trim() !== "") discard(field.value.trim()); } } }, field,
      h("button", { class: "button button-danger", type: "submit" }, text), h("button", { class: "button button-small", type: "button", on: { click: closed } }, "Cancel")));
    field.focus();
  };
  closed();
  return host;
}

function payloadSection(item) {
  if (item.payload_base64 === null) return h("section", { class: "detail-section" }, h("h3", {}, "Payload"), h("p", { class: "muted" }, "A payload may hold anything, so only operators see it."));
  const raw = Uint8Array.from(atob(item.payload_base64), (c) => c.charCodeAt(0));
  const forms = { json: pretty(item.payload_text), text: item.payload_text, hex: hexDump(raw) };
  const body = h("div", {});
  const showAs = (kind) => {
    fill(body, h("pre", { class: "payload", tabindex: "0" }, forms[kind]));
    for (const button of choice.children) button.setAttribute("aria-pressed", String(button.dataset.kind === kind));
  };
  const choice = h("div", { class: "segments", role: "group", "aria-label": "Show payload as" }, [["json", "JSON"], ["text", "Text"], ["hex", "Hex"]].map(([kind, text]) =>
    h("button", { type: "button", "data-kind": kind, disabled: forms[kind] === null, on: { click: () => showAs(kind) } }, text)));
  showAs(["json", "text", "hex"].find((kind) => forms[kind] !== null));
  return h("section", { class: "detail-section" }, h("h3", {}, h("span", {}, "Payload ", h("span", { class: "muted small" }, bytes(item.payload_bytes), item.cut ? ", cut" : "")), choice), body);
}

function attempt(each) {
  const [kind, symbol, text] = each.outcome === "stored" ? ["resolved", "check", "Stored"] : each.outcome === "failed" ? ["firing", "quarantine", `Failed: ${sentence(each.reason).toLowerCase()}`] : each.outcome === "cancelled" ? ["", "stop", "Cancelled"] : ["", "clock", "Waits"];
  return h("li", {}, h("span", { class: "dot", "data-kind": kind }, icon(symbol, 14)),
    h("div", {}, h("div", {}, h("b", {}, text), h("span", { class: "muted small" }, ` replay ${each.replay_id} by ${each.requested_by}, `, timeElement(each.at ?? each.requested_at))), each.detail ? h("div", { class: "small muted wrap" }, each.detail) : null));
}

const fact = (name, value) => h("div", {}, h("dt", {}, name), h("dd", { class: "wrap" }, value));

function pretty(text) {
  if (text === null) return null;
  try {
    const value = JSON.parse(text);
    return typeof value === "object" ? JSON.stringify(value, null, 2) : null;
  } catch {
    return null;
  }
}

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
