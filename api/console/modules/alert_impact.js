// What an alert or an incident is about, each hour: litres, kilowatt hours, money, people; and what is missing to know it.

import { h } from "./dom.js";
import { count, number } from "./units.js";

const rounded = (value) => number(value >= 100 ? Math.round(value) : Number(value.toPrecision(2)));

const FIGURES = [
  ["Water", ({ water }) => (water === null ? null : `${rounded(water)} L/h`)],
  ["Energy", ({ energy }) => (energy === null ? null : `${rounded(energy)} kWh/h`)],
  ["Cost", ({ money, currency }) => (money === null ? null : `${rounded(money)} ${currency}/h`)],
  ["People", ({ people }) => (people === null ? null : count(people))],
  ["Customers", ({ customers }) => (customers === null ? null : count(customers))],
];

/** Figures side by side; null where the rule says nothing of its impact. */
export function impactFigures(impact) {
  const known = FIGURES.map(([name, say]) => [name, say(impact)]).filter(([, text]) => text !== null);
  if (known.length === 0 && impact.missing.length === 0) return null;
  return h("div", { class: "stack" },
    known.length === 0 ? null : h("dl", { class: "facts impact" }, known.map(([name, text]) => h("div", {}, h("dt", {}, name), h("dd", {}, text)))),
    impact.missing.length === 0 ? null : h("p", { class: "muted small" }, `To know more it takes: ${impact.missing.join("; ")}.`));
}

/** The section of an alert's page: its impact; null where nothing is known of it. */
export function alertImpact(alert) {
  const figures = impactFigures(alert.impact);
  return figures === null ? null : h("section", { class: "detail-section" }, h("h3", {}, "Impact"), figures);
}
