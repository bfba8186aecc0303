// Whose work an alert is, and a person's verdict on it. Keys: m takes it, u gives it back, r goes to the verdict.

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { mayOperate, me } from "./session.js";
import { timeElement } from "./time.js";

export const RESOLUTIONS = { fixed: "Fixed", false_alarm: "False alarm", test: "Test", duplicate: "Duplicate", no_action_needed: "No action needed" };

/**
 * The part of an alert's page about who works on it.
 * @param {(path: string, body: object|undefined, done: string) => Promise<void>} act posts, tells and shows the alert anew
 * @returns {{element: HTMLElement, keys: Record<string, () => void>}}
 */
export function showWork(alert, act) {
  const may = mayOperate();
  const take = () => act("/assign", { if_assigned_to: alert.assigned_to }, "It is yours");
  const release = () => act("/unassign", undefined, "It is nobody's");
  const verdict = alert.resolution || alert.state === "retracted" || !may ? null : verdictForm(act);
  const keys = may ? { m: () => alert.assigned_to !== me.name && take(), u: () => alert.assigned_to && release(), r: () => verdict?.querySelector("select").focus() } : {};
  const element = h("div", { class: "stack" }, owner(alert, may, take, release), may ? assignForm(alert, act) : null, given(alert, may, act), verdict);
  return { element, keys };
}

const button = (name, label, go) => h("button", { class: "button button-small", type: "button", on: { click: go } }, icon(name, 15), label);

function owner(alert, may, take, release) {
  const who = alert.assigned_to === null ? h("span", { class: "muted" }, "Nobody's work yet")
    : h("span", {}, "Assigned to ", h("b", {}, alert.assigned_to), h("span", { class: "muted small" }, alert.assigned_by === alert.assigned_to ? " " : ` by ${alert.assigned_by} `, timeElement(alert.assigned_at)));
  return h("div", { class: "row row-wrap", id: "owner" }, who, h("span", { class: "grow" }),
    may && alert.assigned_to !== me.name ? button("check", "Assign to me", take) : null,
    may && alert.assigned_to !== null ? button("leave", "Unassign", release) : null);
}

function assignForm(alert, act) {
  const name = h("input", { class: "input", name: "person", maxlength: 200, required: true, autocomplete: "off", "aria-label": "Assign to", placeholder: "Assign to somebody else …" });
  const submit = (event) => {
    event.preventDefault();
    const to = name.value.trim();
    if (to !== "") act("/assign", { to, if_assigned_to: alert.assigned_to }, `Assigned to ${to}`, event.currentTarget);
  };
  return h("form", { class: "row", on: { submit } }, h("span", { class: "grow" }, name), h("button", { class: "button", type: "submit" }, "Assign"));
}

function given(alert, may, act) {
  if (!alert.resolution) return null;
  const goesOn = ["firing", "pending"].includes(alert.state) ? h("p", { class: "small muted" }, "The condition still holds. A new alert is told as any other.") : null;
  return h("div", { class: "stack", id: "verdict" },
    h("div", { class: "row row-wrap" }, icon("ok", 17), h("b", {}, `Resolved by hand: ${RESOLUTIONS[alert.resolution]}`),
      h("span", { class: "muted small" }, `by ${alert.resolved_by} `, timeElement(alert.resolved_by_hand_at)), h("span", { class: "grow" }),
      may ? button("back", "Reopen", () => act("/reopen", undefined, "Reopened")) : null),
    alert.resolution_note ? h("div", { class: "comment" }, alert.resolution_note) : null, goesOn);
}

function verdictForm(act) {
  const reason = h("select", { class: "input", name: "resolution", required: true, "aria-label": "Resolve as" },
    h("option", { value: "" }, "Resolve as …"), Object.entries(RESOLUTIONS).map(([value, text]) => h("option", { value }, text)));
  const note = h("input", { class: "input", name: "note", maxlength: 4000, autocomplete: "off", "aria-label": "What was found or done", placeholder: "What was found or done" });
  const submit = (event) => {
    event.preventDefault();
    if (reason.value !== "") act("/resolve", { resolution: reason.value, note: note.value.trim() }, "Resolved by hand", event.currentTarget);
  };
  return h("form", { class: "stack", on: { submit } }, h("div", { class: "row row-wrap" }, reason, h("span", { class: "grow" }, note), h("button", { class: "button", type: "submit" }, icon("ok", 15), "Resolve by hand")));
}
