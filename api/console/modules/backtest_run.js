// Trying a rule on history: choose a stretch, ask, watch how far it is, cancel; what is under way survives a reload.

import { request } from "./api.js";
import { backtestResult } from "./backtest_result.js";
import { fill, h, setText } from "./dom.js";
import { icon } from "./icons.js";
import { mayOperate } from "./session.js";
import { local } from "./time.js";
import { count } from "./units.js";

const LOOK_MILLISECONDS = 700;
const STRETCHES = [["Week", 7], ["Month", 30], ["Quarter", 91], ["Year", 365]];
const day = (at) => new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
const isOver = ({ state }) => !["waiting", "running"].includes(state);

/**
 * Make the panel.
 * @param {string|null} slug of the rule, whose earlier back-tests are offered; null: a new one
 */
export function backtestRun(slug) {
  let definition = null;
  let timer = null;
  let ended = false;
  const now = Date.now();
  const since = h("input", { class: "input", type: "datetime-local", name: "from", value: day(now - 30 * 86_400_000) });
  const until = h("input", { class: "input", type: "datetime-local", name: "to", value: day(now) });
  const go = h("button", { class: "button button-main", type: "button", disabled: true, on: { click: run } }, icon("play", 15), "Try it on history");
  const wrong = h("p", { class: "gate-error", role: "alert" });
  const outcome = h("div", { "aria-live": "polite" });
  const earlier = h("div", { class: "row row-wrap small" });
  const preset = ([name, days]) => h("button", { class: "button button-small", type: "button", on: { click: () => { until.value = day(Date.now()); since.value = day(Date.now() - days * 86_400_000); } } }, name);
  const element = h("section", { class: "backtest", "aria-label": "Back-test" },
    h("h2", {}, "What would it have raised?"),
    h("div", { class: "row row-wrap" }, STRETCHES.map(preset)),
    h("div", { class: "source-fields" }, h("label", { class: "field" }, "From", since), h("label", { class: "field" }, "To", until)),
    mayOperate() ? h("div", { class: "row row-wrap" }, go) : h("p", { class: "muted small" }, "Only operators try rules."), wrong, earlier, outcome);

  async function run() {
    setText(wrong, "");
    go.disabled = true;
    try {
      const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
      watch(await request("/v1/backtests", { method: "POST", body: { definition, from: new Date(since.value).toISOString(), to: new Date(until.value).toISOString(), time_zone: zone } }));
    } catch (error) {
      setText(wrong, error instanceof RangeError ? "Choose from when to when." : error.message);
      go.disabled = definition === null;
    }
  }

  function watch(backtest) {
    if (ended) return;
    show(backtest);
    clearTimeout(timer);
    if (isOver(backtest)) go.disabled = definition === null;
    else timer = setTimeout(() => look(backtest.id), LOOK_MILLISECONDS);
  }

  async function look(id) {
    try {
      watch(await request(`/v1/backtests/${id}`));
    } catch (error) {
      if (error.status === 0 && !ended) timer = setTimeout(() => look(id), LOOK_MILLISECONDS * 3);
      else setText(wrong, error.message);
    }
  }

  function show(backtest) {
    const { state } = backtest;
    if (state === "finished") return void fill(outcome, backtestResult(backtest));
    if (state === "failed") return void fill(outcome, h("p", { class: "source-fault", role: "status" }, icon("major", 16), h("span", { class: "wrap" }, backtest.error)));
    if (state === "cancelled") return void fill(outcome, h("p", { class: "muted" }, "Cancelled."));
    const bar = h("progress", { max: backtest.total || 1, value: backtest.total ? backtest.done : null, "aria-label": "Progress" });
    if (!backtest.total) bar.removeAttribute("value");
    fill(outcome, h("div", { class: "replay" }, h("div", { class: "row" }, h("span", { class: "grow" }, state === "waiting" ? "Waits for the rules program" : `${count(backtest.observations)} observations so far`), mayOperate() ? h("button", { class: "button button-small", type: "button", on: { click: () => cancel(backtest.id) } }, icon("stop", 14), "Cancel") : null), bar));
    return undefined;
  }

  async function cancel(id) {
    try {
      watch(await request(`/v1/backtests/${id}/cancel`, { method: "POST" }));
    } catch (error) {
      setText(wrong, error.message);
    }
  }

  /** Take up what is under way of this rule, and offer what was done. */
  async function offer() {
    const { items } = await request("/v1/backtests", { query: { limit: 20 } });
    const own = items.filter((each) => each.definition.id === slug);
    const running = own.find((each) => !isOver(each));
    if (running) watch(running);
    const done = own.filter(({ state }) => state === "finished").slice(0, 4);
    fill(earlier, done.length === 0 ? null : [h("span", { class: "muted" }, "Earlier:"), done.map((each) => h("button", { class: "button button-small", type: "button", title: `${local(each.from)} to ${local(each.to)}`, on: { click: () => look(each.id) } }, local(each.requested_at)))]);
  }

  if (slug !== null) offer().catch((error) => setText(wrong, error.message));
  return {
    element,
    define: (next) => { definition = next; go.disabled = next === null; },
    end: () => { ended = true; clearTimeout(timer); },
  };
}
