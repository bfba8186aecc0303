// A back-test as a picture: a lane for each device, the draft's alerts below those of the present version.

import { h } from "./dom.js";
import { local } from "./time.js";
import { count } from "./units.js";

const LANES = 30;
const TICKS = 5;
const DAY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "2-digit" });

/** @param {object} backtest finished */
export function picture({ from, to, result }) {
  const [begin, end] = [Date.parse(from), Date.parse(to)];
  const place = (iso, otherwise) => Math.min(1, Math.max(0, (Date.parse(iso ?? otherwise) - begin) / (end - begin)));
  const lanes = new Map();
  for (const row of result.alerts) {
    const alert = row.draft ?? row.present;
    const name = alert.device ?? alert.site ?? "";
    lanes.set(name, [...(lanes.get(name) ?? []), row]);
  }
  const busiest = [...lanes].sort((one, other) => other[1].length - one[1].length).slice(0, LANES);
  const compared = result.present !== null;
  const bar = (side, row) => {
    const alert = row[side];
    const element = h("i", { class: `lane-bar lane-${side}`, "data-difference": row.difference, title: `${side === "draft" ? "Draft" : "Present"}: ${local(alert.opened_at)} to ${alert.resolved_at ? local(alert.resolved_at) : "no end"}` });
    const [left, right] = [place(alert.opened_at), place(alert.resolved_at, to)];
    element.style.left = `${left * 100}%`;
    element.style.width = `${Math.max(right - left, 0) * 100}%`;
    return element;
  };
  const lane = ([name, rows]) => h("div", { class: "lane" }, h("span", { class: "lane-name mono clip", title: name }, name),
    h("div", { class: "lane-time", "data-compared": String(compared) }, rows.filter((row) => row.present).map((row) => bar("present", row)), rows.filter((row) => row.draft).map((row) => bar("draft", row))));
  const tick = (n) => h("span", {}, DAY.format(new Date(begin + ((end - begin) * n) / (TICKS - 1))));
  return h("div", { class: "lanes", role: "img", "aria-label": `Alerts of ${count(lanes.size)} devices over time` },
    h("div", { class: "lane-legend" }, compared ? h("span", {}, h("i", { class: "lane-key lane-present" }), "Present version") : null, h("span", {}, h("i", { class: "lane-key lane-draft" }), compared ? "Draft" : "This version"),
      lanes.size > LANES ? h("span", { class: "muted" }, `the ${LANES} of ${count(lanes.size)} devices with most alerts`) : null),
    busiest.map(lane), h("div", { class: "lane lane-axis" }, h("span", { class: "lane-name" }), h("div", { class: "lane-ticks" }, Array.from({ length: TICKS }, (_, n) => tick(n)))));
}
