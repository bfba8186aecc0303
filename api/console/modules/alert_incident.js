// The incident that an alert is part of, and ways to take it out and put it back.

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { mayOperate } from "./session.js";

/**
 * A line about the incident; null: the alert is in none.
 * @param {(path: string, body: object|undefined, done: string) => Promise<void>} act posts, tells and shows the alert anew
 */
export function incidentPart(alert, act) {
  if (!alert.incident_id) return null;
  const apart = alert.taken_out_by !== null;
  const [path, words, done] = apart ? ["/put-back", "Put back", "It is where it belongs by itself"] : ["/take-out", "Take out of it", "It has an incident of its own"];
  return h("div", { class: "row row-wrap", id: "incident-part" }, icon(apart ? "leave" : "incidents", 16), h("a", { href: `#/incidents/${alert.incident_id}`, id: "incident-link" }, apart ? "An incident of its own" : "Part of an incident"),
    apart ? h("span", { class: "muted small" }, `taken out by ${alert.taken_out_by}`) : null, h("span", { class: "grow" }),
    mayOperate() ? h("button", { class: "button button-small", type: "button", on: { click: () => act(path, undefined, done) } }, icon(apart ? "back" : "leave", 15), words) : null);
}
