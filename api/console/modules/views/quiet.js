// Quiet: what is recorded and told to nobody for a while: silences, and the week's planned interruptions.

import { collect, request } from "../api.js";
import { during, denied, empty } from "../states.js";
import { fill, h } from "../dom.js";
import { icon } from "../icons.js";
import { legend, week, weekOf } from "../interruption_week.js";
import { mayOperate } from "../session.js";
import { mutedAlerts, silenceForm } from "../silence_form.js";
import { ageElement, local, timeElement } from "../time.js";
import { notice } from "../toasts.js";
import { count, sentence } from "../units.js";

const HOUR = 3_600_000;

export async function show(view, { parameter, query }) {
  const name = parameter ?? "";
  if (name === "new") return void showForm(view, query);
  if (/^\d+$/.test(name)) return void during(view, () => silencePage(view, Number(name)));
  const silences = h("div", {});
  const calendar = h("div", {});
  fill(view, h("div", { class: "quiet" },
    h("section", { class: "card", "aria-label": "Silences" }, h("div", { class: "card-head" }, h("h2", { class: "grow" }, "Silences"), mayOperate() ? h("a", { class: "button button-small", href: "#/quiet/new" }, icon("plus", 15), "New") : null), silences),
    h("section", { class: "card", "aria-label": "Planned interruptions" }, calendar)));
  await Promise.all([during(silences, silenceList, 3), showWeek(calendar, weekOf(Date.now()))]);
}

function showForm(view, given) {
  if (!mayOperate()) return void fill(view, h("div", { class: "card" }, denied("Operators silence alerts.")));
  const made = (silence) => { location.hash = `#/quiet/${silence.id}`; };
  fill(view, h("div", { class: "card quiet-form" }, h("div", { class: "card-head" }, h("h2", {}, "New silence")), silenceForm(given, made)));
}

async function silenceList() {
  const { items } = await request("/v1/silences", { query: { expired: true, limit: 100 } });
  if (items.length === 0) return empty("silent", "Nothing is silenced", "A silence mutes what matches it until it ends. What still holds is told then.");
  return items.map((silence) => h("a", { class: "list-row", href: `#/quiet/${silence.id}`, "data-over": silence.state === "expired" },
    h("div", { class: "row" }, h("b", { class: "grow clip" }, words(silence)), stateChip(silence)),
    h("div", { class: "row small muted" }, h("span", { class: "grow clip" }, `${silence.author}: ${silence.reason}`), h("span", { class: "clip" }, silence.state === "expired" ? "ended " : "until ", timeElement(silence.ends_at)))));
}

async function silencePage(view, id) {
  const [silence, muted] = await Promise.all([request(`/v1/silences/${id}`), request(`/v1/silences/${id}/alerts`)]);
  const change = async (ends_at, done) => {
    try {
      await request(`/v1/silences/${id}`, { method: "PATCH", body: { ends_at } });
      notice(done);
      during(view, () => silencePage(view, id));
    } catch (error) {
      notice(error.message, "bad");
    }
  };
  const longer = (hours) => change(new Date(Date.parse(silence.ends_at) + hours * HOUR).toISOString(), "The silence lasts longer");
  const buttons = mayOperate() && silence.state !== "expired" ? [
    h("button", { class: "button", type: "button", on: { click: () => longer(4) } }, icon("plus", 16), "4 hours"),
    h("button", { class: "button", type: "button", on: { click: () => longer(24) } }, icon("plus", 16), "1 day"),
    h("button", { class: "button button-danger", type: "button", on: { click: () => change(new Date().toISOString(), "The silence is over") } }, icon("stop", 16), "End now")] : [];
  return h("div", { class: "card quiet-form" },
    h("div", { class: "card-head row-wrap" }, h("a", { class: "button button-small", href: "#/quiet" }, icon("back", 15), "Quiet"), h("h2", { class: "grow clip" }, words(silence)), stateChip(silence)),
    h("div", { class: "card-body stack" },
      h("p", {}, `${silence.author}: ${silence.reason}`),
      h("dl", { class: "facts" }, fact("From", timeElement(silence.starts_at)), fact("Until", timeElement(silence.ends_at)), fact("Messages kept back", count(silence.kept_back))),
      h("div", { class: "row row-wrap" }, buttons),
      h("h3", {}, muted.total === 0 ? "It muted nothing so far" : `Fired within it (${count(muted.total)})`), mutedAlerts(muted),
      h("h3", {}, "What was done with it"), h("ul", { class: "plain-list small" }, silence.changes.map((one) => h("li", {}, h("b", {}, sentence(one.kind)), ` by ${one.author} `, ageElement(one.at), `, until ${local(one.ends_at)}`)))));
}

/** The week that begins at `monday`, with ways to the weeks beside it. */
async function showWeek(host, monday) {
  const next = new Date(monday);
  next.setDate(next.getDate() + 7);
  const step = (days) => { const other = new Date(monday); other.setDate(other.getDate() + days); showWeek(host, other); };
  const body = h("div", { class: "card-body stack" });
  fill(host, h("div", { class: "card-head row-wrap" }, h("h2", { class: "grow" }, "Planned interruptions"),
    h("button", { class: "button button-small", type: "button", "aria-label": "The week before", on: { click: () => step(-7) } }, icon("back", 15)),
    h("button", { class: "button button-small", type: "button", on: { click: () => showWeek(host, weekOf(Date.now())) } }, "This week"),
    h("button", { class: "button button-small week-next", type: "button", "aria-label": "The week after", on: { click: () => step(7) } }, icon("back", 15))), body);
  await during(body, async () => {
    const found = await collect("/v1/interruptions", { query: { from: monday.toISOString(), to: next.toISOString() }, limit: 1000 });
    const items = found.items ?? found;
    if (items.length === 0) return empty("clock", "Nothing is planned this week", "Import a calendar with `veldwatch calendar import`, or enter an interruption over the API.");
    return [legend(), week(monday, items), h("div", {}, items.slice(0, 100).map(interruptionRow))];
  }, 3);
}

function interruptionRow(one) {
  return h("div", { class: "list-row" }, h("div", { class: "row" }, icon(one.kind === "planned" ? "clock" : "power", 15), h("b", { class: "grow clip" }, one.title), h("span", { class: "small muted" }, one.explains > 0 ? `${count(one.explains)} explained` : "")),
    h("div", { class: "small muted" }, `${local(one.begins_at)} to ${local(one.ends_at)} · ${[...one.sites, ...one.devices].join(", ")}`));
}

function words(silence) {
  const parts = ["rule", "site", "device", "tag", "profile"].filter((name) => silence[name]).map((name) => `${name} ${silence[name]}`);
  if (silence.severities.length > 0) parts.push(silence.severities.join(" or "));
  parts.push(...Object.entries(silence.labels).map(([name, value]) => `${name}=${value}`));
  return `${silence.everything ? "Everything" : sentence(parts.join(", "))}${silence.organisation ? ` · ${silence.organisation}` : ""}`;
}

const stateChip = (silence) => h("span", { class: `badge ${silence.state === "active" ? "badge-ok" : ""}` }, icon(silence.state === "active" ? "silent" : "clock", 14), sentence(silence.state));
const fact = (name, value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));
