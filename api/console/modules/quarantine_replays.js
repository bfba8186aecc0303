// Replays: how far the one under way is, live, and those before it.

import { request } from "./api.js";
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { mayOperate } from "./session.js";
import { ageElement } from "./time.js";
import { notice } from "./toasts.js";
import { count, sentence } from "./units.js";

const LOOK_MILLISECONDS = 700;
const SHOWN = 5;

/**
 * The newest replays; one that is under way is followed until it is done.
 * @param {() => void} finished called when one that was followed is done
 */
export function replayList(finished) {
  const element = h("div", { class: "replays", "aria-live": "polite" });
  let timer = null;
  let ended = false;
  let running = false;

  async function look() {
    clearTimeout(timer);
    let items;
    try {
      ({ items } = await request("/v1/quarantine/replays", { query: { limit: SHOWN } }));
      items = await Promise.all(items.map((each) => (each.failed > 0 ? request(`/v1/quarantine/replays/${each.id}`) : each)));
    } catch (error) {
      if (!ended) timer = setTimeout(look, LOOK_MILLISECONDS * 5);
      return;
    }
    if (ended) return;
    const now = items.some(({ state }) => state === "running");
    fill(element, items.map((each) => card(each, look)));
    if (running && !now) finished();
    running = now;
    if (now) timer = setTimeout(look, LOOK_MILLISECONDS);
  }
  look();
  return { element, look, dispose: () => { ended = true; clearTimeout(timer); } };
}

function card(each, look) {
  const done = each.asked - each.waiting;
  const running = each.state === "running";
  return h("div", { class: "replay", "data-state": each.state },
    h("div", { class: "row" }, icon(running ? "clock" : each.failed > 0 ? "major" : "ok", 16), h("b", { class: "grow" }, `Replay ${each.id}`), h("span", { class: "muted small" }, each.requested_by, " · ", ageElement(each.requested_at))),
    running ? h("progress", { max: each.asked, value: String(done), "aria-label": `Replay ${each.id}` }) : null,
    h("div", { class: "row row-wrap small" },
      h("span", { class: "grow" }, running ? `${count(done)} of ${count(each.asked)}: ` : `${count(each.asked)} asked: `, h("b", {}, `${count(each.stored)} stored`), each.failed > 0 ? `, ${count(each.failed)} failed again` : "", each.cancelled > 0 ? `, ${count(each.cancelled)} cancelled` : "", each.left_out > 0 ? `, ${count(each.left_out)} cannot be replayed` : ""),
      running && mayOperate() ? h("button", { class: "button button-small", type: "button", on: { click: () => cancel(each.id, look) } }, icon("stop", 13), "Cancel") : null),
    each.failures.length > 0 ? h("div", { class: "small muted" }, each.failures.slice(0, 3).map((why) => h("div", {}, `${count(why.count)} × `, h("a", { href: `#/quarantine/${why.example}` }, sentence(why.reason).toLowerCase())))) : null);
}

async function cancel(number, look) {
  try {
    await request(`/v1/quarantine/replays/${number}/cancel`, { method: "POST" });
  } catch (error) {
    notice(error.message, "bad");
  }
  look();
}
