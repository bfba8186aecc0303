// Quiet: what is recorded and told to nobody for a while: silences, and the week's planned interruptions, entered and imported.

import { collect, request } from "../api.js";
import { calendarImport } from "../calendar_import.js";
import { during, denied, empty } from "../states.js";
import { fill, h } from "../dom.js";
import { icon } from "../icons.js";
import { interruptionForm } from "../interruption_form.js";
import { legend, week, weekOf } from "../interruption_week.js";
import { loadRegister } from "../register.js";
import { mayOperate } from "../session.js";
import { mutedAlerts, silenceForm } from "../silence_form.js";
import { ageElement, local, timeElement } from "../time.js";
import { notice } from "../toasts.js";
import { count, sentence } from "../units.js";

const HOUR = 3_600_000;

export async function show(view, { parameter, query }) {
  const name = parameter ?? "";
  if (name === "new") return void showForm(view, query);
  if (name === "plan") return void showPlan(view, "New interruption", async () => interruptionForm(null, leave));
  if (/^plan-\d+$/.test(name)) return void showPlan(view, "Planned interruption", () => interruptionPage(Number(name.slice(5))));
  if (name === "import") return void showPlan(view, "Import a calendar", async () => calendarImport());
  if (/^\d+$/.test(name)) return void during(view, () => silencePage(view, Number(name)));
  const silences = h("div", {});
  const calendar = h("div", {});
  fill(view, h("div", { class: "quiet" },
    h("section", { class: "card", "aria-label": "Silences" }, h("div", { class: "card-head" }, h("h2", { class: "grow" }, "Silences"), mayOperate() ? h("a", { class: "button button-small", href: "#/quiet/new" }, icon("plus", 15), "New") : null), silences),
    h("section", { class: "card", "aria-label": "Planned interruptions" }, calendar)));
  await Promise.all([during(silences, silenceList, 3), showWeek(calendar, weekOf(Date.now()))]);
}

const leave = () => { location.hash = "#/quiet"; };

/** A card for what is planned, over the register. */
function showPlan(view, title, build) {
  if (!mayOperate()) return void fill(view, h("div", { class: "card" }, denied("Operators plan interruptions.")));
  const body = h("div", {});
  fill(view, h("div", { class: "card quiet-form" }, h("div", { class: "card-head row-wrap" }, h("a", { class: "button button-small", href: "#/quiet" }, icon("back", 15), "Quiet"), h("h2", { class: "grow" }, title)), body));
  during(body, async () => { await loadRegister(); return build(); });
}

/** One that somebody entered is changed here; any is called off here, after a second look. */
async function interruptionPage(id) {
  const one = await request(`/v1/interruptions/${id}`);
  const off = h("button", { class: "button button-danger", type: "button" }, icon("stop", 16), "Call off");
  off.addEventListener("click", async () => {
    if (off.dataset.asked === undefined) {
      off.dataset.asked = "true";
      off.lastChild.textContent = "Call off: are you sure?";
      return;
    }
    try {
      await request(`/v1/interruptions/${id}`, { method: "DELETE" });
      notice("It is called off, and explains nothing any more");
      leave();
    } catch (error) {
      notice(error.message, "bad");
    }
  });
  const facts = h("dl", { class: "facts" }, fact("By", one.author), fact("Explains", `${count(one.explains)} alerts`), one.calendar ? fact("Calendar", one.calendar) : null, one.cancelled_at ? fact("Called off", timeElement(one.cancelled_at)) : null);
  if (one.cancelled_at) return [h("div", { class: "card-body stack" }, facts), interruptionRow(one)];
  const said = one.calendar ? h("div", { class: "card-body stack" }, h("b", {}, one.title), h("p", {}, `${local(one.begins_at)} to ${local(one.ends_at)} · ${[...one.sites, ...one.devices].join(", ")}`), h("p", { class: "small muted" }, "It comes from a calendar: change it there and import that again, or call it off."))
    : interruptionForm(one, leave);
  return [h("div", { class: "card-body stack" }, facts, h("div", { class: "row" }, off)), said];
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
  fill(host, h("div", { class: "card-head row-wrap week-title" }, h("h2", { class: "grow" }, "Planned interruptions"),
    h("button", { class: "button button-small", type: "button", "aria-label": "The week before", on: { click: () => step(-7) } }, icon("back", 15)),
    h("button", { class: "button button-small", type: "button", on: { click: () => showWeek(host, weekOf(Date.now())) } }, "This week"),
    h("button", { class: "button button-small week-next", type: "button", "aria-label": "The week after", on: { click: () => step(7) } }, icon("back", 15)),
    mayOperate() ? [h("a", { class: "button button-small", href: "#/quiet/import" }, icon("leave", 15), "Import"), h("a", { class: "button button-small", href: "#/quiet/plan" }, icon("plus", 15), "Plan")] : null), body);
  await during(body, async () => {
    const found = await collect("/v1/interruptions", { query: { from: monday.toISOString(), to: next.toISOString() }, limit: 1000 });
    const items = found.items ?? found;
    if (items.length === 0) return empty("clock", "Nothing is planned this week", "Enter what is planned, or import a calendar (.ics): silence within it is explained, and told only if it outlasts it.");
    return [legend(), week(monday, items), h("div", {}, items.slice(0, 100).map(interruptionRow))];
  }, 3);
}

function interruptionRow(one) {
  return h(mayOperate() ? "a" : "div", { class: "list-row", href: mayOperate() ? `#/quiet/plan-${one.id}` : null }, h("div", { class: "row" }, icon(one.kind === "planned" ? "clock" : "power", 15), h("b", { class: "grow clip" }, one.title), h("span", { class: "small muted" }, one.explains > 0 ? `${count(one.explains)} explained` : "")),
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
