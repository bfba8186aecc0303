// One metric of a device: its latest value and a live chart, as fine as range and room allow.

import { consumptionBars } from "./consumption_bars.js";
import { h, setText } from "./dom.js";
import { ageElement, setAge } from "./time.js";
import { metricTitle, quantity } from "./units.js";
import { windowChart } from "./window_chart.js";

/** What the server draws is asked for anew at most this often while readings come in. */
const REFRESH_MILLISECONDS = 15_000;
const seconds = (iso) => Date.parse(iso) / 1000;

/** Ranges in hours. */
export const RANGES = [["1 h", 1], ["24 h", 24], ["7 d", 168], ["30 d", 720], ["1 y", 8766]];

/**
 * A card for one series.
 * @returns {{element: HTMLElement, show: (hours: number) => Promise<void>, take: (readings: object[]) => void, dispose: () => void}}
 */
export function seriesCard(series) {
  const value = h("span", { class: "chart-latest" }, series.latest ? quantity(series.latest.value, series.unit) : "–");
  const age = series.latest ? ageElement(series.latest.observed_at) : ageElement(new Date(0).toISOString());
  const title = metricTitle(series.metric, series.unit);
  const bars = series.kind === "counter" ? consumptionBars(series, title) : null;
  const live = { hours: 24, source: null, timer: null, latestAt: series.latest ? Date.parse(series.latest.observed_at) : 0 };
  const drawing = windowChart(series, { title, height: bars === null ? 180 : 130, onWindow: (one, answer, range) => {
    live.source = answer?.source ?? null;
    bars?.draw(one?.consumption ?? null, range);
  } });
  if (!series.latest) setText(age, "never");
  const element = h("section", { class: "card chart-card", "aria-label": title },
    h("div", { class: "card-head" }, h("div", { class: "grow" }, h("h3", { class: "clip" }, title), h("div", { class: "small muted clip mono" }, series.metric)),
      h("div", { class: "right" }, value, h("div", { class: "small muted" }, age))),
    drawing.body, drawing.foot, bars?.element);

  function show(hours) {
    live.hours = hours;
    const now = Date.now() / 1000;
    return drawing.show(now - hours * 3600, now);
  }

  function take(readings) {
    const newest = readings.reduce((a, b) => (Date.parse(b.observed_at) >= Date.parse(a.observed_at) ? b : a));
    if (Date.parse(newest.observed_at) >= live.latestAt) {
      live.latestAt = Date.parse(newest.observed_at);
      setText(value, quantity(newest.value, series.unit));
      setAge(age, newest.observed_at);
    }
    drawing.append(readings.map((r) => [seconds(r.observed_at), r.value]).sort((a, b) => a[0] - b[0]));
    // What is counted, and hours and days, are made anew by the server.
    if ((bars !== null || live.source !== "raw") && !drawing.zoomedIn()) live.timer ??= setTimeout(again, REFRESH_MILLISECONDS);
  }

  function again() {
    live.timer = null;
    const now = Date.now() / 1000;
    if (!drawing.zoomedIn()) drawing.move(now - live.hours * 3600, now);
  }

  return { element, show, take, dispose: () => { clearTimeout(live.timer); bars?.dispose(); drawing.dispose(); } };
}
