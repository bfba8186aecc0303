// A stretch of time of one series, as finely as there is room: the server chooses readings, hours or days, the chart asks
// again when a part of it is chosen, and what is drawn can be taken away as a table.

import { address, request } from "./api.js";
import { chart } from "./charts.js";
import { disposables, fill, h, setText } from "./dom.js";
import { icon } from "./icons.js";
import { token } from "./session.js";
import { empty, failure, skeleton } from "./states.js";
import { span } from "./time.js";
import { notice } from "./toasts.js";
import { count } from "./units.js";

const PIXELS_PER_BUCKET = 2;
/** Narrower charts are drawn as finely as this wide one: a year in days. */
const LEAST_POINTS = 200;
const LEAST_SECONDS = 10;
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "UTC";
const seconds = (iso) => Date.parse(iso) / 1000;
const iso = (at) => new Date(at * 1000).toISOString();

/** The width of a bucket in words: `hour`, `day`, `10 min`. */
export const stepWords = (step) => ({ 3600: "hour", 86400: "day" })[step] ?? span(step);

/**
 * A chart with its foot: what it is made of, the figure under the pointer, and what may be done with it.
 * @param {{id: number, unit: string, kind: string}} series
 * @param {{title: string, height?: number, marks?: object, note?: string, onWindow?: (one: object | null, answer: object | null, range: number[]) => void}} options
 *   `onWindow`: was told what the server gave (null: it was asked and has not answered yet)
 * @returns {{body: HTMLElement, foot: HTMLElement, show: (from: number, to: number) => Promise<void>, append: (points: number[][]) => void, move: (from: number, to: number) => Promise<void>, zoomedIn: () => boolean, dispose: () => void}}
 */
export function windowChart(series, { title, height = 180, marks = {}, note = "", onWindow = () => {} }) {
  const parts = disposables();
  const body = h("div", { class: "card-body" });
  const [words, readout] = [h("span", { class: "grow" }), h("span", {})];
  const tools = h("span", { class: "chart-tools" });
  const foot = h("div", { class: "chart-foot" }, words, readout, tools);
  const state = { epoch: 0, whole: null, range: null, drawn: null, answer: null };

  async function load(from, to, { quiet = false } = {}) {
    const epoch = ++state.epoch;
    state.range = [from, to];
    if (!quiet) { clear(); fill(body, skeleton(3)); onWindow(null, null, state.range); }
    try {
      const answer = await request("/v1/readings/window", { query: query(from, to) });
      if (epoch === state.epoch) draw(answer);
    } catch (error) {
      if (epoch === state.epoch && !quiet) fill(body, failure(error, () => load(from, to)));
    }
  }

  const query = (from, to) => ({ series_id: series.id, from: iso(from), to: iso(to), points: Math.max(LEAST_POINTS, Math.round(body.clientWidth / PIXELS_PER_BUCKET)), time_zone: zone });

  function draw(answer) {
    clear();
    const one = answer.series[0];
    state.answer = answer;
    onWindow(one, answer, state.range);
    fill(tools, buttons());
    if (one.at.length === 0) return fill(body, empty("clock", "No readings in this range", "Choose a longer one."));
    const { kind, columns } = shape(one);
    fill(body);
    const found = `${one.readings.length} ${answer.source === "raw" ? "readings" : "points"}`;
    state.drawn = chart(body, { unit: series.unit, kind, height, marks: withCorrections(marks, one), label: `${title}, ${found}`, range: state.range, onZoom: zoom });
    state.drawn.set(columns);
    fill(readout, state.drawn.readout);
    setText(words, [described(one, answer), note].filter(Boolean).join(" · "));
    parts.add(state.drawn.destroy);
    return undefined;
  }

  function clear() {
    state.drawn = null;
    parts.dispose();
    fill(body);
    fill(readout);
    setText(words, "");
  }

  function zoom(from, to) {
    if (to - from >= LEAST_SECONDS) load(from, to);
  }

  const around = (factor) => {
    const [from, to] = state.range;
    const [middle, half] = [(from + to) / 2, ((to - from) / 2) * factor];
    zoom(middle - half, Math.min(middle + half, Math.max(to, Date.now() / 1000)));
  };

  const buttons = () => [
    zoomedIn() ? tool("Whole range", "back", () => load(...state.whole)) : null,
    tool("Closer", "plus", () => around(0.5)), tool("Further", "minus", () => around(2)),
    tool("Save as table (CSV)", "download", () => save(address("/v1/readings/window", { ...query(...state.range), format: "csv" }), `${series.metric ?? title}.csv`))];

  const zoomedIn = () => state.whole !== null && (state.range[0] !== state.whole[0] || state.range[1] !== state.whole[1]);

  return {
    body, foot, zoomedIn,
    show: (from, to) => { state.whole = [from, to]; return load(from, to); },
    move: (from, to) => { state.whole = [from, to]; return load(from, to, { quiet: true }); },
    append: (points) => { if (state.answer?.source === "raw" && !zoomedIn()) state.drawn?.append(points); },
    dispose: () => { state.epoch += 1; clear(); },
  };
}

const tool = (label, name, act) => h("button", { class: "tool", type: "button", "aria-label": label, title: label, on: { click: act } }, icon(name, 15));

/** A register as what it last showed; single readings as a line; else the mean, with the lowest and highest of each bucket. */
function shape(one) {
  const times = one.at.map(seconds);
  if (one.kind === "counter") return { kind: "line", columns: [times, one.last] };
  return { kind: "band", columns: [times, one.average, one.maximum, one.minimum] };
}

function described(one, answer) {
  const readings = one.readings.reduce((sum, n) => sum + n, 0);
  const single = answer.source === "raw" && one.readings.every((n) => n <= 1);
  const made = single ? `${count(readings)} readings` : one.kind === "counter" ? `register at the end of each ${stepWords(answer.step_seconds)}` : `mean per ${stepWords(answer.step_seconds)}, shaded: lowest to highest`;
  const hours = answer.source === "raw" && one.sources.includes("hour") ? "hours where raw readings are no longer kept" : null;
  const left = one.implausible > 0 ? `${count(one.implausible)} implausible left out` : null;
  const validated = one.corrections.at.length > 0 ? `rings: ${count(one.corrections.at.length)} validated` : null;
  return [made, hours, left, validated].filter(Boolean).join("; ");
}

/** Ring what was validated, beside what was measured. */
function withCorrections(marks, one) {
  const rings = one.corrections.at.map((at, i) => ({ at: seconds(at), value: one.corrections.value[i], token: "--ok" }));
  return rings.length === 0 ? marks : { ...marks, points: [...(marks.points ?? []), ...rings] };
}

/** Fetch a file with the token's header, and hand it to the browser. */
async function save(path, name) {
  const answer = await fetch(path, { headers: { Authorization: `Bearer ${token() ?? ""}` } }).catch(() => null);
  if (!answer?.ok) return notice("The table could not be fetched", "bad");
  const url = URL.createObjectURL(await answer.blob());
  h("a", { href: url, download: name }).click();
  return setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
