// Severity, state and status as badges: always an icon and a word, the colour only repeats them.

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { secondsSince } from "./time.js";
import { sentence } from "./units.js";

export const SEVERITIES = ["critical", "major", "minor", "info"];
export const STATES = ["firing", "pending", "resolved", "retracted"];
const STATE_ICONS = { firing: "alerts", pending: "clock", resolved: "ok", retracted: "retracted" };

/** Without a declared interval: fresh for a quarter of an hour, silent after six hours. */
const LATE_SECONDS = 900;
const SILENT_SECONDS = 6 * 3600;

export const severityRank = (severity) => SEVERITIES.length - SEVERITIES.indexOf(severity);

export const severityBadge = (severity) => h("span", { class: `badge severity-${severity}` }, icon(severity, 14), sentence(severity));

export const stateBadge = (state) => h("span", { class: `badge state-${state}` }, icon(STATE_ICONS[state] ?? "info", 14), sentence(state));

/** `fresh`, `late`, `silent`, `offline` or `never`, from the last contact and the profile's interval where it is known. */
export function freshness(device, now = Date.now()) {
  if (!device.last_contact_at) return "never";
  if (device.online === false) return "offline";
  const interval = device.expected_interval_seconds;
  const age = secondsSince(device.last_contact_at, now);
  if (age > (interval ? interval * 10 : SILENT_SECONDS)) return "silent";
  return age > (interval ? interval * 3 : LATE_SECONDS) ? "late" : "fresh";
}

const FRESHNESS = { fresh: ["ok", "Heard"], late: ["clock", "Late"], silent: ["silent", "Silent"], offline: ["lost", "Offline"], never: ["clock", "Never heard"] };

export const freshnessWord = (name) => FRESHNESS[name][1];

export function freshnessBadge(device) {
  const name = freshness(device);
  return h("span", { class: `badge fresh-${name}` }, icon(FRESHNESS[name][0], 14), FRESHNESS[name][1]);
}

export const kindIcon = (kind, size = 18) => icon(["meter", "sensor", "gateway", "tracker"].includes(kind) ? kind : "devices", size);
