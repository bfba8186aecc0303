// Where an interruption is: an organisation, sites of it with all below them, and devices by their own names.

import { fill, h } from "./dom.js";
import { organisations, sites } from "./register.js";
import { sentence } from "./units.js";

/**
 * Build the fields; the register has to be loaded.
 * @param {object | null} standing an interruption whose organisation stays; null: any
 */
export function placeFields(standing) {
  const slugs = standing ? [standing.organisation] : organisations.map((one) => one.slug);
  const chosen = new Set(standing?.sites ?? []);
  const organisation = h("select", { class: "input", name: "organisation", required: true }, slugs.map((slug) => h("option", { value: slug }, slug)));
  const list = h("div", { class: "place-list", role: "group", "aria-label": "Sites" });
  // What is chosen stays a choice, whether or not the register still has it.
  const offered = () => {
    const own = sites.filter((site) => site.organisation === organisation.value);
    const gone = [...chosen].filter((slug) => standing?.organisation === organisation.value && !own.some((site) => site.slug === slug));
    return [...gone.map((slug) => ({ slug, name: "", kind: null })), ...own];
  };
  const draw = () => fill(list, offered().length === 0 ? h("p", { class: "small muted" }, "This organisation has no sites: name devices.") : offered().map((site) => h("label", { class: "row small" },
    h("input", { type: "checkbox", name: "site", value: site.slug, checked: chosen.has(site.slug) }), h("span", { class: "clip", title: site.kind ? sentence(site.kind) : null }, site.name || site.slug))));
  organisation.addEventListener("change", draw);
  draw();
  const devices = h("input", { class: "input", name: "devices", autocomplete: "off", placeholder: "external ids, with commas" });
  devices.defaultValue = (standing?.devices ?? []).join(", ");
  return h("div", { class: "stack" },
    slugs.length > 1 ? h("label", { class: "field" }, "Organisation", organisation) : h("div", { hidden: true }, organisation),
    h("div", { class: "field" }, "Sites, with all below them", list),
    h("label", { class: "field" }, "Devices", devices));
}

/** Give what a form with the fields says: `organisation`, `sites`, `devices`. */
export function placesOf(form) {
  return {
    organisation: form.elements.organisation.value,
    sites: [...form.querySelectorAll("input[name=site]:checked")].map((box) => box.value),
    devices: form.elements.devices.value.split(",").map((name) => name.trim()).filter(Boolean),
  };
}
