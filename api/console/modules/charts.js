// Time series drawn with uPlot: colours from the page's tokens, the viewer's zone, gaps kept as gaps.

import uPlot from "../vendor/uplot/uPlot.esm.js";
import { h, setText } from "./dom.js";
import { colour } from "./theme.js";
import { axisLabels, local } from "./time.js";
import { number, quantity, scaleLabels } from "./units.js";

const POINTS_KEPT = 20_000;
/** A chart that grows is drawn anew at most this often. */
const REDRAW_MILLISECONDS = 250;
const USUAL_SCALE_WIDTH = 58;

const translucent = (value, share) => value.replace(/^rgba?\(([^)]+)\)$/, (_, parts) => `rgba(${parts.split(",").slice(0, 3).join(",")}, ${share})`);

function axes() {
  const [text, grid] = [colour("--text-3"), colour("--line")];
  const font = "11px Inter, system-ui, sans-serif";
  const shared = { stroke: text, font, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1, size: 4 } };
  return [{ ...shared, space: 76, values: (_, splits, axis, space, step) => axisLabels(splits, step) }, { ...shared, space: scaleSpace, size: scaleWidth, values: (_, splits, axis, space, step) => scaleLabels(splits, step) }];
}

/** Least distance of two marks of a scale: closer in a low chart, since nobody can read a change off a single mark. */
const scaleSpace = (plot, index, low, high, pixels) => Math.min(30, Math.max(14, pixels / 5));

/** Room for the longest label of a scale; charts below one another line up while their labels are usual ones. */
function scaleWidth(plot, labels, index, cycle) {
  const axis = plot.axes[index];
  if (cycle > 1) return axis._size;
  plot.ctx.font = axis.font[0];
  const longest = Math.max(0, ...(labels ?? []).map((label) => plot.ctx.measureText(label).width));
  return Math.max(USUAL_SCALE_WIDTH, Math.ceil(longest / devicePixelRatio + axis.ticks.size + axis.gap));
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

/** Points that no line leads to or from would not be seen: those between two gaps. */
function alone(plot, seriesIndex) {
  const values = plot.data[seriesIndex];
  const empty = (i) => values[i] === null || values[i] === undefined;
  return plot.data[0].flatMap((_, i) => (!empty(i) && empty(i - 1) && empty(i + 1) ? [i] : []));
}

function drawnSeries(kind) {
  const accent = colour("--accent");
  const line = { stroke: accent, width: 1.6, points: { show: false, size: 4, fill: accent, filter: alone }, spanGaps: false };
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
 * @param {{unit: string, kind?: "line"|"band"|"bars", height?: number, marks?: object, label: string, note?: (index: number) => string, range?: number[], onZoom?: (from: number, to: number) => void}} options
 *   `range`: seconds that are shown whether or not there is something in all of them; `onZoom`: a stretch was drawn with the pointer
 * @returns {{set: (columns: number[][]) => void, append: (points: number[][]) => void, destroy: () => void, readout: HTMLElement}}
 */
export function chart(host, { unit, kind = "line", height = 180, marks = {}, label, note = () => "", range = null, onZoom = null }) {
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
      bands: kind === "band" ? [{ series: [2, 3], fill: translucent(colour("--accent"), 0.14) }] : [],
      cursor: { points: { size: 7 }, y: false, drag: { x: onZoom !== null, y: false, setScale: false } }, padding: [10, 12, 0, 0],
      scales: { x: { range: (_, low, high) => shownTimes(range, low, high) }, y: { range: (_, low, high) => yRange(kind, low, high, marks.levels ?? []) } }, plugins: [marksPlugin(marks)],
      hooks: { setCursor: [(self) => setText(readout, describe(self, unit, note))], setSelect: [(self) => zoomed(self, onZoom)] },
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

const LEAST_PIXELS = 6;

/** A stretch was drawn: hand it over, and take its mark away. */
function zoomed(plot, onZoom) {
  const { left, width } = plot.select;
  if (onZoom === null || width < LEAST_PIXELS) return;
  plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  onZoom(plot.posToVal(left, "x"), plot.posToVal(left + width, "x"));
}

function shownTimes(range, low, high) {
  if (range === null) return low === high ? [low - 1, high + 1] : [low, high];
  return [Math.min(range[0], low ?? range[0]), Math.max(range[1], high ?? range[1])];
}

function yRange(kind, low, high, levels) {
  if (low === null || high === null) return [0, 1];
  const [least, most] = [Math.min(low, ...levels.map((l) => l.value)), Math.max(high, ...levels.map((l) => l.value))];
  if (kind === "bars") return [0, most > 0 ? most * 1.1 : 1];
  const room = (most - least) * 0.12 || Math.abs(most) * 0.05 || 1;
  return [least >= 0 && least - room < 0 ? 0 : least - room, most + room];
}

/** Newer points joined on, the oldest given up beyond POINTS_KEPT; points out of order are left to the next load. */
function appended([times, ...values], points) {
  const last = times.at(-1) ?? -Infinity;
  const newer = points.filter(([at]) => at > last);
  const start = Math.max(0, times.length + newer.length - POINTS_KEPT);
  return [[...times, ...newer.map((p) => p[0])].slice(start), ...values.map((column) => [...column, ...newer.map((p) => p[1])].slice(start))];
}

function describe(plot, unit, note) {
  const index = plot.cursor.idx;
  if (index === null || index === undefined || plot.data[1][index] === null || plot.data[1][index] === undefined) return "";
  const at = new Date(plot.data[0][index] * 1000).toISOString();
  const range = plot.data.length > 2 && plot.data[2][index] !== plot.data[3][index] ? ` (${number(plot.data[3][index])} to ${number(plot.data[2][index])})` : "";
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
