// What an operator may say of a device: confirm or refuse it, retire it, put it back; and on what it is since when.

import { collect, request } from "./api.js";
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { mayOperate } from "./session.js";
import { notice } from "./toasts.js";
import { timeElement } from "./time.js";

/** Confirm or refuse devices that registered themselves; tells the outcome, and gives whether it worked. */
export async function decide(decision, ids) {
  try {
    const { device_ids: changed } = await request("/v1/devices/decide", { method: "POST", body: { decision, device_ids: ids } });
    notice(`${changed.length === 1 ? "The device is" : `${changed.length} devices are`} ${decision === "confirm" ? "confirmed" : "refused"}`);
    return true;
  } catch (error) {
    notice(error.message, "bad");
    return false;
  }
}

const button = (text, sign, click, style = "") => h("button", { class: `button button-small ${style}`, type: "button", on: { click } }, icon(sign, 14), text);

/** Buttons that change a device's status; `changed` is called after one has. */
export function statusButtons(device, changed) {
  if (!mayOperate()) return null;
  const decided = (decision) => async (event) => { event.stopPropagation(); if (await decide(decision, [device.id])) await changed(); };
  const put = (status, said) => async () => {
    try {
      await request(`/v1/devices/${device.id}`, { method: "PATCH", body: { status } });
      notice(said);
      await changed();
    } catch (error) {
      notice(error.message, "bad");
    }
  };
  switch (device.status) {
    case "pending": return h("span", { class: "row" }, button("Confirm", "ok", decided("confirm"), "button-main"), button("Refuse", "stop", decided("refuse")));
    case "refused": return button("Confirm after all", "ok", decided("confirm"));
    case "retired": return button("Put back", "play", put("active", "The device is in service again"));
    default: return button("Retire", "stop", put("retired", "The device is retired: what it sends goes to quarantine"));
  }
}

/** What a device is on, and was on; operators move it and take it off. */
export async function deployments(device) {
  const { items } = await request(`/v1/devices/${device.id}/deployments`);
  const host = h("div", {});
  const again = async () => fill(host, await deployments(device));
  const list = items.length === 0 ? h("p", { class: "muted small card-body" }, "On nothing: its history is its own.") : items.map((one) => row(one));
  fill(host, list, mayOperate() ? await form(device, items.find((one) => one.until === null), again) : null);
  return host;
}

function row(one) {
  return h("div", { class: "deployment" }, h("div", { class: "row" }, h("b", { class: "grow clip" }, one.subject_name), one.until === null ? h("span", { class: "badge" }, icon("ok", 14), "Now") : null),
    h("div", { class: "muted small" }, one.species ? h("i", {}, one.species, " · ") : `${one.kind.replaceAll("_", " ")} · `,
      one.since === null ? "from the beginning" : ["from ", timeElement(one.since)], one.until === null ? null : [" to ", timeElement(one.until)]));
}

async function form(device, open, again) {
  const subjects = await collect("/v1/subjects", { query: { organisation: device.organisation, limit: 1000 } });
  const others = subjects.items.filter((one) => one.slug !== open?.subject);
  const choice = h("select", { class: "input grow", name: "subject", "aria-label": "Subject" }, others.map((one) => h("option", { value: one.slug }, one.name)));
  const act = (work, said) => async (event) => {
    event.preventDefault();
    try {
      await work();
      notice(said);
      await again();
    } catch (error) {
      notice(error.message, "bad");
    }
  };
  const move = act(() => request(`/v1/devices/${device.id}/deployments`, { method: "POST", body: { subject: choice.value, move: true } }), `${device.name} was put on another subject`);
  const end = act(() => request(`/v1/devices/${device.id}/deployments/end`, { method: "POST", body: {} }), `${device.name} was taken off`);
  return h("form", { class: "row row-wrap card-body", on: { submit: move } },
    others.length > 0 ? [choice, h("button", { class: "button button-small", type: "submit" }, icon("play", 14), open ? "Move here" : "Put on it")] : null,
    open ? button("Take off", "stop", end) : null);
}
