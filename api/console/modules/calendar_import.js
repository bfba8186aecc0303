// Import of an iCalendar file: chosen or dropped, with where its events are that do not say so themselves.

import { request } from "./api.js";
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { KINDS } from "./interruption_form.js";
import { placeFields, placesOf } from "./interruption_places.js";
import { notice } from "./toasts.js";
import { count, sentence } from "./units.js";

/** Build the form; the register has to be loaded. */
export function calendarImport() {
  const report = h("div", { "aria-live": "polite" });
  const file = h("input", { class: "input", type: "file", name: "file", required: true, accept: ".ics,.json,text/calendar,application/json" });
  const name = h("input", { class: "input", name: "name", required: true, maxlength: 63, pattern: "[a-z0-9][a-z0-9\\-]*", autocomplete: "off", placeholder: "beacon-line" });
  file.addEventListener("change", () => { if (name.value === "") name.value = slugOf(file.files[0]?.name ?? ""); });
  const zone = h("input", { class: "input", name: "zone", autocomplete: "off" });
  zone.defaultValue = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
  const form = h("form", { class: "stack card-body", "aria-label": "Import a calendar" },
    h("div", { class: "silence-fields" }, field("File (.ics)", file), field("Name of the calendar", name),
      field("Kind", h("select", { class: "input", name: "kind" }, KINDS.map((kind) => h("option", { value: kind }, sentence(kind))))),
      field("Zone of times that name none", zone)),
    h("p", { class: "small muted" }, "The same name brings a calendar up to date. Events that name a site as their location are there; the others where you say:"),
    placeFields(null),
    h("label", { class: "row small" }, h("input", { type: "checkbox", name: "complete" }), "What the file does not name any more, and is to come, is called off"),
    report,
    h("div", { class: "row" }, h("button", { class: "button button-main", type: "submit" }, icon("check", 16), "Import"), h("a", { class: "button", href: "#/quiet" }, "Back")));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      const body = { ...placesOf(form), kind: form.elements.kind.value, time_zone: zone.value.trim(), complete: form.elements.complete.checked, content: await file.files[0].text() };
      fill(report, told(await request(`/v1/calendars/${encodeURIComponent(name.value)}`, { method: "PUT", body })));
      notice(`Calendar ${name.value} is imported`);
    } catch (error) {
      notice(error.message, "bad");
    }
  });
  return form;
}

const field = (label, input) => h("label", { class: "field" }, label, input);

/** Make a calendar's name of a file's. */
const slugOf = (text) => text.replace(/\.[^.]*$/, "").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 63);

/** Say what came of it, and name what was left out. */
function told(report) {
  return h("div", { class: "silence-preview" },
    h("b", {}, `${count(report.events)} ${report.events === 1 ? "event" : "events"}, ${count(report.changed)} interruptions new or changed, ${count(report.cancelled)} called off`),
    report.explained > 0 ? h("p", {}, `${count(report.explained)} alerts are explained otherwise now.`) : null,
    report.older > 0 ? h("p", {}, `${count(report.older)} are older than what is known.`) : null,
    report.skipped.length === 0 ? null : h("ul", { class: "plain-list small" }, report.skipped.map((one) => h("li", {}, h("b", {}, `Left out ${one.uid}: `), one.reason))));
}
