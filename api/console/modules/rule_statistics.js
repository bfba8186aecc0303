// What became of a rule's alerts in the last four weeks: whether it is worth them.

import { request } from "./api.js";
import { fill, h } from "./dom.js";
import { failure, skeleton } from "./states.js";
import { span } from "./time.js";
import { sentence } from "./units.js";

const fact = (name, value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));
const share = (part) => (part === null ? "–" : `${Math.round(part * 100)} %`);

/** Fill `host` with the statistics of a rule. */
export async function showStatistics(host, slug) {
  fill(host, skeleton(3));
  try {
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const told = await request(`/v1/rules/${encodeURIComponent(slug)}/statistics`, { query: { time_zone: zone } });
    const verdicts = Object.entries(told.resolutions).map(([reason, count]) => `${count} ${sentence(reason).toLowerCase()}`).join(", ");
    fill(host, h("dl", { class: "facts" }, fact("Alerts", `${told.alerts}, ${told.per_week} a week`), fact("Firing now", told.still_firing),
      fact("Lasted", told.median_seconds === null ? "–" : `${span(told.median_seconds)} (median)`), fact("Acknowledged", [share(told.share_acknowledged), told.median_seconds_to_acknowledge === null ? "" : `after ${span(told.median_seconds_to_acknowledge)}`].filter(Boolean).join(", ")),
      fact("Resolved by hand", verdicts || "none"), fact("False alarms", told.share_false === null ? "–" : `${share(told.share_false)} of the verdicts`), fact("At night", share(told.share_at_night)), fact("Late", told.late), fact("Retracted", told.retracted)),
    told.top.length === 0 ? null : h("table", { class: "table" }, h("thead", {}, h("tr", {}, h("th", {}, "Most alerts"), h("th", { class: "right" }, "Alerts"), h("th", { class: "right" }, "False"))),
      h("tbody", {}, told.top.map((one) => h("tr", {}, h("td", {}, one.device_id ? h("a", { href: `#/devices/${one.device_id}` }, one.name ?? one.device) : one.name ?? one.site), h("td", { class: "right number" }, one.alerts), h("td", { class: "right number" }, one.false_alarms))))));
  } catch (error) {
    if (error.name !== "AbortError") fill(host, failure(error, () => showStatistics(host, slug)));
  }
}
