// One alert in a list.

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { ageElement } from "./time.js";
import { sentence } from "./units.js";

const OPEN = ["firing", "pending"];

export const isOpen = (alert) => OPEN.includes(alert.state);

export const alertTime = (alert) => alert.fired_at ?? alert.opened_at;

function flag(alert) {
  if (alert.resolution) return `${sentence(alert.resolution)} · ${sentence(alert.state)}`;
  if (alert.assigned_to) return `${alert.assigned_to} · ${sentence(alert.state)}`;
  if (alert.silenced_by) return `Silenced · ${sentence(alert.state)}`;
  if (alert.explained_by || alert.explained_by_interruption) return `Explained · ${sentence(alert.state)}`;
  if (alert.acknowledged_at) return `Acknowledged · ${sentence(alert.state)}`;
  return sentence(alert.state);
}

/** What happened, with the one whom it is about in bold; the name is not said twice. */
function subject({ device_name: name, device, site, summary }) {
  const who = name ?? device ?? site ?? "";
  const at = summary.indexOf(who);
  return at < 0 ? [h("b", {}, who), ` ${summary}`] : [summary.slice(0, at), h("b", {}, who), summary.slice(at + who.length)];
}

export function alertRow(alert, { href = `#/alerts/${alert.id}`, current = false } = {}) {
  return h("a", { class: `alert-row ${isOpen(alert) && !alert.resolution ? `severity-edge-${alert.severity}` : "closed"}`, href, "data-alert": alert.id, "aria-current": current ? "true" : null },
    h("span", { class: `mark severity-${alert.severity}`, title: sentence(alert.severity) }, icon(alert.severity, 17), h("span", { class: "hidden" }, `${sentence(alert.severity)}: `)),
    h("span", { class: "title clip" }, alert.rule_title || alert.rule),
    h("span", { class: "when" }, ageElement(alertTime(alert))),
    h("span", { class: "sub clip" }, subject(alert)),
    h("span", { class: "flag" }, alert.late ? "Heard late · " : "", flag(alert)));
}
