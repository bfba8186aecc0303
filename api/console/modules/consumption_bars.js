// What a register counted, as bars under its chart, with a ring where the amount was repaired.

import { request } from "./api.js";
import { chart } from "./charts.js";
import { fill, h, setText } from "./dom.js";
import { failure } from "./states.js";
import { count, quantity } from "./units.js";

const BARS = 10_000;
/** Missing readings and shared-out parts are no repairs: the amounts are the register's own. */
const REPAIRS = { rollover: "roll-over", reset: "reset", exchange: "meter exchanged", fall: "stepped back", implausible: "implausible", suspected_rollover: "roll-over suspected" };
const INTERVALS = { hour: "hour", day: "day", reading: "interval" };
const seconds = (iso) => Date.parse(iso) / 1000;
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "UTC";

/** Between readings for an hour, then hours of the viewer's zone, then days. */
const intervalOf = (hours, bucket) => (bucket !== "raw" ? bucket : hours <= 1 ? "reading" : "hour");

/**
 * Bars for one series, empty until shown.
 * @returns {{element: HTMLElement, show: (hours: number, bucket: string) => Promise<void>, dispose: () => void}}
 */
export function consumptionBars(series, title) {
  const foot = h("span", {});
  const readout = h("span", {});
  const body = h("div", { class: "bars-body" });
  const element = h("div", { class: "bars" }, body, h("div", { class: "chart-foot" }, foot, readout));
  let drawn = null;
  let epoch = 0;

  async function show(hours, bucket) {
    const mine = ++epoch;
    const interval = intervalOf(hours, bucket);
    try {
      const page = await request("/v1/consumption", { query: { series_id: series.id, from: new Date(Date.now() - hours * 3600_000).toISOString(), interval, time_zone: zone, limit: BARS } });
      if (mine === epoch) draw(page.items, interval);
    } catch (error) {
      if (mine === epoch) { clear(); fill(body, failure(error, () => show(hours, bucket))); }
    }
  }

  function draw(items, interval) {
    clear();
    if (items.length === 0) return setText(foot, "no consumption known in this range");
    const repaired = items.filter((b) => b.codes.some((code) => code in REPAIRS));
    const marks = { points: repaired.map((b) => ({ at: (seconds(b.bucket) + seconds(b.until)) / 2, value: b.amount, token: "--minor" })) };
    drawn = chart(body, { unit: series.unit, kind: "bars", height: 124, marks, label: `${title}, consumption per ${INTERVALS[interval]}, ${items.length} bars, ${repaired.length} repaired`, note: (i) => words(items[i]) });
    // The end of the last bar is a point of its own, so that the bar has its width.
    drawn.set([[...items.map((b) => seconds(b.bucket)), seconds(items.at(-1).until)], [...items.map((b) => b.amount), null]]);
    fill(readout, drawn.readout);
    const total = items.reduce((sum, b) => sum + b.amount, 0);
    setText(foot, `${quantity(total, series.unit)} counted, per ${INTERVALS[interval]}${summary(repaired)}`);
    return undefined;
  }

  function clear() {
    drawn?.destroy();
    drawn = null;
    fill(body);
    fill(readout);
    setText(foot, "");
  }

  return { element, show, dispose: () => { epoch += 1; clear(); } };
}

/** What happened to one bar: repairs, excess, gaps, in words. */
function words(bar) {
  const found = bar.codes.map((code) => REPAIRS[code] ?? code);
  return found.length === 0 ? "" : ` (${found.join(", ")})`;
}

function summary(repaired) {
  const kinds = new Set(repaired.flatMap((b) => b.codes).filter((code) => code in REPAIRS));
  return repaired.length === 0 ? "" : `; ${count(repaired.length)} repaired: ${[...kinds].map((code) => REPAIRS[code]).join(", ")}`;
}
