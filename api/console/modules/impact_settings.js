// What impact is estimated by, where it is missed: tariffs of an organisation, who depends on a site.

import { request } from "./api.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { sites } from "./register.js";
import { mayOperate } from "./session.js";
import { notice } from "./toasts.js";

/** A closed part of an incident's page with a form for each; null for who may not change them. */
export function impactSettings(incident, onChange) {
  if (!mayOperate()) return null;
  const site = sites.find((one) => one.slug === incident.site && incident.organisations.includes(one.organisation));
  const host = h("div", { class: "stack" });
  const details = h("details", { class: "impact-settings" }, h("summary", {}, "Tariffs and dependants"), host);
  details.addEventListener("toggle", async () => {
    if (!details.open || host.children.length > 0) return;
    try {
      const forms = incident.organisations.map((slug) => form(`/v1/organisations/${encodeURIComponent(slug)}/tariffs`, `Tariffs of ${slug}`, TARIFFS, onChange));
      if (site) forms.push(form(`/v1/sites/${site.id}/dependants`, `Who depends on ${site.name}`, DEPENDANTS, onChange));
      host.append(...await Promise.all(forms));
    } catch (error) {
      notice(error.message, "bad");
    }
  });
  return details;
}

const number = { type: "number", min: 0, step: "any" };
const whole = { type: "number", min: 0, step: 1 };
const TARIFFS = [
  ["currency", "Currency", { pattern: "[A-Z]{3}", maxlength: 3, placeholder: "ZMW" }],
  ["water_tariff", "Water, for a cubic metre", number],
  ["energy_tariff", "Energy, for a kilowatt hour", number],
];
const DEPENDANTS = [
  ["people", "People", whole],
  ["customers", "Customers", whole],
  ["water_tariff", "Water tariff that differs here", number],
  ["energy_tariff", "Energy tariff that differs here", number],
];

/** A form over what the address says now; empty: not said. */
async function form(address, title, fields, onChange) {
  const said = await request(address);
  const inputs = fields.map(([name, , attributes]) => h("input", { class: "input", name, autocomplete: "off", ...attributes }));
  inputs.forEach((input) => { input.defaultValue = said[input.name] ?? ""; });
  const submit = async (event) => {
    event.preventDefault();
    const body = Object.fromEntries(inputs.map((input) => [input.name, input.value === "" ? null : input.type === "number" ? Number(input.value) : input.value]));
    try {
      await request(address, { method: "PUT", body });
      notice("Saved; what holds was estimated anew");
      onChange();
    } catch (error) {
      notice(error.message, "bad");
    }
  };
  return h("form", { class: "stack", on: { submit } }, h("h4", {}, title),
    h("div", { class: "impact-fields" }, fields.map(([, label], at) => h("label", { class: "field" }, label, inputs[at]))),
    h("div", { class: "row" }, h("button", { class: "button", type: "submit", "aria-label": `Save: ${title}` }, icon("check", 15), "Save")));
}
