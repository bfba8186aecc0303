// Views by the address's fragment: `#/alerts/ID?state=firing`. A view gets its parts and gives back a cleanup.

import { fill, h } from "./dom.js";
import { isWriting } from "./drafts.js";
import { decoded } from "./session.js";
import { failure, skeleton } from "./states.js";
import { sentence } from "./units.js";

const VIEWS = ["overview", "alerts", "incidents", "devices", "quarantine", "sources", "mailbox", "simulator", "rules", "quiet", "storage", "more"];

let cleanup = null;
let visit = 0;
/** The timer of a visit that waits until nobody writes any more. */
let waiting = null;
const WAIT_MILLISECONDS = 1_000;
/** A view's module could not be fetched: browsers may remember that, so only a new page asks again. */
let unfetched = false;

/** The parts of the present address. */
export function route() {
  // `#alert=ID` is how notifications link to an alert.
  const [path, query = ""] = location.hash.replace(/^#alert=/, "#/alerts/").replace(/^#\/?/, "").split("?");
  const [view, ...rest] = path.split("/");
  return { view: VIEWS.includes(view) ? view : "overview", parameter: rest.length > 0 ? decoded(rest.join("/")) : null, query: new URLSearchParams(query) };
}

/** Address of a view, leaving out empty query values. */
export function link(view, parameter = null, query = {}) {
  const search = new URLSearchParams(Object.entries(query).filter(([, value]) => value));
  return `#/${view}${parameter === null ? "" : `/${encodeURIComponent(parameter)}`}${search.size ? `?${search}` : ""}`;
}

/** Change the address without a new visit of the view. */
export function replace(address) {
  history.replaceState(null, "", address);
}

export function startRouter(outlet) {
  addEventListener("hashchange", () => go(outlet));
  addEventListener("streamreset", () => {
    if (unfetched) location.reload();
    else renew(outlet);
  });
  // All views are fetched early: the next one opens at once, and also while the server is away.
  go(outlet).then(() => Promise.allSettled(VIEWS.map(load)));
}

/** Ask for what was missed, without taking away what somebody is writing: lists at once, the rest when that is done. */
function renew(outlet) {
  if (!isWriting(outlet)) return go(outlet);
  dispatchEvent(new CustomEvent("missed"));
  clearTimeout(waiting);
  waiting = setTimeout(() => goLater(outlet), WAIT_MILLISECONDS);
  return undefined;
}

function goLater(outlet) {
  if (isWriting(outlet)) waiting = setTimeout(() => goLater(outlet), WAIT_MILLISECONDS);
  else go(outlet);
}

const load = (name) => import(`./views/${name}.js`);

async function loaded(name) {
  try {
    return await load(name);
  } catch (error) {
    unfetched = true;
    throw error;
  }
}

async function go(outlet) {
  const current = route();
  const mine = ++visit;
  clearTimeout(waiting);
  cleanup?.();
  cleanup = null;
  document.title = `${sentence(current.view)} – Veldwatch`;
  dispatchEvent(new CustomEvent("viewchange", { detail: current.view }));
  const view = h("main", { class: "view", id: "view", tabindex: "-1" }, skeleton(4));
  fill(outlet, view);
  try {
    const module = await loaded(current.view);
    if (mine !== visit) return;
    const end = await module.show(view, current);
    if (mine === visit) cleanup = end ?? null;
    else end?.();
  } catch (error) {
    if (mine === visit) fill(view, failure(error, () => (unfetched ? location.reload() : go(outlet))));
  }
}
