// What a view shows when it has nothing to show: loading, empty, failed, not permitted.

import { ApiProblem } from "./api.js";
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";

/** Grey lines in the place of `rows` rows that are on their way. */
export function skeleton(rows = 6) {
  return h("div", { class: "skeleton", role: "status" }, h("span", { class: "hidden" }, "Loading"),
    Array.from({ length: rows }, () => h("div", { class: "skeleton-row" })));
}

export function empty(iconName, title, text, ...actions) {
  return h("div", { class: "blank" }, h("div", { class: "blank-icon" }, icon(iconName, 26)), h("h3", {}, title), h("p", {}, text), actions);
}

/** What a bearer may not see: said before asking. */
export const denied = (text) => empty("key", "For operators", text);

export function failure(error, retry) {
  if (error instanceof ApiProblem && error.status === 403) {
    return empty("key", "Not permitted", `${error.message}. Ask for a token with the operator role.`);
  }
  if (error instanceof ApiProblem && error.status === 404) return empty("search", "Not found", error.message);
  return h("div", { role: "alert" }, empty("lost", error.title ?? "Something went wrong", error.message, h("button", { class: "button", on: { click: retry } }, "Try again")));
}

/**
 * Show a skeleton, then what `load` resolves to, else the failure with a way to try again.
 * @param {() => Promise<Node|Node[]>} load
 */
export async function during(element, load, rows = 6) {
  fill(element, skeleton(rows));
  try {
    fill(element, await load());
  } catch (error) {
    if (error.name === "AbortError") return;
    fill(element, failure(error, () => during(element, load, rows)));
  }
}
