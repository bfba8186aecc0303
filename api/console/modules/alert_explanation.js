// Why an alert was not told: what explains it, what it explains, the silence that mutes it; and a way to make one.

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { mayOperate } from "./session.js";
import { timeElement } from "./time.js";
import { count } from "./units.js";

/** Lines for the head of an alert; empty where there is nothing to say. */
export function explanation(alert) {
  const lines = [explained(alert), explaining(alert), silenced(alert)].filter(Boolean);
  return lines.length === 0 ? null : h("div", { class: "stack quiet-notes" }, lines);
}

/** A link to the view that makes silences, with the matcher filled in from an alert. */
export function silenceLink(alert) {
  if (!mayOperate() || alert.silenced_by || alert.state !== "firing") return null;
  const matcher = new URLSearchParams({ organisation: alert.organisation, rule: alert.rule });
  if (alert.device) matcher.set("device", alert.device);
  else if (alert.site) matcher.set("site", alert.site);
  return h("a", { class: "button", id: "silence-this", href: `#/quiet/new?${matcher}` }, icon("silent", 16), "Silence this");
}

function explained(alert) {
  const title = alert.explained_by_title ?? "something";
  if (alert.explained_by === null && alert.explained_by_interruption === null) return null;
  const cause = alert.explained_by ? h("a", { href: `#/alerts/${alert.explained_by}` }, title) : h("a", { href: "#/quiet" }, title);
  const over = alert.explained_until !== null && Date.parse(alert.explained_until) <= Date.now();
  const until = alert.explained_until === null ? "It is told if it outlasts that." : over ? ["It was explained until ", timeElement(alert.explained_until), "."] : ["It is told if it still holds ", timeElement(alert.explained_until), "."];
  return note("info", h("b", {}, "Explained by "), cause, ". ", until);
}

function explaining(alert) {
  if (!alert.explains) return null;
  return note("silent", `Explains ${count(alert.explains)} silent ${alert.explains === 1 ? "device" : "devices"} that nobody is told of.`);
}

function silenced(alert) {
  if (!alert.silenced_by) return null;
  return note("silent", h("b", {}, "Silenced. "), "It is told when ", h("a", { href: `#/quiet/${alert.silenced_by}` }, `silence ${alert.silenced_by}`), " ends, if it still holds.");
}

const note = (name, ...text) => h("p", { class: "quiet-note" }, icon(name, 17), h("span", {}, text));
