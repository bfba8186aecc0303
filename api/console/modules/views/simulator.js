// Simulator: make something go wrong at a simulated device, and watch what Veldwatch makes of it.

import { request } from "../api.js";
import { markOf } from "../badges.js";
import { disposables, fill, h, setText } from "../dom.js";
import { icon } from "../icons.js";
import { mayOperate } from "../session.js";
import { empty } from "../states.js";
import { ageElement } from "../time.js";
import { notice } from "../toasts.js";
import { sentence } from "../units.js";

const REFRESH_MILLISECONDS = 3_000;
const FAULTS = {
  leak: ["Leak", "Water flows that never stops", "meter"], outage: ["Outage", "The device falls silent", ""],
  fence_crossing: ["Fence crossing", "The animal leaves the reserve", "tracker"], immobility: ["Immobility", "The animal stays in one place", "tracker"],
};

export async function show(view) {
  const parts = disposables();
  const state = { ...(await request("/v1/simulator")), list: h("div", { class: "faults" }), drawn: null };
  if (state.devices.length === 0) {
    fill(view, h("div", { class: "card" }, empty("simulator", "No simulated device", "Start the demo, or run veldwatch simulate.")));
    return parts.dispose;
  }
  fill(view, h("div", { class: "simulator" },
    h("section", { class: "card", "aria-label": "Start a fault" }, h("div", { class: "card-head" }, h("h2", {}, "Make something go wrong")), h("div", { class: "card-body" }, form(state))),
    h("section", { class: "card", "aria-label": "Faults" }, h("div", { class: "card-head" }, h("h2", { class: "grow" }, "Faults"), h("span", { class: "small muted" }, "running first")), h("div", { class: "card-body" }, state.list))));
  drawFaults(state);
  const timer = setInterval(() => refresh(state), REFRESH_MILLISECONDS);
  parts.add(() => clearInterval(timer));
  return parts.dispose;
}

async function refresh(state) {
  const now = await request("/v1/simulator").catch(() => null);
  if (now === null) return;
  state.faults = now.faults;
  drawFaults(state);
}

function form(state) {
  const allowed = mayOperate();
  const device = h("select", { class: "input", name: "device", required: true });
  const error = h("p", { class: "gate-error", role: "alert" }, allowed ? "" : "Only operators may start faults.");
  const offer = (kind) => {
    const wanted = FAULTS[kind]?.[2] ?? "";
    const ones = state.devices.filter((d) => wanted === "" || d.kind === wanted).filter((d) => kind !== "leak" || markOf(d) === "meter");
    fill(device, Object.entries(Object.groupBy(ones, (d) => d.organisation)).map(([organisation, group]) =>
      h("optgroup", { label: organisation }, group.sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true })).map((d) => h("option", { value: d.id }, d.name)))));
  };
  const kinds = h("fieldset", { class: "fault-kinds" }, h("legend", {}, "What"), state.kinds.map((kind, i) =>
    h("label", { class: "fault-kind" }, h("input", { type: "radio", name: "kind", value: kind, checked: i === 0, disabled: !allowed, on: { change: () => offer(kind) } }),
      h("b", {}, FAULTS[kind]?.[0] ?? sentence(kind)), h("span", { class: "small muted" }, FAULTS[kind]?.[1] ?? ""))));
  offer(state.kinds[0]);
  const submit = async (event) => {
    event.preventDefault();
    setText(error, "");
    try {
      await request("/v1/simulator/faults", { method: "POST", body: { device_id: Number(device.value), kind: new FormData(event.target).get("kind") } });
      notice("The fault is on its way to the simulator");
      await refresh(state);
    } catch (problem) {
      setText(error, problem.message);
    }
  };
  return h("form", { class: "stack", on: { submit } }, kinds, h("label", { class: "field" }, "Where", device), error,
    h("button", { class: "button button-main", type: "submit", disabled: !allowed }, icon("play", 16), "Start the fault"));
}

function drawFaults(state) {
  const faults = [...state.faults].sort((a, b) => Number(Boolean(a.stopped_at)) - Number(Boolean(b.stopped_at)) || b.id - a.id);
  const seen = JSON.stringify(faults);
  if (seen === state.drawn) return;
  state.drawn = seen;
  fill(state.list, faults.length === 0 ? empty("simulator", "Nothing is wrong", "Start a fault: a leak becomes an alert on this page, and a mail in the mailbox.") : faults.map((fault) => row(state, fault)));
}

function phase(fault) {
  if (fault.stopped_at) return ["badge", "ok", "Ended"];
  return fault.started_at ? ["badge severity-major", "play", "Running"] : ["badge severity-info", "clock", "Requested"];
}

function row(state, fault) {
  const [style, sign, word] = phase(fault);
  const stop = async () => {
    try {
      await request(`/v1/simulator/faults/${fault.id}/stop`, { method: "POST" });
      await refresh(state);
    } catch (error) {
      notice(error.message, "bad");
    }
  };
  return h("div", { class: "receipt" }, h("span", { class: style }, icon(sign, 14), word),
    h("span", { class: "clip" }, h("b", {}, FAULTS[fault.kind]?.[0] ?? sentence(fault.kind)), " at ", fault.device_id ? h("a", { href: `#/devices/${fault.device_id}` }, fault.device_name) : fault.site_name),
    fault.stopped_at ? h("span", { class: "small muted" }, ageElement(fault.stopped_at)) : h("button", { class: "button button-small button-danger", type: "button", disabled: !mayOperate(), on: { click: stop } }, icon("stop", 14), "Stop"),
    h("div", { class: "attempt" }, `Requested by ${fault.requested_by || "somebody"} `, ageElement(fault.requested_at)));
}
