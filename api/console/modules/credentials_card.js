// Credentials of a device: what lets it in, a new one whose secret is shown once, rotate and revoke. For operators.

import { collect, request } from "./api.js";
import { fill, h, setText } from "./dom.js";
import { icon } from "./icons.js";
import { ageElement, timeElement } from "./time.js";
import { notice } from "./toasts.js";

const NEWEST = 20;
const STATES = { valid: ["badge", "ok", "In force"], expired: ["badge severity-info", "clock", "Over"], revoked: ["badge severity-info", "stop", "Revoked"] };

export function credentialsCard(device) {
  const state = { device, list: h("div", {}), issued: h("div", { "aria-live": "polite" }) };
  const create = h("button", { class: "button button-small", type: "button", on: { click: () => showForm(state) } }, icon("plus", 14), "Create credential");
  load(state);
  return h("section", { class: "card", "aria-label": "Credentials" },
    h("div", { class: "card-head" }, h("h2", { class: "grow" }, "Credentials"), create), state.issued, state.list);
}

async function load(state) {
  try {
    const { items } = await collect(`/v1/devices/${state.device.id}/credentials`, { query: { limit: 1000 } });
    fill(state.list, items.length === 0 ? h("p", { class: "muted small card-body" }, "None: this device cannot connect by itself.") : items.reverse().slice(0, NEWEST).map((one) => row(state, one)));
  } catch (error) {
    fill(state.list, h("p", { class: "gate-error card-body", role: "alert" }, error.message));
  }
}

function row(state, one) {
  const [style, sign, word] = STATES[one.state];
  const others = one.devices.length > 1 ? ` · ${one.devices.length} devices` : "";
  const beside = [...one.publish, ...one.subscribe];
  return h("div", { class: "list-row credential" },
    h("div", { class: "row row-wrap" }, h("span", { class: style }, icon(sign, 14), word), h("span", { class: "mono grow wrap" }, one.username),
      one.state === "valid" ? actions(state, one) : null),
    h("div", { class: "small muted wrap" }, one.kind === "certificate" ? "Certificate" : "Name and secret", others, one.note ? ` · ${one.note}` : "", ` · by ${one.created_by} `, ageElement(one.created_at),
      one.state === "valid" && one.valid_until ? [" · ends ", timeElement(one.valid_until)] : null,
      one.revoked_at ? [` · revoked by ${one.revoked_by} `, ageElement(one.revoked_at)] : null),
    beside.length > 0 ? h("div", { class: "mono small wrap" }, beside.join(", ")) : null);
}

/** Revoking cannot be undone, so it wants a second click on the same place. */
function actions(state, one) {
  const rotate = one.kind === "password" && one.successor_id === null
    ? h("button", { class: "button button-small", type: "button", on: { click: () => act(state, async () => issued(state, await request(`/v1/credentials/${one.id}/rotate`, { method: "POST", body: {} }), "The old one lets in for 24 h more.")) } }, "Rotate") : null;
  let sure = false;
  const revoke = h("button", { class: "button button-small button-danger", type: "button", on: {
    click: () => {
      if (!sure) { sure = true; setText(revoke, "Really revoke?"); return; }
      act(state, async () => { await request(`/v1/credentials/${one.id}`, { method: "DELETE" }); notice("Revoked: whoever is connected with it is cut off"); });
    },
    blur: () => { sure = false; setText(revoke, "Revoke"); },
  } }, "Revoke");
  return h("span", { class: "row" }, rotate, revoke);
}

function showForm(state) {
  const note = h("input", { class: "input", name: "note", maxlength: 256, placeholder: "spare in the van" });
  const subject = h("input", { class: "input mono", name: "subject", maxlength: 512, placeholder: "CN=meter-0017,O=kasama-water" });
  const error = h("p", { class: "gate-error", role: "alert" });
  const submit = async (event) => {
    event.preventDefault();
    setText(error, "");
    const body = { note: note.value.trim(), ...(subject.value.trim() ? { subject: subject.value.trim() } : {}) };
    try {
      issued(state, await request(`/v1/devices/${state.device.id}/credentials`, { method: "POST", body }));
      await load(state);
    } catch (problem) {
      setText(error, problem.message);
    }
  };
  fill(state.issued, h("form", { class: "stack card-body", on: { submit } },
    h("label", { class: "field" }, "Note", note), h("label", { class: "field" }, "Certificate's subject (empty: a name and a secret are made)", subject), error,
    h("div", { class: "row" }, h("button", { class: "button button-main", type: "submit" }, icon("key", 16), "Create"), h("button", { class: "button", type: "button", on: { click: () => fill(state.issued) } }, "Cancel"))));
  note.focus();
}

async function act(state, what) {
  try {
    await what();
    await load(state);
  } catch (error) {
    notice(error.message, "bad");
  }
}

/** The one time that a secret is seen; it is in no list and cannot be asked for again. */
function issued(state, one, more = "") {
  if (one.secret === null) return fill(state.issued, h("p", { class: "card-body small" }, "A certificate with this subject is let in now."));
  return fill(state.issued, h("div", { class: "card-body stack issued" },
    h("p", { class: "small" }, h("b", {}, "Keep this secret now: it is shown this once. "), more),
    copied("Name", one.username), copied("Secret", one.secret), copied("Try it", trial(state.device, one)),
    h("button", { class: "button", type: "button", on: { click: () => fill(state.issued) } }, icon("check", 15), "I have it")));
}

function trial(device, one) {
  const topic = `veldwatch/v1/${device.organisation}/${device.external_id}/readings`;
  const message = JSON.stringify({ observed_at: `${new Date().toISOString().slice(0, 19)}Z`, readings: { test: 1 } });
  const tls = one.mqtt_tls ? " --cafile ca.crt" : "";
  return `mosquitto_pub -h ${one.mqtt_host} -p ${one.mqtt_port}${tls} -u ${one.username} -P ${one.secret} -i ${one.username} -q 1 -t ${quoted(topic)} -m ${quoted(message)}`;
}

/** For a POSIX shell: a device's name is text from outside, and must stay text. */
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

function copied(name, value) {
  const button = h("button", { class: "button button-small", type: "button", "aria-label": `Copy ${name.toLowerCase()}`, on: {
    click: async () => {
      try { await navigator.clipboard.writeText(value); notice("Copied"); } catch { notice("The browser does not allow copying: select the text", "bad"); }
    },
  } }, "Copy");
  return h("div", { class: "field" }, name, h("div", { class: "row" }, h("code", { class: "mono wrap grow copied" }, value), button));
}
