// Simulator: play a scenario, make something go wrong in it, and watch what Veldwatch makes of it.

import { request } from "../api.js";
import { disposables, fill, h, setText } from "../dom.js";
import { icon } from "../icons.js";
import { mayOperate } from "../session.js";
import { empty } from "../states.js";
import { ageElement } from "../time.js";
import { notice } from "../toasts.js";
import { sentence } from "../units.js";

const REFRESH_MILLISECONDS = 3_000;
const LAYERS = { physics: "In pipe, wire or animal", instrument: "In the device", wire: "On the way to the broker" };

export async function show(view) {
  const parts = disposables();
  const state = { ...(await request("/v1/simulator")), list: h("div", { class: "faults" }), runList: h("div", { class: "faults" }), drawn: null, drawnRuns: null };
  fill(view, h("div", { class: "simulator" },
    card("Start a fault", "Make something go wrong", state.devices.length === 0 ? empty("simulator", "No simulated device", "Start a scenario, or run veldwatch simulate.") : form(state)),
    card("Runs", "Runs", h("div", { class: "stack" }, runForm(state), state.runList)),
    card("Faults", "Faults", state.list, h("span", { class: "small muted" }, "running first"))));
  draw(state);
  const timer = setInterval(() => refresh(state), REFRESH_MILLISECONDS);
  parts.add(() => clearInterval(timer));
  return parts.dispose;
}

function card(label, title, body, beside = "") {
  return h("section", { class: "card", "aria-label": label }, h("div", { class: "card-head" }, h("h2", { class: "grow" }, title), beside), h("div", { class: "card-body" }, body));
}

async function refresh(state) {
  const now = await request("/v1/simulator").catch(() => null);
  if (now === null) return;
  state.faults = now.faults;
  state.runs = now.runs;
  draw(state);
}

function draw(state) {
  drawFaults(state);
  drawRuns(state);
}

function placesOf(state, kind) {
  if (kind.sites.length > 0) return state.sites.filter((site) => kind.sites.includes(site.kind)).map((site) => ({ ...site, value: `site:${site.id}` }));
  return state.devices.filter((device) => kind.models.length === 0 || kind.models.includes(device.model)).map((device) => ({ ...device, value: `device:${device.id}` }));
}

function form(state) {
  const allowed = mayOperate();
  const kinds = state.kinds.filter((kind) => placesOf(state, kind).length > 0);
  const place = h("select", { class: "input", name: "place", required: true });
  const sizes = h("div", { class: "fault-sizes" });
  const error = h("p", { class: "gate-error", role: "alert" }, allowed ? "" : "Only operators may start faults.");
  const offer = (kind) => {
    const byOrganisation = Object.entries(Object.groupBy(placesOf(state, kind), (one) => one.organisation));
    fill(place, byOrganisation.map(([organisation, group]) => h("optgroup", { label: organisation },
      group.sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true })).map((one) => h("option", { value: one.value }, one.name)))));
    fill(sizes, kind.parameters.map((parameter) => h("label", { class: "field" }, `${sentence(parameter.name)}${parameter.unit === "1" ? "" : ` (${parameter.unit})`}`,
      h("input", { class: "input", type: "number", step: "any", name: parameter.name, value: parameter.usual, min: parameter.minimum, max: parameter.maximum, disabled: !allowed }),
      h("span", { class: "small muted" }, parameter.meaning))));
  };
  const kind = h("select", { class: "input", name: "kind", required: true, disabled: !allowed, on: { change: () => offer(kinds.find((one) => one.name === kind.value)) } },
    Object.entries(LAYERS).map(([layer, title]) => h("optgroup", { label: title }, kinds.filter((one) => one.layer === layer).map((one) => h("option", { value: one.name }, one.title)))));
  const first = kinds.find((one) => one.name === "leak") ?? kinds[0];
  kind.value = first.name;
  offer(first);
  const submit = async (event) => {
    event.preventDefault();
    setText(error, "");
    const [at, number] = place.value.split(":");
    const parameters = Object.fromEntries([...sizes.querySelectorAll("input")].map((input) => [input.name, Number(input.value)]));
    try {
      await request("/v1/simulator/faults", { method: "POST", body: { [`${at}_id`]: Number(number), kind: kind.value, parameters } });
      notice("The fault is on its way to the simulator");
      await refresh(state);
    } catch (problem) {
      setText(error, problem.message);
    }
  };
  return h("form", { class: "stack", on: { submit } }, h("label", { class: "field" }, "What", kind), h("label", { class: "field" }, "Where", place), sizes, error,
    h("button", { class: "button button-main", type: "submit", disabled: !allowed }, icon("play", 16), "Start the fault"));
}

function runForm(state) {
  const allowed = mayOperate();
  const error = h("p", { class: "gate-error", role: "alert" });
  const scenario = h("select", { class: "input", name: "scenario", disabled: !allowed }, state.scenarios.map((one) => h("option", { value: one.name }, `${sentence(one.name)}: ${one.title}`)));
  const submit = async (event) => {
    event.preventDefault();
    setText(error, "");
    try {
      await request("/v1/simulator/runs", { method: "POST", body: { scenario: scenario.value } });
      notice("The run is on its way to the simulator");
      await refresh(state);
    } catch (problem) {
      setText(error, problem.message);
    }
  };
  return h("form", { class: "stack", on: { submit } }, h("label", { class: "field" }, "Scenario", scenario), error,
    h("button", { class: "button", type: "submit", disabled: !allowed }, icon("play", 16), "Start the scenario"));
}

function drawRuns(state) {
  const seen = JSON.stringify(state.runs);
  if (seen === state.drawnRuns) return;
  state.drawnRuns = seen;
  fill(state.runList, state.runs.length === 0 ? empty("simulator", "Nothing is played", "Start a scenario.") : state.runs.map((run) => runRow(state, run)));
}

function runRow(state, run) {
  const [style, sign, word] = phase(run);
  const stop = () => ended(state, `/v1/simulator/runs/${run.id}/stop`);
  const told = run.simulated_until ? ["told until ", ageElement(run.simulated_until)] : ["nothing told yet"];
  return h("div", { class: "receipt" }, h("span", { class: style }, icon(sign, 14), word),
    h("span", { class: "wrap" }, h("b", {}, sentence(run.scenario)), run.seed === null ? "" : `, seed ${run.seed}`),
    run.stopped_at ? h("span", { class: "small muted" }, ageElement(run.stopped_at)) : h("button", { class: "button button-small button-danger", type: "button", "aria-label": `Stop run ${run.id} of ${run.scenario}`, disabled: !mayOperate(), on: { click: stop } }, icon("stop", 14), "Stop"),
    h("div", { class: "attempt" }, `${run.messages.toLocaleString()} messages, `, ...told, run.note ? `: ${run.note}` : ""));
}

async function ended(state, path) {
  try {
    await request(path, { method: "POST" });
    await refresh(state);
  } catch (error) {
    notice(error.message, "bad");
  }
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
  const stop = () => ended(state, `/v1/simulator/faults/${fault.id}/stop`);
  const title = state.kinds.find((kind) => kind.name === fault.kind)?.title ?? sentence(fault.kind);
  const size = fault.size === null ? "" : ` (${fault.size} ${fault.size_unit === "1" ? "" : fault.size_unit})`.replace(" )", ")");
  return h("div", { class: "receipt" }, h("span", { class: style }, icon(sign, 14), word),
    h("span", { class: "wrap" }, h("b", {}, title), size, " at ", fault.device_id ? h("a", { href: `#/devices/${fault.device_id}` }, fault.device_name) : fault.site_name),
    fault.stopped_at ? h("span", { class: "small muted" }, ageElement(fault.stopped_at)) : h("button", { class: "button button-small button-danger", type: "button", disabled: !mayOperate(), on: { click: stop } }, icon("stop", 14), "Stop"),
    h("div", { class: "attempt" }, fault.planned_key ? "Planned by the scenario " : `Requested by ${fault.requested_by || "somebody"} `, ageElement(fault.requested_at)));
}
