// What a register counted, as bars under its chart, with a ring where the amount was repaired.

import { chart } from "./charts.js";
import { fill, h, setText } from "./dom.js";
import { count, quantity } from "./units.js";
import { stepWords } from "./window_chart.js";

/** Missing readings and shared-out parts are no repairs: the amounts are the register's own. */
const REPAIRS = { rollover: "roll-over", reset: "reset", exchange: "meter exchanged", fall: "stepped back", implausible: "implausible", suspected_rollover: "roll-over suspected" };
const seconds = (iso) => Date.parse(iso) / 1000;

/**
 * Bars for one series, empty until drawn.
 * @returns {{element: HTMLElement, draw: (consumption: object | null, range: number[]) => void, dispose: () => void}} `consumption` as `GET /v1/readings/window` gives it
 */
export function consumptionBars(series, title) {
  const foot = h("span", {});
  const readout = h("span", {});
  const body = h("div", { class: "bars-body" });
  const element = h("div", { class: "bars" }, body, h("div", { class: "chart-foot" }, foot, readout));
  let drawn = null;

  function draw(consumption, range) {
    clear();
    if (consumption === null) return undefined;
    const { begin, until, amount, codes, step_seconds: step } = consumption;
    if (begin.length === 0) return setText(foot, "no consumption known in this range");
    const width = step === null ? "interval" : stepWords(step);
    const repaired = codes.flatMap((ones, i) => (ones.some((code) => code in REPAIRS) ? [i] : []));
    const marks = { points: repaired.map((i) => ({ at: (seconds(begin[i]) + seconds(until[i])) / 2, value: amount[i], token: "--minor" })) };
    drawn = chart(body, { unit: series.unit, kind: "bars", height: 124, marks, range, label: `${title}, consumption per ${width}, ${begin.length} bars, ${repaired.length} repaired`, note: (i) => words(codes[i] ?? []) });
    // The end of the last bar is a point of its own, so that the bar has its width.
    drawn.set([[...begin.map(seconds), seconds(until.at(-1))], [...amount, null]]);
    fill(readout, drawn.readout);
    setText(foot, `${quantity(amount.reduce((sum, one) => sum + one, 0), series.unit)} counted, per ${width}${summary(repaired.map((i) => codes[i]))}`);
    return undefined;
  }

  function clear() {
    drawn?.destroy();
    drawn = null;
    fill(body);
    fill(readout);
    setText(foot, "");
  }

  return { element, draw, dispose: clear };
}

/** What happened to one bar: repairs, excess, gaps, in words. */
function words(codes) {
  const found = codes.map((code) => REPAIRS[code] ?? code);
  return found.length === 0 ? "" : ` (${found.join(", ")})`;
}

function summary(repaired) {
  const kinds = new Set(repaired.flat().filter((code) => code in REPAIRS));
  return repaired.length === 0 ? "" : `; ${count(repaired.length)} repaired: ${[...kinds].map((code) => REPAIRS[code]).join(", ")}`;
}
