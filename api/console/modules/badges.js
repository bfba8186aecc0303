// Severity, state and status as badges: always an icon and a word, the colour only repeats them.

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { sentence } from "./units.js";

export const SEVERITIES = ["critical", "major", "minor", "info"];
export const STATES = ["firing", "pending", "resolved", "retracted"];
const STATE_ICONS = { firing: "alerts", pending: "clock", resolved: "ok", retracted: "retracted" };

export const severityRank = (severity) => SEVERITIES.length - SEVERITIES.indexOf(severity);

export const severityBadge = (severity) => h("span", { class: `badge severity-${severity}` }, icon(severity, 14), sentence(severity));

export const stateBadge = (state) => h("span", { class: `badge state-${state}` }, icon(STATE_ICONS[state] ?? "info", 14), sentence(state));

/** `fresh`, `silent` or `never`: what the server says of a device, kept up to date by the stream. */
export function freshness(device) {
  if (!device.last_contact_at) return "never";
  return device.online === false ? "silent" : "fresh";
}

const FRESHNESS = { fresh: ["ok", "Heard"], silent: ["silent", "Silent"], never: ["clock", "Never heard"] };

export function freshnessBadge(device) {
  const name = freshness(device);
  return h("span", { class: `badge fresh-${name}` }, icon(FRESHNESS[name][0], 14), FRESHNESS[name][1]);
}

/** Which mark stands for a device: its kind, with electricity told apart from water. */
export function markOf({ kind, profile }) {
  if (kind === "meter" && /electric|energy|power/.test(profile ?? "")) return "power";
  return ["meter", "sensor", "gateway", "tracker"].includes(kind) ? kind : "sensor";
}

export const kindIcon = (device, size = 18) => icon(markOf(device), size);
