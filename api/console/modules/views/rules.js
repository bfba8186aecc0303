// Rules: what is watched for; operators switch them on and off.

import { collect, request } from "../api.js";
import { severityBadge } from "../badges.js";
import { fill, h } from "../dom.js";
import { icon } from "../icons.js";
import { mayOperate } from "../session.js";
import { link } from "../router.js";
import { showWorkbench } from "../rule_workbench.js";
import { showStatistics } from "../rule_statistics.js";
import { empty } from "../states.js";
import { timeElement } from "../time.js";
import { notice } from "../toasts.js";
import { sentence } from "../units.js";

/** No rule can have this name: they have no blanks. */
const NEW = "new rule";

export async function show(view, { parameter, query }) {
  if (parameter === NEW) return showWorkbench(view, null);
  if (parameter !== null) {
    const rule = await request(`/v1/rules/${encodeURIComponent(parameter)}`);
    return query.has("draft") ? showWorkbench(view, rule) : showRule(view, rule);
  }
  const { items } = await collect("/v1/rules", { query: { limit: 500 } });
  if (items.length === 0) return void fill(view, h("div", { class: "card" }, empty("rules", "No rule yet", "Load some with veldwatch rules apply; without a rule nothing is ever raised.")));
  fill(view, h("div", { class: "view-head" }, h("p", { class: "muted grow" }, `${items.filter((r) => r.enabled).length} of ${items.length} rules are on.`), mayOperate() ? h("a", { class: "button", href: link("rules", NEW) }, icon("plus", 15), "New rule") : h("span", { class: "chip" }, icon("key", 14), "Only operators switch rules")),
    h("div", { class: "rule-list" }, items.map(card)));
  return undefined;
}

function card(rule) {
  return h("section", { class: "card rule-card", "aria-label": rule.title },
    h("div", { class: "row" }, severityBadge(rule.severity), h("span", { class: "grow" }), toggle(rule)),
    h("h3", {}, h("a", { href: `#/rules/${encodeURIComponent(rule.slug)}` }, rule.title)),
    h("p", { class: "muted" }, conditionText(rule.definition)),
    h("div", { class: "row row-wrap small muted" }, h("span", { class: "mono" }, `${rule.slug} v${rule.version}`), selectorText(rule.definition.select).map((t) => h("span", { class: "chip" }, t))));
}

function toggle(rule) {
  const word = h("span", { class: "small muted" }, rule.enabled ? "On" : "Off");
  const button = h("button", { class: "switch", type: "button", role: "switch", "aria-checked": String(rule.enabled), "aria-label": `Rule ${rule.title}`, disabled: !mayOperate(), on: { click: async () => {
    button.disabled = true;
    try {
      await request(`/v1/rules/${encodeURIComponent(rule.slug)}/${rule.enabled ? "disable" : "enable"}`, { method: "POST" });
      rule.enabled = !rule.enabled;
      button.setAttribute("aria-checked", String(rule.enabled));
      word.textContent = rule.enabled ? "On" : "Off";
    } catch (error) {
      notice(error.message, "bad");
    }
    button.disabled = false;
  } } });
  return h("span", { class: "row" }, word, button);
}

/** The condition as one sentence. */
export function conditionText({ condition = {}, hold_for: held }) {
  const lasting = held && held !== "0s" ? `, for ${held}` : "";
  const metric = String(condition.metric ?? "").replaceAll("_", " ");
  switch (condition.kind) {
    case "threshold": return `${sentence(metric)} ${limit(condition)}${lasting}.`;
    case "continuous_flow": return `${sentence(metric)} never stops flowing for ${condition.duration}.`;
    case "absence": return `Nothing is heard for ${condition.silent_for}.`;
    case "event": return `${sentence(told(condition))}${condition.window ? `, ${condition.count} times within ${condition.window}` : ""}${lasting}.`;
    case "all_of": return `${sentence(parts(condition, " and "))}${lasting}.`;
    case "any_of": return `${sentence(parts(condition, " or "))}${lasting}.`;
    case "not": return `Not: ${part(condition.of)}${lasting}.`;
    case "geofence": return `${crossing(condition)}${lasting}.`;
    case "near": return `Within ${condition.distance_metres} m of ${placeOf(condition, "a place")}${lasting}.`;
    case "speed": return `${speedLimit(condition)} over ${condition.window ?? "1h"}.`;
    case "immobility": return `Stays within ${condition.radius_metres ?? 13} m for ${condition.window ?? "5h"}.`;
    default: return `${sentence(condition.kind)}${lasting}.`;
  }
}

/** Parts of a combined condition, as one writes them within a sentence. */
const part = (condition) => {
  const words = conditionText({ condition }).replace(/\.$/, "");
  return words.charAt(0).toLowerCase() + words.slice(1);
};

const parts = ({ of = [] }, word) => of.map((each) => (["all_of", "any_of"].includes(each.kind) ? `(${part(each)})` : part(each))).join(word);

const told = ({ events = [] }) => `it tells ${events.map(pattern).join(" or ")}`;

const spoken = (values) => [values].flat().join(" or ");

function pattern({ kind, attributes = {}, words = {} }) {
  const asked = [...Object.entries(attributes).map(([name, values]) => `${name} ${spoken(values)}`), ...Object.entries(words).map(([name, values]) => `${name} with ${spoken(values)}`)];
  return kind.replaceAll("_", " ") + (asked.length ? ` (${asked.join(", ")})` : "");
}

const CROSSINGS = { enter: "Enters", exit: "Leaves", cross: "Crosses", left_to_right: "Crosses, to its right,", right_to_left: "Crosses, to its left,", dwell: "Stays in", outside_when_due: "Is not in" };

const placeOf = ({ site, sites_of_kind: kind }, other) => site ?? (kind ? `a ${kind.replaceAll("_", " ")}` : other);

function crossing(condition) {
  const times = condition.event === "dwell" ? ` for ${condition.duration}` : condition.event === "outside_when_due" ? ` between ${condition.due_from} and ${condition.due_to}` : "";
  return `${CROSSINGS[condition.event]} ${placeOf(condition, condition.line ? "a line" : "an area")}${times}`;
}

function speedLimit({ above, below, below_percentile: share, of }) {
  const measured = of === "displacement" ? "Goes straight on" : "Goes";
  if (share !== undefined) return `${measured} slower than in all but ${share} % of its time`;
  return above !== undefined ? `${measured} above ${above} km/h` : `${measured} below ${below} km/h`;
}

function limit({ above, below, outside }) {
  if (above !== undefined && above !== null) return `above ${above}`;
  if (below !== undefined && below !== null) return `below ${below}`;
  return outside ? `outside ${outside[0]} to ${outside[1]}` : "";
}

const selectorText = (select = {}) => Object.entries(select).map(([name, value]) => `${name}: ${Array.isArray(value) ? value.join(", ") : value}`);

function showRule(view, rule) {
  const statistics = h("div", { id: "statistics" });
  fill(view, h("div", { class: "card" }, h("header", { class: "detail-head" },
    h("div", { class: "row row-wrap" }, h("a", { class: "button button-small", href: "#/rules" }, icon("back", 15), "Rules"), severityBadge(rule.severity), h("span", { class: "grow" }), mayOperate() ? h("a", { class: "button button-small", href: link("rules", rule.slug, { draft: "1" }) }, icon("play", 14), "Change and try") : null, toggle(rule)),
    h("h2", { class: "detail-title" }, rule.title), h("p", {}, conditionText(rule.definition)),
    h("dl", { class: "facts" }, fact("Name", h("span", { class: "mono" }, rule.slug)), fact("Version", rule.version), fact("Since", timeElement(rule.created_at)), rule.created_by ? fact("By", rule.created_by) : null)),
  h("section", { class: "detail-section" }, h("h3", {}, "Its alerts of the last four weeks"), statistics),
  h("section", { class: "detail-section" }, h("h3", {}, "Definition"), h("pre", { class: "payload" }, JSON.stringify(rule.definition, null, 2)))));
  showStatistics(statistics, rule.slug);
}

const fact = (name, value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));
