// How long something is kept, as one edits it: what would go is counted and shown before it is asked for a second time.

import { request } from "./api.js";
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { link } from "./router.js";
import { me } from "./session.js";
import { timeElement } from "./time.js";
import { notice } from "./toasts.js";
import { count } from "./units.js";

/** What can be kept for a time of its own, as people call it. */
export const KEPT = { reading: "Readings", position: "Positions", event: "Events", contact: "Contacts", hourly: "Hours of readings", daily: "Days of readings" };
const WITH_METRIC = ["reading", "hourly", "daily"];
const PARTS = ["organisation", "profile", "metric"];
/** The least and the most days that the server takes. */
const DAYS = { min: 8, max: 36_500 };
const WAIT_MILLISECONDS = 500;

export const keptFor = (days) => (days === null ? "for ever" : `${count(days)} days`);

/** Of whom a policy is, after its name of what is kept. */
export function whose(policy) {
  const said = PARTS.filter((part) => policy[part]).map((part) => `${part} ${policy[part]}`);
  return said.length === 0 ? "of all" : `of ${said.join(", ")}`;
}

const named = (policy) => Object.fromEntries(["what", ...PARTS].filter((part) => policy[part]).map((part) => [part, policy[part]]));

/** Address of the form that changes a policy. */
export const policyAddress = (policy) => link("storage", "keep", named(policy));

/**
 * Build the form.
 * @param {URLSearchParams} given parts to begin with
 * @param {object[]} standing policies
 * @param {{organisation: string[], profile: string[]}} slugs to choose from
 * @param {() => void} done called when the policy was set or removed
 */
export function retentionForm(given, standing, slugs, done) {
  const found = standing.find((one) => ["what", ...PARTS].every((part) => (one[part] ?? "") === (given.get(part) ?? "")));
  const preview = h("div", { class: "silence-preview", role: "status" });
  const option = (value, text, selected) => h("option", { value, selected }, text);
  const choice = (name, values) => h("select", { class: "input", name, disabled: Boolean(found) }, option("", "any", !given.get(name)), values.map((value) => option(value, value, value === given.get(name))));
  const set = h("button", { class: "button button-main", type: "submit" }, icon("check", 16), h("span", {}, "Keep so"));
  const remove = found ? h("button", { class: "button button-danger", type: "button" }, icon("stop", 16), h("span", {}, "Remove the policy")) : null;
  const form = h("form", { class: "stack card-body", "aria-label": "How long it is kept" },
    h("div", { class: "silence-fields" },
      field("What", h("select", { class: "input", name: "what", disabled: Boolean(found) }, Object.entries(KEPT).map(([value, text]) => option(value, text, value === (given.get("what") ?? "reading"))))),
      me.organisation === null ? field("Organisation", choice("organisation", slugs.organisation)) : null,
      field("Profile", choice("profile", slugs.profile)),
      field("Metric", h("input", { class: "input", name: "metric", value: given.get("metric") ?? "", placeholder: "any", autocomplete: "off", disabled: Boolean(found) })),
      field("Days (none: for ever)", h("input", { class: "input", name: "days", type: "number", ...DAYS, step: 1, value: found?.kept_days ?? "", placeholder: "for ever" }))),
    field("Why", h("input", { class: "input", name: "reason", required: true, maxlength: 256, placeholder: "for whoever finds it" })),
    preview,
    h("div", { class: "row row-wrap" }, set, remove, h("a", { class: "button", href: link("storage") }, "Cancel")));

  /** Two steps: the first counts what would go, the second does it. Any change of the form begins again. */
  const rest = () => { for (const button of [set, remove]) if (button) delete button.dataset.asked; label(set, "Keep so"); if (remove) label(remove, "Remove the policy"); };
  const step = async (button, removed) => {
    if (!form.reportValidity()) return;
    const body = { ...said(form), reason: form.elements.reason.value.trim() };
    if (removed) delete body.kept_days;
    button.disabled = true;
    try {
      // What was counted is what is done: the form may have been changed while that took its time.
      const meant = JSON.stringify({ ...said(form), removed });
      if (button.dataset.asked !== meant) {
        const going = await countWhatGoes(preview, form, removed);
        if (going?.rows > 0) {
          button.dataset.asked = meant;
          label(button, `${inWords(going)} go for good: are you sure?`);
          return;
        }
      }
      await request(removed ? "/v1/retention/remove" : "/v1/retention", { method: removed ? "POST" : "PUT", body });
      notice(removed ? "The policy is removed; a less special one holds" : `${KEPT[body.what]} ${whose(body)}: ${keptFor(body.kept_days)}`);
      done();
    } catch (error) {
      notice(error.message, "bad");
    } finally {
      button.disabled = false;
    }
  };
  let timer;
  form.addEventListener("input", ({ target }) => {
    if (target.name === "reason") return;
    rest();
    form.elements.metric.disabled = Boolean(found) || !WITH_METRIC.includes(form.elements.what.value);
    clearTimeout(timer);
    timer = setTimeout(() => countWhatGoes(preview, form, false).catch((error) => fill(preview, h("span", { class: "muted" }, error.message))), WAIT_MILLISECONDS);
  });
  form.addEventListener("submit", (event) => { event.preventDefault(); step(set, false); });
  remove?.addEventListener("click", () => step(remove, true));
  fill(preview, h("span", { class: "muted" }, "What would go is counted before anything does. The policy that names more decides: a metric says more than a profile, a profile more than an organisation."));
  return form;
}

const field = (name, input) => h("label", { class: "field" }, name, input);
const label = (button, text) => fill(button.lastElementChild, text);

function said(form) {
  const body = { what: form.elements.what.value, kept_days: form.elements.days.value === "" ? null : Number(form.elements.days.value) };
  if (me.organisation !== null) body.organisation = me.organisation;
  for (const part of PARTS) {
    const value = form.elements[part]?.value.trim();
    if (value && (part !== "metric" || WITH_METRIC.includes(body.what))) body[part] = value;
  }
  return body;
}

/** Of very many rows only so many are counted. */
const inWords = ({ rows, more }) => `${more ? "More than " : ""}${count(rows)} rows`;

/** Show what would go; gives the number of rows, and whether there are more. */
async function countWhatGoes(host, form, removed) {
  if (!form.elements.days.checkValidity()) return void fill(host, h("span", { class: "muted" }, `Days are ${DAYS.min} to ${count(DAYS.max)}, or none: for ever.`));
  fill(host, h("span", { class: "muted" }, "Counting what would go …"));
  const { items } = await request("/v1/retention/preview", { method: "POST", body: { ...said(form), removed } });
  const rows = items.reduce((sum, one) => sum + one.rows, 0);
  const more = items.some((one) => one.more);
  if (rows === 0) fill(host, h("b", {}, "Nothing would go now."));
  else fill(host, items.filter((one) => one.rows > 0).map((one) => h("p", {}, h("b", {}, `${inWords(one)} would go`), ` of ${count(one.sources)} ${WITH_METRIC.includes(one.what) ? "series" : "devices"}, `, timeElement(one.began), " to ", timeElement(one.ended), one.waits_for ? `. Some of it waits: ${one.waits_for}.` : ".")));
  return { rows, more };
}
