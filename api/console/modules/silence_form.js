// A new silence as one fills it in, with what it would mute now.

import { request } from "./api.js";
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { severityBadge } from "./badges.js";
import { me } from "./session.js";
import { notice } from "./toasts.js";
import { count, sentence } from "./units.js";

const LASTS = [["1", "1 hour"], ["4", "4 hours"], ["12", "12 hours"], ["24", "1 day"], ["72", "3 days"], ["168", "1 week"], ["720", "30 days"]];
const PARTS = ["rule", "site", "device", "tag", "profile"];
const HINTS = { rule: "water.silent or water.*", site: "slug, with all below", device: "external id", tag: "", profile: "slug" };
const WAIT_MILLISECONDS = 400;

/**
 * Build the form.
 * @param {URLSearchParams} given parts of the matcher to begin with
 * @param {(silence: object) => void} made called with the new silence
 */
export function silenceForm(given, made) {
  const preview = h("div", { class: "silence-preview", "aria-live": "polite" });
  const form = h("form", { class: "stack card-body", "aria-label": "New silence" },
    h("div", { class: "silence-fields" },
      me.organisation === null ? field("Organisation", h("input", { class: "input", name: "organisation", value: given.get("organisation") ?? "", placeholder: "all", autocomplete: "off" })) : null,
      PARTS.map((name) => field(sentence(name), h("input", { class: "input", name, value: given.get(name) ?? "", placeholder: HINTS[name], autocomplete: "off" }))),
      field("Severity", h("select", { class: "input", name: "severity" }, h("option", { value: "" }, "any"), ["critical", "major", "minor", "info"].map((s) => h("option", { value: s }, sentence(s))))),
      field("For", h("select", { class: "input", name: "lasts" }, LASTS.map(([value, text]) => h("option", { value, selected: value === "4" }, text))))),
    field("Why", h("input", { class: "input", name: "reason", required: true, maxlength: 256, placeholder: "for whoever finds it" })),
    h("label", { class: "row small" }, h("input", { type: "checkbox", name: "everything" }), "It is meant to mute everything (of the organisation)"),
    preview,
    h("div", { class: "row" }, h("button", { class: "button button-main", type: "submit" }, icon("silent", 16), "Silence"), h("a", { class: "button", href: "#/quiet" }, "Cancel")));
  let timer;
  const look = () => { clearTimeout(timer); timer = setTimeout(() => show(preview, form), WAIT_MILLISECONDS); };
  form.addEventListener("input", look);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const ends_at = new Date(Date.now() + Number(form.elements.lasts.value) * 3_600_000).toISOString();
    try {
      const silence = await request("/v1/silences", { method: "POST", body: { matcher: matcher(form), reason: form.elements.reason.value.trim(), ends_at } });
      notice(`Silence ${silence.id} is in force`);
      made(silence);
    } catch (error) {
      notice(error.message, "bad");
    }
  });
  show(preview, form);
  return form;
}

const field = (name, input) => h("label", { class: "field" }, name, input);

function matcher(form) {
  const said = {};
  for (const name of ["organisation", ...PARTS]) {
    const value = form.elements[name]?.value.trim();
    if (value) said[name] = value;
  }
  if (form.elements.severity.value) said.severities = [form.elements.severity.value];
  if (form.elements.everything.checked) said.everything = true;
  return said;
}

async function show(host, form) {
  const said = matcher(form);
  const parts = Object.keys(said).filter((name) => name !== "organisation");
  if (parts.length === 0) return void fill(host, h("span", { class: "muted" }, "It would mute everything: name a part of it, or say that this is meant."));
  try {
    const muted = await request("/v1/silences/preview", { method: "POST", body: said });
    fill(host, h("b", {}, muted.total === 0 ? "Nothing that fires now would be muted." : `Would mute ${count(muted.total)} ${muted.total === 1 ? "alert that fires" : "alerts that fire"} now:`), mutedAlerts(muted, 5));
  } catch (error) {
    fill(host, h("span", { class: "muted" }, error.message));
  }
}

/** List alerts that a silence mutes; `most` of them. */
export function mutedAlerts(muted, most = 50) {
  const shown = muted.alerts.slice(0, most);
  return h("div", {}, shown.map((alert) => h("a", { class: "list-row", href: `#/alerts/${alert.id}` }, h("div", { class: "row" }, severityBadge(alert.severity), h("span", { class: "clip grow" }, h("b", {}, alert.device_name ?? alert.site ?? alert.organisation), ` ${alert.summary}`)))),
    muted.total > shown.length ? h("p", { class: "small muted" }, `and ${count(muted.total - shown.length)} more`) : null);
}
