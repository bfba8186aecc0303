// A rule at work on it: edited on the one side, tried on history on the other, saved from here.

import { request } from "./api.js";
import { backtestRun } from "./backtest_run.js";
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { ruleForm } from "./rule_form.js";
import { link } from "./router.js";
import { me, mayOperate } from "./session.js";
import { notice } from "./toasts.js";

const BLANK = { id: "", title: "", severity: "minor", condition: { kind: "threshold", metric: "" } };

/**
 * Show the workbench.
 * @param {object|null} rule as stored; null: a new one
 * @returns {Promise<Function>} the view's cleanup
 */
export async function showWorkbench(view, rule) {
  const schema = await request("/v1/rule-schema");
  const own = me.organisation === null ? {} : { select: { organisation: me.organisation } };
  const trial = backtestRun(rule?.slug ?? null);
  let definition = null;
  const save = h("button", { class: "button", type: "button", disabled: true, on: { click: store } }, icon("check", 16), rule === null ? "Save the rule" : "Save as the new version");
  const form = ruleForm({ schema, definition: rule?.definition ?? { ...BLANK, ...own }, isNew: rule === null, disabled: false, changed: (next) => {
    definition = next;
    save.disabled = next === null || !mayOperate();
    trial.define(next);
  } });

  async function store() {
    save.disabled = true;
    try {
      const saved = await request(`/v1/rules/${encodeURIComponent(definition.id)}`, { method: "PUT", body: definition });
      notice(`${saved.title} is stored as version ${saved.version}. The engine folds its history now.`);
      location.hash = link("rules", saved.slug);
    } catch (error) {
      form.refuse(error);
      save.disabled = definition === null;
    }
  }

  fill(view, h("div", { class: "card rule-workbench" },
    h("header", { class: "detail-head" }, h("div", { class: "row row-wrap" }, h("a", { class: "button button-small", href: rule === null ? "#/rules" : link("rules", rule.slug) }, icon("back", 15), rule === null ? "Rules" : "The rule"), h("span", { class: "grow" }), mayOperate() ? save : null),
      h("h2", { class: "detail-title" }, rule === null ? "New rule" : rule.title), rule === null ? null : h("p", { class: "muted small" }, h("span", { class: "mono" }, rule.slug), ` version ${rule.version} is active. What you change here is a draft until you save it.`)),
    h("div", { class: "source-work rule-work" }, form.element, trial.element)));
  return () => { form.end(); trial.end(); };
}
