// A planned interruption as one enters or changes it: what, when in the viewer's zone, and where.

import { request } from "./api.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { placeFields, placesOf } from "./interruption_places.js";
import { notice } from "./toasts.js";
import { sentence } from "./units.js";

export const KINDS = ["planned", "load_shedding"];
const HOUR = 3_600_000;

/**
 * Build the form; the register has to be loaded.
 * @param {object | null} standing the interruption to change; null: a new one
 * @param {(interruption: object) => void} done called with what the server made of it
 */
export function interruptionForm(standing, done) {
  const next = new Date(Math.ceil(Date.now() / HOUR) * HOUR);
  const [begins, ends] = standing ? [new Date(standing.begins_at), new Date(standing.ends_at)] : [next, new Date(next.getTime() + 4 * HOUR)];
  const places = placeFields(standing);
  const title = h("input", { class: "input", name: "title", required: true, maxlength: 500, autocomplete: "off", placeholder: "Transformer is exchanged" });
  title.defaultValue = standing?.title ?? "";
  const reason = h("input", { class: "input", name: "reason", maxlength: 2000, autocomplete: "off", placeholder: "for whoever finds it" });
  reason.defaultValue = standing?.reason ?? "";
  const form = h("form", { class: "stack card-body", "aria-label": standing ? "Change the interruption" : "New interruption" },
    field("What", title),
    h("div", { class: "silence-fields" },
      field("Kind", h("select", { class: "input", name: "kind" }, KINDS.map((kind) => h("option", { value: kind, selected: kind === (standing?.kind ?? "planned") }, sentence(kind))))),
      field("From", moment("begins", begins)), field("To", moment("ends", ends))),
    h("p", { class: "small muted" }, `Times are those of ${Intl.DateTimeFormat().resolvedOptions().timeZone || "this computer"}.`),
    places, field("Why", reason),
    h("div", { class: "row" }, h("button", { class: "button button-main", type: "submit" }, icon("check", 16), standing ? "Save" : "Enter"), h("a", { class: "button", href: "#/quiet" }, "Cancel")));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { organisation, ...where } = placesOf(form);
    const body = {
      kind: form.elements.kind.value, title: title.value.trim(), reason: reason.value.trim(), ...where,
      begins_at: momentOf(form.elements.begins, standing?.begins_at), ends_at: momentOf(form.elements.ends, standing?.ends_at),
    };
    try {
      const made = standing ? await request(`/v1/interruptions/${standing.id}`, { method: "PUT", body })
        : await request("/v1/interruptions", { method: "POST", body: { ...body, organisation } });
      notice(standing ? "The interruption is changed" : "The interruption is entered");
      done(made);
    } catch (error) {
      notice(error.message, "bad");
    }
  });
  return form;
}

const field = (name, input) => h("label", { class: "field" }, name, input);

/** A field that nobody touched means the moment that it was filled with: to the second, and on its side of a clock change. */
const momentOf = (input, standing) => (standing && input.value === input.defaultValue ? standing : new Date(input.value).toISOString());

function moment(name, at) {
  const input = h("input", { class: "input", type: "datetime-local", name, required: true });
  // The browser wants local time without a zone.
  input.defaultValue = new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
  return input;
}
