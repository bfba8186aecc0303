// What came of a back-test: figures, picture, who would have been told, and the alerts one by one.

import { picture } from "./backtest_picture.js";
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { empty } from "./states.js";
import { timeElement } from "./time.js";
import { count, rough, sentence } from "./units.js";

const WORDS = { same: ["ok", "Same"], changed: ["clock", "Other times"], new: ["plus", "New"], gone: ["retracted", "Gone"] };
const SHOWN = 100;

/** @param {object} backtest finished */
export function backtestResult(backtest) {
  const { result } = backtest;
  return h("div", { class: "backtest-result", "data-backtest": backtest.id },
    figures(result),
    result.total === 0 ? empty("ok", "No alert", `Nothing would have been raised: ${count(result.draft.subjects)} series or devices, ${count(result.draft.observations)} observations.`) : [h("h3", {}, "When and where"), picture(backtest), h("h3", {}, "One by one"), list(result)],
    h("h3", {}, "Who would have been told"), told(result));
}

function figures({ draft, present, changes }) {
  const figure = (title, value, before) => h("div", { class: "card figure backtest-figure" }, h("span", { class: "figure-title" }, title), h("span", { class: "figure-value" }, value), h("span", { class: "figure-side" }, present ? `now ${before}` : ""));
  const share = (each) => (each.share_at_night === null ? "–" : `${Math.round(each.share_at_night * 100)} %`);
  return [
    h("div", { class: "figures backtest-figures" },
      figure("Alerts", count(draft.count), present && count(present.count)),
      figure("A week", rough(draft.per_week), present && rough(present.per_week)),
      figure("At night", share(draft), present && share(present)),
      figure("Devices", count(draft.devices_with_alerts), present && count(present.devices_with_alerts))),
    changes ? h("div", { class: "row row-wrap" }, Object.entries(changes).map(([name, many]) => h("span", { class: `badge difference-${name}` }, icon(WORDS[name][0], 13), `${count(many)} ${WORDS[name][1].toLowerCase()}`))) : h("p", { class: "muted small" }, "There is no other version to compare with."),
  ];
}

function list(result) {
  const body = h("tbody");
  const foot = h("p", { class: "muted small" });
  let chosen = null;
  const buttons = h("div", { class: "segments", role: "group", "aria-label": "Which alerts" });
  const draw = () => {
    const rows = result.alerts.filter((row) => chosen === null || row.difference === chosen);
    fill(body, rows.slice(0, SHOWN).map(line));
    fill(foot, `${count(Math.min(rows.length, SHOWN))} of ${count(rows.length)} listed`, result.total > result.listed ? `; ${count(result.total)} in all, of which the first ${count(result.listed)} are kept` : "", ".");
    fill(buttons, [null, "new", "gone", "changed", "same"].map((each) => h("button", { type: "button", "aria-pressed": String(each === chosen), on: { click: () => { chosen = each; draw(); } } }, each === null ? "All" : WORDS[each][1])));
  };
  draw();
  return [result.changes ? buttons : null, h("div", { class: "table-scroll source-table" }, h("table", { class: "table table-cards" }, h("thead", {}, h("tr", {}, ["Device", "Against now", "Opened", "Fired", "Over", "What"].map((each) => h("th", {}, each)))), body)), foot];
}

function line({ difference, draft, present }) {
  const alert = draft ?? present;
  const word = difference === null ? null : WORDS[difference];
  const moment = (name) => h("td", {}, timeElement(alert[name]), difference === "changed" && present && draft && present[name] !== draft[name] ? h("div", { class: "small muted" }, "now ", timeElement(present[name])) : null);
  return h("tr", {}, h("td", { class: "mono" }, alert.device ?? alert.site), h("td", {}, word ? h("span", { class: `badge difference-${difference}` }, icon(word[0], 13), word[1]) : "–"), moment("opened_at"), moment("fired_at"), moment("resolved_at"), h("td", {}, alert.summary, (alert.raises ?? []).map((step) => h("div", { class: "small muted" }, `rose to ${step.severity} `, timeElement(step.at)))));
}

const REASONS = { silenced: "silenced", inhibited: "explained by something else", grouped: "said by another message", off_schedule: "outside the rule's hours" };
const REGARDS = { arrival: "when data came", other_rules: "the alerts of other rules", people: "what people did meanwhile", today: "how receivers, silences, the calendar and places were then: those of today are taken" };

const inMessages = ({ messages }) => (messages ? `, in ${count(messages)} ${messages === 1 ? "message" : "messages"}` : "");

/** What was told to nobody, and what was told late. */
function kept({ kept_back: back = {}, waited = {} }) {
  const words = (reason) => REASONS[reason] ?? reason;
  return [...Object.entries(back).map(([reason, many]) => `${count(many)} kept back, ${words(reason)}`), ...Object.entries(waited).map(([reason, many]) => `${count(many)} waited, ${words(reason)}`)];
}

const notRegarded = (reasons = []) => (reasons.length ? h("p", { class: "small muted" }, `Not regarded: ${reasons.map((reason) => REGARDS[reason] ?? reason).join("; ")}.`) : null);

function told({ told: lines, present, not_regarded: regard }) {
  if (lines.length === 0) return h("p", { class: "muted" }, "Nobody: there is no receiver.");
  const why = { disabled: "switched off", severity: "its minimum severity is higher" };
  return h("div", {}, h("ul", { class: "backtest-told" }, lines.map((each) => h("li", {}, h("b", {}, each.receiver), ` (${each.channel}, from ${sentence(each.minimum_severity).toLowerCase()} on): `,
    each.why_not ? h("span", { class: "muted" }, `of none, ${why[each.why_not] ?? each.why_not}`) : `of ${count(each.alerts)}${present ? ` (now of ${count(each.present_alerts)})` : ""}${inMessages(each)}`,
    kept(each).length ? h("div", { class: "small muted" }, `${sentence(kept(each).join("; "))}.`) : null))), notRegarded(regard));
}
