// The form of a source: common fields one by one, the decoder's options as JSON.

import { request } from "./api.js";
import { fill, h, setText } from "./dom.js";
import { icon } from "./icons.js";
import { timeElement } from "./time.js";
import { notice } from "./toasts.js";

/** Beginnings for the decoder `mapping`; see docs/reference/mapping.md. */
const BEGINNINGS = {
  "Every number": {},
  "Nested JSON": { device: "$.device.id", time: { path: "$.time", format: "auto" }, metrics: [{ name: "temperature", value: "$.data.temperature", unit: "Cel" }] },
  "List of readings": { device: "{topic[1]}", items: "$.readings", time: { path: "@.time", format: "s" }, metrics: [{ name: "{@.name}", value: "@.value", unit: "@.unit" }] },
  "Bare value": { payload: "text", device: "{topic[1]}", metrics: [{ name: "{topic[-1]}", value: "$", values: { ON: 1, OFF: 0 } }] },
  Position: { device: "$.id", time: "$.time", position: { longitude: "$.lon", latitude: "$.lat", speed: "$.speed", speed_unit: "km/h" } },
};
const REGISTERS = [["", "As the setting says"], ["true", "Registers new devices"], ["false", "Known devices only"]];
const STATES = [["pending", "Pending, until a person confirms"], ["active", "Active at once"]];

/**
 * Make the form.
 * @param {{item: object, decoders: string[], organisations: string[], allowed: boolean, changed: Function, saved: Function, removed: Function}} given
 *   `changed(definition, problem)` is told the definition as it stands, or what is wrong with it.
 */
export function sourceForm({ item, decoders, organisations, allowed, changed, saved, removed }) {
  const isNew = item.origin === "new";
  const off = !allowed;
  const field = (name, attributes = {}) => h("input", { class: "input", name, disabled: off, autocomplete: "off", spellcheck: "false", value: item[name] ?? "", ...attributes });
  const name = field("name", { required: true, pattern: "[a-z0-9][a-z0-9\\-]{0,62}", title: "a-z, 0-9 and -, at most 63", readonly: !isNew });
  const filter = field("topic_filter", { required: true, class: "input mono", placeholder: "town/+/state" });
  const decoder = h("select", { class: "input", name: "decoder", disabled: off }, [...new Set([item.decoder, ...decoders])].map((each) => h("option", { value: each, selected: each === item.decoder }, each)));
  const organisation = field("organisation", { list: "organisations", placeholder: "the default one" });
  const registers = h("select", { class: "input", name: "register_unknown", disabled: off }, REGISTERS.map(([value, text]) => h("option", { value, selected: value === String(item.register_unknown ?? "") }, text)));
  const registerAs = h("select", { class: "input", name: "register_as", disabled: off }, STATES.map(([value, text]) => h("option", { value, selected: value === item.register_as }, text)));
  const pattern = field("device_pattern", { class: "input mono", placeholder: "any: logger-[0-9]+", value: item.device_pattern ?? "" });
  const perHour = field("registrations_per_hour", { type: "number", min: 0, placeholder: "as the setting", value: item.registrations_per_hour ?? "" });
  const priority = field("priority", { type: "number", min: 0, max: 1000000, required: true, value: item.priority ?? 100 });
  const enabled = h("input", { type: "checkbox", name: "enabled", disabled: off, checked: item.enabled });
  const options = h("textarea", { class: "input mono source-options", name: "options", rows: 11, disabled: off, spellcheck: "false", value: pretty(item.options) });
  const wrong = h("p", { class: "gate-error", role: "alert" });
  const beginnings = h("div", { class: "reasons source-beginnings", role: "group", "aria-label": "Begin with" }, Object.entries(BEGINNINGS).map(([text, value]) =>
    h("button", { class: "button button-small", type: "button", disabled: off, on: { click: () => { options.value = pretty(begun(value, filter.value)); tell(); } } }, text)));

  /** The definition as the fields stand. Throws where the options are no JSON. */
  const read = () => ({
    name: name.value.trim(), topic_filter: filter.value.trim(), decoder: decoder.value, options: parsed(options.value),
    organisation: organisation.value.trim() || null, register_unknown: registers.value === "" ? null : registers.value === "true",
    register_as: registerAs.value, device_pattern: pattern.value || null, registrations_per_hour: perHour.value === "" ? null : Number(perHour.value),
    priority: Number(priority.value), enabled: enabled.checked,
  });

  function tell() {
    beginnings.toggleAttribute("hidden", decoder.value !== "mapping" || off);
    setText(wrong, "");
    try {
      changed(read(), null);
    } catch (error) {
      changed(null, error.message);
    }
  }

  async function submit(event) {
    event.preventDefault();
    setText(wrong, "");
    try {
      const definition = read();
      await request(`/v1/sources/${encodeURIComponent(definition.name)}`, { method: "PUT", body: definition });
      notice(`Source ${definition.name} is stored. Intake follows within seconds.`);
      await saved(definition.name);
    } catch (error) {
      setText(wrong, error.message);
    }
  }

  async function remove() {
    try {
      await request(`/v1/sources/${encodeURIComponent(item.name)}`, { method: "DELETE" });
      notice(`Source ${item.name} is removed.`);
      await removed(item.name);
    } catch (error) {
      setText(wrong, error.message);
    }
  }

  const element = h("form", { class: "source-form", on: { submit, input: tell } },
    head(item, isNew),
    h("div", { class: "source-fields" },
      h("label", { class: "field" }, "Name", name),
      h("label", { class: "field" }, "Decoder", decoder),
      h("label", { class: "field source-wide" }, "Topic filter", filter),
      h("label", { class: "field" }, "Organisation", organisation),
      h("label", { class: "field" }, "Devices that nobody registered", registers),
      h("label", { class: "field" }, "Priority (smallest first)", priority),
      h("label", { class: "source-check" }, enabled, "Takes messages")),
    h("details", { class: "source-more", open: item.device_pattern || item.registrations_per_hour !== null || item.register_as === "active" }, h("summary", {}, "How new devices are registered"),
      h("div", { class: "source-fields" },
        h("label", { class: "field" }, "Registered as", registerAs),
        h("label", { class: "field" }, "At most, an hour (0: any number)", perHour),
        h("label", { class: "field source-wide" }, "Only identifiers like (regular expression)", pattern))),
    h("datalist", { id: "organisations" }, organisations.map((slug) => h("option", { value: slug }))),
    h("label", { class: "field" }, "Options of the decoder, as JSON", options),
    beginnings, wrong, off ? h("p", { class: "muted small" }, "Only operators of all organisations may change sources.") : buttons(item, remove));
  return { element, tell };
}

/** A beginning with the device at the filter's first `+`, if it is not named by the message. */
function begun(value, filter) {
  const place = filter.split("/").indexOf("+");
  if (place < 0 || value.device?.startsWith("$")) return value;
  return { ...value, device: `{topic[${place}]}` };
}

function head(item, isNew) {
  const said = { new: "A new source", settings: "Of the settings: saving keeps a changed one in the database, which goes before", database: null }[item.origin];
  return h("div", { class: "source-head" },
    h("h2", { class: "detail-title" }, isNew ? "New source" : item.name),
    said && !isNew ? h("p", { class: "muted small" }, `${said}.`) : null,
    item.fault ? h("p", { class: "source-fault", role: "status" }, icon("major", 16), h("span", { class: "wrap" }, `It cannot work: ${item.fault}`)) : null,
    item.updated_at ? h("p", { class: "muted small" }, `Changed by ${item.updated_by}, `, timeElement(item.updated_at)) : null,
    item.waiting > 0 ? h("p", { class: "small" }, h("a", { href: "#/quarantine" }, `${item.waiting} of its messages are in quarantine`)) : null);
}

function buttons(item, remove) {
  const bar = h("div", { class: "row row-wrap" });
  const sure = () => fill(bar, h("span", { class: "grow strong" }, "Remove it?"), h("button", { class: "button", type: "button", on: { click: calm } }, "Keep"), h("button", { class: "button button-danger", type: "button", on: { click: remove } }, "Remove"));
  function calm() {
    fill(bar, h("button", { class: "button button-main", type: "submit" }, icon("check", 16), "Save"), h("span", { class: "grow" }),
      item.origin === "database" ? h("button", { class: "button button-danger", type: "button", on: { click: sure } }, "Remove") : null);
  }
  calm();
  return bar;
}

const pretty = (value) => JSON.stringify(value, null, 2);

function parsed(text) {
  if (text.trim() === "") return {};
  let value;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`The options are not JSON: ${error.message}`, { cause: error });
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) throw new Error("The options are not a JSON object.");
  return value;
}
