// Sources: which decoder reads which topics, in the order in which they are asked; changed and tried at once.

import { request } from "../api.js";
import { fill, h } from "../dom.js";
import { icon } from "../icons.js";
import { link, replace } from "../router.js";
import { me, mayOperate } from "../session.js";
import { sourceForm } from "../source_form.js";
import { trial } from "../source_trial.js";
import { empty, failure } from "../states.js";
import { ageElement } from "../time.js";
import { count, rough } from "../units.js";

const NEW = "new";
const BLANK = { name: "", topic_filter: "", decoder: "mapping", options: {}, organisation: null, register_unknown: null, register_as: "pending", device_pattern: null, registrations_per_hour: null, priority: 100, enabled: true, origin: "new" };

/** A filter may take anybody's messages: only who operates for all organisations may change one. */
const mayChange = () => mayOperate() && me.organisation === null;

export async function show(view, { parameter, query }) {
  const state = { items: [], decoders: [], organisations: [], message: null, selected: parameter, list: h("div", { class: "list" }), pane: h("div", { class: "pane" }), root: null };
  const [, organisations, message] = await Promise.all([load(state), request("/v1/organisations", { query: { limit: 1000 } }), quarantined(query.get("quarantine"))]);
  state.organisations = organisations.items.map(({ slug }) => slug);
  state.message = message;
  view.classList.add("view-fixed");
  state.root = h("div", { class: "split sources grow" },
    h("section", { class: "card", "aria-label": "Sources" },
      h("div", { class: "card-head" }, h("h2", { class: "grow" }, "In order"), mayChange() ? h("a", { class: "button button-small", href: link("sources", NEW) }, icon("plus", 14), "New source") : null), state.list),
    h("section", { class: "card", "aria-label": "Source" }, state.pane));
  fill(view, state.root);
  if (state.selected === null && matchMedia("(min-width: 861px)").matches) state.selected = state.items[0]?.name ?? null;
  draw(state);
}

async function load(state) {
  const { items, decoders } = await request("/v1/sources");
  Object.assign(state, { items, decoders });
}

/** The message that was quarantined under this number; null: none was named, or it is gone. */
async function quarantined(number) {
  if (!number || !mayOperate()) return null;
  return request(`/v1/quarantine/${encodeURIComponent(number)}`).catch(() => null);
}

function draw(state) {
  fill(state.list, state.items.map((item) => row(state, item)));
  const chosen = state.selected === NEW ? proposal(state) : state.items.find(({ name }) => name === state.selected);
  state.root.toggleAttribute("data-open", state.selected !== null);
  if (chosen) return void open(state, chosen);
  fill(state.pane, state.selected === null ? empty("sources", "No source chosen", "Choose one from the list to see and try it.")
    : empty("search", "Not found", `No source is called ${state.selected}.`, h("a", { class: "button", href: "#/sources" }, "All sources")));
}

function row(state, item) {
  return h("a", { class: "list-row", href: link("sources", item.name), "aria-current": item.name === state.selected ? "true" : null },
    h("div", { class: "row" }, h("b", { class: "grow clip" }, item.name),
      item.fault ? h("span", { class: "badge severity-major" }, icon("major", 13), "Cannot work") : null,
      item.enabled ? null : h("span", { class: "badge" }, icon("stop", 13), "Off"),
      h("span", { class: "chip", title: item.priority === null ? "of the settings: asked last" : "priority: the smallest is asked first" }, item.priority === null ? "settings" : count(item.priority))),
    h("div", { class: "row" }, h("span", { class: "mono muted clip grow" }, item.topic_filter), h("span", { class: "small muted" }, item.decoder)),
    item.devices === null ? null : h("div", { class: "small muted" }, `${count(item.devices)} devices`, item.waiting > 0 ? ` · ${count(item.waiting)} in quarantine` : "", traffic(item)));
}

const traffic = (item) => (item.last_received_at === null ? "" : [" · ", ageElement(item.last_received_at), item.messages_per_second >= 0.05 ? `, ${rough(item.messages_per_second)} a second` : ""]);

/** What a new source might be: one that takes the quarantined message, if it was made from one. */
function proposal(state) {
  if (state.message === null) return BLANK;
  const filter = state.message.topic_pattern;
  const place = filter.split("/").indexOf("+");
  const name = filter.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 40);
  return { ...BLANK, name, topic_filter: filter, organisation: state.message.organisation ?? null, options: place < 0 ? {} : { device: `{topic[${place}]}` } };
}

function open(state, item) {
  const attempt = trial({ message: state.message, allowed: mayOperate() });
  const form = sourceForm({
    item, decoders: state.decoders, organisations: state.organisations, allowed: mayChange(),
    changed: (definition, problem) => attempt.define(definition, problem),
    saved: async (name) => { await reload(state, name); },
    removed: async (name) => { await reload(state, state.items.some((each) => each.name === name) ? name : null); },
  });
  fill(state.pane, h("div", { class: "source-work" },
    h("div", {}, h("div", { class: "source-back phone-only" }, h("a", { class: "button button-small", href: "#/sources", on: { click: (event) => { event.preventDefault(); state.selected = null; replace(link("sources")); draw(state); } } }, icon("back", 15), "Sources")), form.element),
    attempt.element));
  form.tell();
}

async function reload(state, name) {
  try {
    await load(state);
  } catch (error) {
    return void fill(state.list, failure(error, () => reload(state, name)));
  }
  state.selected = name !== null && state.items.some((item) => item.name === name) ? name : null;
  replace(link("sources", state.selected));
  draw(state);
  return undefined;
}
