// Mailbox: the messages that the demo sent, as their receivers would read them.

import { request } from "../api.js";
import { disposables, fill, h } from "../dom.js";
import { icon } from "../icons.js";
import { mayOperate, me } from "../session.js";
import { denied, empty, failure } from "../states.js";
import { ageElement, timeElement } from "../time.js";

const REFRESH_MILLISECONDS = 5_000;

export async function show(view, { parameter }) {
  if (!mayOperate() || me.organisation !== null) return void fill(view, h("div", { class: "card" }, denied("The mailbox holds messages of every organisation, so only operators of all of them see it.")));
  const parts = disposables();
  const state = { items: [], selected: parameter, shown: undefined, list: h("div", { class: "list" }), pane: h("div", { class: "pane" }), root: null, keys: null };
  view.classList.add("view-fixed");
  state.root = h("div", { class: "split grow" }, h("section", { class: "card", "aria-label": "Messages" }, h("div", { class: "card-head" }, h("h2", { class: "grow" }, "Sent by the demo"), h("span", { class: "small muted" }, "stays on this machine")), state.list), h("section", { class: "card", "aria-label": "Message" }, state.pane));
  fill(view, state.root);
  await refresh(state, true);
  const timer = setInterval(() => refresh(state, false), REFRESH_MILLISECONDS);
  parts.add(() => clearInterval(timer));
  return parts.dispose;
}

async function refresh(state, first) {
  try {
    state.items = (await request("/v1/mailbox")).items;
  } catch (error) {
    if (first) fill(state.list, error.status === 404 ? empty("mailbox", "No mailbox", "Only the demo keeps the mails it sends. Here they go to your mail server.") : failure(error, () => refresh(state, true)));
    return;
  }
  if (state.selected === null && state.items.length > 0 && matchMedia("(min-width: 861px)").matches) state.selected = state.items[0].key;
  const keys = `${state.selected} ${state.items.map(({ key }) => key).join()}`;
  if (keys === state.keys) return;
  state.keys = keys;
  draw(state);
}

function draw(state) {
  fill(state.list, state.items.length === 0 ? empty("mailbox", "No mail yet", "When an alert fires, the message to its receivers appears here.") : state.items.map((mail) => row(state, mail)));
  const mail = state.items.find(({ key }) => key === state.selected);
  state.root.toggleAttribute("data-open", mail !== undefined);
  if (mail?.key === state.shown && mail) return;
  state.shown = mail?.key;
  fill(state.pane, mail ? letter(state, mail) : empty("mailbox", "No mail chosen", "Choose one from the list."));
}

function row(state, mail) {
  return h("a", { class: "list-row", href: `#/mailbox/${encodeURIComponent(mail.key)}`, "aria-current": mail.key === state.selected ? "true" : null, on: { click: (event) => {
    event.preventDefault();
    state.selected = mail.key;
    draw(state);
  } } },
  h("div", { class: "row" }, h("b", { class: "grow clip" }, mail.subject), h("span", { class: "small muted" }, ageElement(mail.date))), h("div", { class: "muted clip small" }, `to ${mail.to}`));
}

/** Addresses of this very console become links into it; all else stays text. */
function linked(text) {
  return text.split(/(https?:\/\/\S+)/).map((part) => {
    const match = /^https?:\/\/[^/]+\/#((?:\/|alert=)[\w/?=&.%-]*)$/.exec(part);
    return match ? h("a", { href: `#${match[1]}` }, part) : part;
  });
}

function letter(state, mail) {
  return h("article", { class: "mail" },
    h("div", { class: "row" }, h("button", { class: "button button-small phone-only", type: "button", on: { click: () => { state.selected = null; draw(state); } } }, icon("back", 15), "Mails")),
    h("h2", { class: "detail-title" }, mail.subject),
    h("dl", { class: "facts" }, fact("From", mail.from), fact("To", mail.to), fact("Sent", timeElement(mail.date))),
    h("div", { class: "mail-text" }, linked(mail.text)));
}

const fact = (name, value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));
