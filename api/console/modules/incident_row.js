// One incident in a list.

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { ageElement } from "./time.js";
import { count, sentence } from "./units.js";

export const isOpenIncident = (incident) => incident.state === "open";

const alerts = (number) => `${count(number)} ${number === 1 ? "alert" : "alerts"}`;

/** What it is about, else how many alerts it has. */
function sub(incident) {
  return [incident.impact.text === null ? null : sentence(incident.impact.text), alerts(incident.alerts), incident.site_name].filter((part) => part !== null).join(" · ");
}

function flag(incident) {
  if (incident.resolved_by_hand_at !== null) return "Resolved by hand";
  if (!isOpenIncident(incident)) return "Resolved";
  if (incident.assigned_to !== null) return incident.assigned_to;
  return incident.acknowledged_alerts >= incident.alerts ? "Acknowledged" : "Open";
}

export function incidentRow(incident, { href, current = false }) {
  return h("a", { class: `alert-row ${isOpenIncident(incident) ? `severity-edge-${incident.severity}` : "closed"}`, href, "data-incident": incident.id, "aria-current": current ? "true" : null },
    h("span", { class: `mark severity-${incident.severity}`, title: sentence(incident.severity) }, icon(incident.severity, 17), h("span", { class: "hidden" }, `${sentence(incident.severity)}: `)),
    h("span", { class: "title clip" }, incident.title),
    h("span", { class: "when" }, ageElement(incident.opened_at)),
    h("span", { class: "sub clip" }, sub(incident)),
    h("span", { class: "flag" }, flag(incident)));
}
