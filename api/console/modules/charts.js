// Time series drawn with uPlot: colours from the page's tokens, the viewer's zone, gaps kept as gaps.

import uPlot from "../vendor/uplot/uPlot.esm.js";
import { h, setText } from "./dom.js";
import { colour } from "./theme.js";
import { axisLabels, local } from "./time.js";
import { number, quantity, scaleLabels } from "./units.js";

/** A pause of this many times the steps around it is drawn as a gap: nobody knows what was in it. */
const GAP_STEPS = 6;
const AROUND = [-4, -3, -2, -1, 1, 2, 3, 4];
const POINTS_KEPT = 20_000;
/** A chart that grows is drawn anew at most this often. */
const REDRAW_MILLISECONDS = 250;

/**
 * Break the line where the device was silent: where a step is much longer than each of those around it.
 * @param {number[][]} points [seconds, value], oldest first
 */
export function withGaps(points) {
  const step = (i) => (i > 0 && i < points.length ? points[i][0] - points[i - 1][0] : 0);
  return points.flatMap((p, i) => {
    const usual = Math.max(...AROUND.map((offset) => step(i + offset)));
    return usual > 0 && step(i) > usual * GAP_STEPS ? [[(p[0] + points[i - 1][0]) / 2, null], p] : [p];
  });
}

const translucent = (value, share) => value.replace(/^rgba?\(([^)]+)\)$/, (_, parts) => `rgba(${parts.split(",").slice(0, 3).join(",")}, ${share})`);

function axes() {
  const [text, grid] = [colour("--text-3"), colour("--line")];
  const font = "11px Inter, system-ui, sans-serif";
  const shared = { stroke: text, font, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1, size: 4 } };
  return [{ ...shared, space: 76, values: (_, splits, axis, space, step) => axisLabels(splits, step) }, { ...shared, size: 58, values: (_, splits, axis, space, step) => scaleLabels(splits, step) }];
}

/** Shade the alert's time and draw its thresholds, under the line. */
function marksPlugin({ bands = [], lines = [], levels = [], points = [] }) {
  return { hooks: { draw: (plot) => drawPoints(plot, points), drawClear: (plot) => {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    for (const { from, to, token } of bands) {
      const [left, right] = [plot.valToPos(from, "x", true), plot.valToPos(to, "x", true)];
      ctx.fillStyle = translucent(colour(token), 0.13);
      ctx.fillRect(left, bbox.top, Math.max(right - left, 2), bbox.height);
    }
    for (const { at, token } of lines) stroke(ctx, token, [plot.valToPos(at, "x", true), bbox.top], [plot.valToPos(at, "x", true), bbox.top + bbox.height]);
    for (const { value, token } of levels) stroke(ctx, token, [bbox.left, plot.valToPos(value, "y", true)], [bbox.left + bbox.width, plot.valToPos(value, "y", true)]);
    ctx.restore();
  } } };
}

/** Ring the readings that an alert rests on. */
function drawPoints({ ctx, valToPos }, points) {
  for (const { at, value, token } of points) {
    ctx.beginPath();
    ctx.arc(valToPos(at, "x", true), valToPos(value, "y", true), 4 * devicePixelRatio, 0, 2 * Math.PI);
    ctx.fillStyle = colour("--surface");
    ctx.fill();
    ctx.strokeStyle = colour(token);
    ctx.lineWidth = 2 * devicePixelRatio;
    ctx.stroke();
  }
}

function stroke(ctx, token, from, to) {
  ctx.strokeStyle = colour(token);
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(...from);
  ctx.lineTo(...to);
  ctx.stroke();
}

function drawnSeries(kind) {
  const accent = colour("--accent");
  const line = { stroke: accent, width: 1.6, points: { show: false }, spanGaps: false };
  if (kind === "bars") return [{}, { ...line, fill: translucent(accent, 0.55), width: 0, paths: uPlot.paths.bars({ size: [0.78, 60], align: 1, radius: 0.12 }) }];
  if (kind === "band") {
    const edge = { stroke: translucent(accent, 0.35), width: 0.8, points: { show: false }, spanGaps: false };
    return [{}, line, edge, edge];
  }
  return [{}, { ...line, fill: translucent(accent, 0.07) }];
}

/**
 * A chart that fills `host`, follows its width and the theme.
 * @param {HTMLElement} host
 * @param {{unit: string, kind?: "line"|"band"|"bars", height?: number, marks?: object, label: string, note?: (index: number) => string}} options
 * @returns {{set: (columns: number[][]) => void, append: (points: number[][]) => void, destroy: () => void, readout: HTMLElement}}
 */
export function chart(host, { unit, kind = "line", height = 180, marks = {}, label, note = () => "" }) {
  const readout = h("span", { class: "chart-readout" });
  const canvas = h("div", { class: "chart", role: "img", "aria-label": label });
  host.append(canvas);
  let columns = kind === "band" ? [[], [], [], []] : [[], []];
  let plot = null;
  let timer = null;

  const draw = () => {
    plot?.destroy();
    plot = new uPlot({
      width: Math.max(canvas.clientWidth, 120), height, series: drawnSeries(kind), axes: axes(), legend: { show: false },
      bands: kind === "band" ? [{ series: [3, 2], fill: translucent(colour("--accent"), 0.14) }] : [],
      cursor: { points: { size: 7 }, y: false, drag: { x: true, y: false } }, padding: [10, 12, 0, 0],
      scales: { y: { range: (_, low, high) => yRange(kind, low, high, marks.levels ?? []) } }, plugins: [marksPlugin(marks)],
      hooks: { setCursor: [(self) => setText(readout, describe(self, unit, note))] },
    }, columns, canvas);
  };
  const resize = new ResizeObserver(() => plot?.setSize({ width: Math.max(canvas.clientWidth, 120), height }));
  draw();
  resize.observe(canvas);
  addEventListener("themechange", draw);
  return {
    readout,
    set: (next) => { columns = next; plot.setData(columns); },
    append: (points) => {
      columns = appended(columns, points);
      timer ??= setTimeout(() => { timer = null; plot.setData(columns); }, REDRAW_MILLISECONDS);
    },
    destroy: () => { clearTimeout(timer); resize.disconnect(); removeEventListener("themechange", draw); plot.destroy(); },
  };
}

function yRange(kind, low, high, levels) {
  if (low === null || high === null) return [0, 1];
  const [least, most] = [Math.min(low, ...levels.map((l) => l.value)), Math.max(high, ...levels.map((l) => l.value))];
  if (kind === "bars") return [0, most > 0 ? most * 1.1 : 1];
  const room = (most - least) * 0.12 || Math.abs(most) * 0.05 || 1;
  return [least >= 0 && least - room < 0 ? 0 : least - room, most + room];
}

/** Newer points joined on, the oldest given up beyond POINTS_KEPT; points out of order are left to the next load. */
function appended([times, values], points) {
  const last = times.at(-1) ?? -Infinity;
  const newer = points.filter(([at]) => at > last);
  const start = Math.max(0, times.length + newer.length - POINTS_KEPT);
  return [[...times, ...newer.map((p) => p[0])].slice(start), [...values, ...newer.map((p) => p[1])].slice(start)];
}

function describe(plot, unit, note) {
  const index = plot.cursor.idx;
  if (index === null || index === undefined || plot.data[1][index] === null || plot.data[1][index] === undefined) return "";
  const at = new Date(plot.data[0][index] * 1000).toISOString();
  const range = plot.data.length > 2 ? ` (${number(plot.data[3][index])} to ${number(plot.data[2][index])})` : "";
  return `${local(at)} · ${quantity(plot.data[1][index], unit)}${range}${note(index)}`;
}

/** A line without axes, for a key figure. Redrawn by calling the returned function with new values. */
export function sparkline(width, height) {
  const canvas = h("canvas", { class: "sparkline", width: width * 2, height: height * 2, "aria-hidden": "true" });
  const draw = (values) => {
    const ctx = canvas.getContext("2d");
    const most = Math.max(...values, 1);
    const accent = colour("--accent");
    ctx.clearRect(0, 0, canvas.width, canvas.height);
    ctx.beginPath();
    values.forEach((v, i) => ctx.lineTo((i / (values.length - 1)) * canvas.width, canvas.height - 3 - (v / most) * (canvas.height - 8)));
    ctx.strokeStyle = accent;
    ctx.lineWidth = 3;
    ctx.stroke();
    ctx.lineTo(canvas.width, canvas.height);
    ctx.lineTo(0, canvas.height);
    ctx.fillStyle = translucent(accent, 0.12);
    ctx.fill();
  };
  return { canvas, draw };
}
