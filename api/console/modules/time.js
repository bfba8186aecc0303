// Times as people read them: the viewer's zone on the page, UTC on hover, ages that keep themselves fresh.

import { h, setText } from "./dom.js";

const STEPS = [[60, 1, "s"], [3600, 60, "min"], [86400, 3600, "h"], [30 * 86400, 86400, "d"], [365.25 * 86400, 30.44 * 86400, "mo"]];
const DAY_AND_TIME = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const WITH_YEAR = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const TIME = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

/** Length of a span in its largest unit: `45 s`, `12 min`, `3 h`, `6 d`. */
export function span(seconds) {
  const length = Math.max(0, Math.round(seconds));
  for (const [below, unit, name] of STEPS) if (length < below) return `${Math.floor(length / unit)} ${name}`;
  return `${Math.floor(length / (365.25 * 86400))} y`;
}

export const secondsSince = (iso, now = Date.now()) => (now - Date.parse(iso)) / 1000;

/** `3 h ago`, or `in 5 min` for clocks that run ahead. */
export function ago(iso, now = Date.now()) {
  const seconds = secondsSince(iso, now);
  if (seconds < -60) return `in ${span(-seconds)}`;
  return seconds < 2 ? "now" : `${span(seconds)} ago`;
}

export const utc = (iso) => `${new Date(iso).toISOString().replace("T", " ").replace(/\.\d+Z$/, "")} UTC`;

/** Day and time in the viewer's zone; time only with seconds when it is today. */
export function local(iso) {
  const at = new Date(iso);
  const today = new Date();
  if (at.toDateString() === today.toDateString()) return TIME.format(at);
  return (at.getFullYear() === today.getFullYear() ? DAY_AND_TIME : WITH_YEAR).format(at);
}

const DAY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const MINUTE = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

/** Labels of a time axis: times of day, with the day below the first and each midnight; days alone from a day's step on. */
export function axisLabels(seconds, step) {
  let day = "";
  return seconds.map((at) => {
    const date = new Date(at * 1000);
    const today = DAY.format(date);
    if (step >= 86400) return today;
    const label = (step < 60 ? TIME : MINUTE).format(date);
    const first = today !== day;
    day = today;
    return first ? `${label}\n${today}` : label;
  });
}

/** A point in time as local time; UTC on hover. */
export function timeElement(iso) {
  if (!iso) return h("span", { class: "muted" }, "–");
  return h("time", { datetime: iso, title: utc(iso) }, local(iso));
}

/** A point in time as its age, refreshed by `keepAgesFresh`; local time and UTC on hover. */
export function ageElement(iso, attributes = {}) {
  if (!iso) return h("span", { class: "muted", ...attributes }, "never");
  return h("time", { datetime: iso, title: `${local(iso)} · ${utc(iso)}`, "data-age": true, ...attributes }, ago(iso));
}

/** Change an age element's time in place. */
export function setAge(element, iso) {
  element.setAttribute("datetime", iso);
  element.title = `${local(iso)} · ${utc(iso)}`;
  setText(element, ago(iso));
}

/** Refresh every age on the page each `seconds`. */
export function keepAgesFresh(seconds = 2) {
  setInterval(() => {
    if (document.hidden) return;
    const now = Date.now();
    for (const element of document.querySelectorAll("time[data-age]")) setText(element, ago(element.getAttribute("datetime"), now));
  }, seconds * 1000);
}
