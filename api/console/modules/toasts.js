// Short notices in a corner: new alerts, and the outcome of what the operator did.

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { severityBadge } from "./badges.js";

const SHOWN_MILLISECONDS = 8_000;
const SHOWN_AT_ONCE = 3;

function show(element) {
  const region = document.getElementById("toasts");
  while (region.children.length >= SHOWN_AT_ONCE) region.firstElementChild.remove();
  region.append(element);
  setTimeout(() => element.remove(), SHOWN_MILLISECONDS);
}

export function notice(text, kind = "ok") {
  show(h("div", { class: `toast toast-${kind}` }, icon(kind === "ok" ? "ok" : "critical", 18), h("span", {}, text)));
}

/** An alert that has just begun to fire; a click opens it. */
export function alertNotice(alert) {
  const title = alert.rule_title || alert.rule;
  show(h("a", { class: `toast toast-alert severity-edge-${alert.severity}`, href: `#/alerts/${alert.id}` },
    h("div", { class: "toast-head" }, severityBadge(alert.severity), h("strong", {}, title)),
    h("span", { class: "clip" }, `${alert.device_name ?? alert.device ?? ""} – ${alert.summary}`)));
}
