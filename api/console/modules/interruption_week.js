// A week of planned interruptions: a row for each place, a bar for each interruption.

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { local } from "./time.js";
import { count, sentence } from "./units.js";

const DAY = 86_400_000;
const NAMES = new Intl.DateTimeFormat(undefined, { weekday: "short" });

/** Give the moment at which the week of a moment begins: its Monday, midnight, in the viewer's zone. */
export function weekOf(moment) {
  const day = new Date(moment);
  day.setHours(0, 0, 0, 0);
  day.setDate(day.getDate() - ((day.getDay() + 6) % 7));
  return day;
}

/** Draw the week that begins at `monday`. */
export function week(monday, interruptions) {
  const edges = Array.from({ length: 8 }, (_, number) => { const day = new Date(monday); day.setDate(day.getDate() + number); return day; });
  const [from, to] = [edges[0].getTime(), edges[7].getTime()];
  const rows = new Map();
  for (const one of interruptions) for (const place of [...one.sites, ...one.devices]) rows.set(place, [...(rows.get(place) ?? []), one]);
  const names = [...rows.keys()].sort();
  return h("div", { class: "week", role: "img", "aria-label": `${count(interruptions.length)} planned interruptions at ${count(names.length)} places` },
    h("div", { class: "week-head" }, h("span", {}), h("div", { class: "week-days" }, edges.slice(0, 7).map((day) => h("span", { "data-today": Date.now() >= day && Date.now() < day.getTime() + DAY ? true : null }, NAMES.format(day), h("span", { class: "wide-only" }, ` ${day.getDate()}`))))),
    names.map((name) => h("div", { class: "week-row" }, h("b", { class: "clip small", title: name }, name), h("div", { class: "week-lane" }, rows.get(name).map((one) => bar(one, from, to)), now(from, to)))));
}

function bar(one, from, to) {
  const [begins, ends] = [Math.max(Date.parse(one.begins_at), from), Math.min(Date.parse(one.ends_at), to)];
  const element = h("i", { class: "week-bar", "data-kind": one.kind, title: `${one.title}: ${local(one.begins_at)} to ${local(one.ends_at)}` });
  element.style.left = `${(100 * (begins - from)) / (to - from)}%`;
  element.style.width = `${Math.max((100 * (ends - begins)) / (to - from), 0.4)}%`;
  return element;
}

function now(from, to) {
  if (Date.now() < from || Date.now() >= to) return null;
  const line = h("i", { class: "week-now" });
  line.style.left = `${(100 * (Date.now() - from)) / (to - from)}%`;
  return line;
}

/** Say what the colours mean, with an icon beside each. */
export const legend = () => h("div", { class: "row row-wrap small muted" }, ["planned", "load_shedding"].map((kind) => h("span", { class: "row" }, h("i", { class: "week-key", "data-kind": kind }), icon(kind === "planned" ? "clock" : "power", 14), sentence(kind))));
