// One metric of a device: its latest value and a live chart with raw readings, hours or days.

import { request } from "./api.js";
import { chart, withGaps } from "./charts.js";
import { consumptionBars } from "./consumption_bars.js";
import { disposables, fill, h, setText } from "./dom.js";
import { empty, failure, skeleton } from "./states.js";
import { ageElement, setAge } from "./time.js";
import { metricTitle, quantity } from "./units.js";

const POINTS = 10_000;
/** A counter's bars follow what comes in at most this often. */
const BARS_MILLISECONDS = 15_000;
const BUCKET_MILLISECONDS = { raw: 1, hour: 3_600_000, day: 86_400_000 };
const seconds = (iso) => Date.parse(iso) / 1000;

/** Ranges in hours, with the resolution that suits each. */
export const RANGES = [["1 h", 1, "raw"], ["24 h", 24, "raw"], ["7 d", 168, "hour"], ["30 d", 720, "hour"], ["1 y", 8766, "day"]];

/**
 * A card for one series.
 * @returns {{element: HTMLElement, show: (hours: number, bucket: string) => Promise<void>, take: (readings: object[]) => void, dispose: () => void}}
 */
export function seriesCard(series) {
  const parts = disposables();
  const value = h("span", { class: "chart-latest" }, series.latest ? quantity(series.latest.value, series.unit) : "–");
  const age = series.latest ? ageElement(series.latest.observed_at) : ageElement(new Date(0).toISOString());
  const foot = h("span", {}, "");
  const readout = h("span", {});
  const body = h("div", { class: "card-body" });
  const title = metricTitle(series.metric, series.unit);
  const bars = series.kind === "counter" ? consumptionBars(series, title) : null;
  const live = { drawn: null, hours: 24, bucket: "raw", timer: null, latestAt: series.latest ? Date.parse(series.latest.observed_at) : 0, epoch: 0 };
  if (!series.latest) setText(age, "never");
  const element = h("section", { class: "card chart-card", "aria-label": title },
    h("div", { class: "card-head" }, h("div", { class: "grow" }, h("h3", { class: "clip" }, title), h("div", { class: "small muted clip mono" }, series.metric)),
      h("div", { class: "right" }, value, h("div", { class: "small muted" }, age))),
    body, h("div", { class: "chart-foot" }, foot, readout), bars?.element);

  async function show(hours, bucket) {
    const epoch = ++live.epoch;
    Object.assign(live, { hours, bucket });
    live.drawn = null;
    parts.dispose();
    fill(body, skeleton(3));
    bars?.show(hours, bucket);
    try {
      const page = await request("/v1/readings", { query: { series_id: series.id, from: beginning(hours, bucket), bucket, limit: POINTS, order: "desc" } });
      if (epoch === live.epoch) draw(page.items.reverse(), bucket, page.next ?? null);
    } catch (error) {
      if (epoch === live.epoch) fill(body, failure(error, () => show(hours, bucket)));
    }
  }

  function draw(items, bucket, next) {
    const { kind, columns, note } = shape(series, items, bucket);
    if (columns[0].length === 0) {
      setText(foot, "");
      return fill(body, empty("clock", "No readings in this range", "Choose a longer one."));
    }
    fill(body);
    live.drawn = chart(body, { unit: series.unit, kind, height: bars === null ? 180 : 130, label: `${title}, ${items.length} ${bucket === "raw" ? "readings" : `${bucket}s`}` });
    live.drawn.set(columns);
    fill(readout, live.drawn.readout);
    setText(foot, next === null ? note : `${note}; the latest ${items.length} only`);
    parts.add(live.drawn.destroy);
    return undefined;
  }

  function take(readings) {
    const newest = readings.reduce((a, b) => (Date.parse(b.observed_at) >= Date.parse(a.observed_at) ? b : a));
    if (Date.parse(newest.observed_at) >= live.latestAt) {
      live.latestAt = Date.parse(newest.observed_at);
      setText(value, quantity(newest.value, series.unit));
      setAge(age, newest.observed_at);
    }
    if (bars !== null) live.timer ??= setTimeout(() => { live.timer = null; bars.show(live.hours, live.bucket); }, BARS_MILLISECONDS);
    if (live.bucket === "raw") live.drawn?.append(readings.map((r) => [seconds(r.observed_at), r.value]).sort((a, b) => a[0] - b[0]));
  }

  return { element, show, take, dispose: () => { live.epoch += 1; clearTimeout(live.timer); bars?.dispose(); parts.dispose(); } };
}

/** Where a range begins: with the whole of its first hour or day, which else would be left out shortly after midnight. */
function beginning(hours, bucket) {
  const from = Date.now() - hours * 3_600_000;
  return new Date(from - (from % BUCKET_MILLISECONDS[bucket])).toISOString();
}

/** Columns for the chart: raw as a line, gauges by hour or day as mean with range, registers as what they last showed. */
function shape(series, items, bucket) {
  if (bucket === "raw") {
    const points = withGaps(items.map((r) => [seconds(r.observed_at), r.value]));
    return { kind: "line", columns: [points.map((p) => p[0]), points.map((p) => p[1])], note: `${items.length} readings` };
  }
  const times = items.map((r) => seconds(r.bucket));
  if (series.kind === "counter") return { kind: "line", columns: [times, items.map((r) => r.last)], note: `register at the end of each ${bucket}` };
  return { kind: "band", columns: [times, items.map((r) => r.average), items.map((r) => r.maximum), items.map((r) => r.minimum)], note: `mean per ${bucket}, shaded: lowest to highest` };
}
