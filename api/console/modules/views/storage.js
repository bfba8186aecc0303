// Storage: how long what is kept and by whose word, what is held back, and what the database takes.

import { collect, request } from "../api.js";
import { fill, h } from "../dom.js";
import { icon } from "../icons.js";
import { KEPT, keptFor, policyAddress, retentionForm, whose } from "../retention_form.js";
import { link } from "../router.js";
import { mayOperate, me } from "../session.js";
import { denied, during, empty } from "../states.js";
import { storageFigures } from "../storage_figures.js";
import { ageElement, timeElement } from "../time.js";
import { count, sentence } from "../units.js";

export async function show(view, { parameter, query }) {
  if (parameter === "keep") return void showForm(view, query);
  const [kept, held, figures] = [h("div", {}), h("div", {}), h("div", {})];
  const title = (text, side = null) => h("div", { class: "card-head row-wrap" }, h("h2", { class: "grow" }, text), side);
  const add = mayOperate() ? h("a", { class: "button button-small", href: link("storage", "keep") }, icon("plus", 15), "New policy") : null;
  fill(view, h("div", { class: "storage" },
    h("section", { class: "card", "aria-label": "How long what is kept" }, title("How long what is kept", add), kept),
    mayOperate() ? h("section", { class: "card", "aria-label": "Past its time, and kept all the same" }, title("Past its time, and kept all the same"), held) : null,
    mayOperate() && me.organisation === null ? h("section", { class: "card", "aria-label": "What the database takes" }, title("What the database takes"), figures) : null));
  const parts = [during(kept, policies, 3)];
  if (mayOperate()) parts.push(during(held, heldBack, 2));
  if (mayOperate() && me.organisation === null) parts.push(during(figures, storageFigures, 6));
  await Promise.all(parts);
}

function showForm(view, given) {
  if (!mayOperate()) return void fill(view, h("div", { class: "card" }, denied("Operators say how long what is kept.")));
  const body = h("div", {});
  fill(view, h("div", { class: "card storage-form" },
    h("div", { class: "card-head row-wrap" }, h("a", { class: "button button-small", href: link("storage") }, icon("back", 15), "Storage"), h("h2", { class: "grow" }, given.has("what") ? "Policy" : "New policy")), body));
  during(body, async () => {
    const slugs = async (path) => (await collect(path, { query: { limit: 500 } })).items.map((one) => one.slug);
    const [told, organisation, profile] = await Promise.all([request("/v1/retention"), slugs("/v1/organisations"), slugs("/v1/profiles")]);
    return retentionForm(given, told.policies, { organisation, profile }, () => { location.hash = link("storage"); });
  });
}

async function policies() {
  const told = await request("/v1/retention");
  const row = (policy, mayChange) => h(mayChange ? "a" : "div", { class: "list-row", href: mayChange ? policyAddress(policy) : null },
    h("div", { class: "row" }, h("b", { class: "grow clip" }, `${KEPT[policy.what]} ${whose(policy)}`), h("span", { class: "chip" }, keptFor(policy.kept_days))));
  const mine = (policy) => mayOperate() && (me.organisation === null || policy.organisation === me.organisation);
  return [
    h("div", { class: "list-row" }, h("div", { class: "row" }, h("span", { class: "grow" }, "Readings, positions, events and contacts of which no policy says anything"), h("span", { class: "chip" }, keptFor(told.default_days)))),
    h("div", { class: "list-row" }, h("div", { class: "row" }, h("span", { class: "grow" }, "Hours and days of which no policy says anything"), h("span", { class: "chip" }, keptFor(null)))),
    told.policies.map((policy) => row(policy, mine(policy))),
    changes(told.changes)];
}

function changes(items) {
  if (items.length === 0) return null;
  return h("details", { class: "card-body small" }, h("summary", {}, `Who changed what (${count(items.length)})`),
    h("ul", { class: "plain-list" }, items.map((one) => h("li", {}, h("b", {}, one.author), ` ${one.action === "set" ? "set" : "removed"} ${KEPT[one.what].toLowerCase()} ${whose(one)}`,
      one.action === "set" ? `: ${keptFor(one.kept_days)}` : "", one.kept_days_before === null ? "" : `, before ${keptFor(one.kept_days_before)}`, ", ", ageElement(one.at), ` – ${one.reason}`))));
}

async function heldBack() {
  const told = await request("/v1/retention/held");
  if (told.items.length === 0 && told.waiting.length === 0) return empty("ok", "Nothing is held back", "What is past its time goes within minutes. What an open alert, a back-test or a reader of the log still needs would stay, and be listed here.");
  const who = (one) => `${one.device ?? `${count(one.devices)} devices`}${one.organisation ? ` of ${one.organisation}` : ""}`;
  return [
    told.waiting.map((one) => h("div", { class: "list-row" }, h("b", {}, KEPT[one.what]), h("div", { class: "small muted" }, one.reason))),
    told.items.map((one) => h(one.alert_id ? "a" : "div", { class: "list-row", href: one.alert_id ? link("alerts", one.alert_id) : null },
      h("div", { class: "row row-wrap" }, h("b", { class: "grow clip" }, who(one)), h("span", { class: "small muted" }, one.since ? ["since ", timeElement(one.since)] : "all of it")),
      h("div", { class: "small muted" }, `${one.whats.map((what) => KEPT[what]).join(", ")}: ${sentence(one.reason)}`)))];
}
