// Fields of a rule's form, made from the JSON Schema of a definition: a new kind of condition needs no line here.

import { h } from "./dom.js";
import { sentence } from "./units.js";

/** Kinds of condition by name, each with all its fields, whatever variant they belong to. */
export function kindsOf(schema) {
  const kinds = new Map();
  for (const variant of schema.properties.condition.oneOf) {
    const { kind, ...fields } = variant.properties;
    const known = kinds.get(kind.const) ?? { fields: {}, required: variant.required };
    kinds.set(kind.const, { fields: { ...known.fields, ...fields }, required: known.required.filter((name) => variant.required.includes(name)) });
  }
  return kinds;
}

const isJson = (part) => part.type === "object" || (part.type === "array" && part.items?.type !== "string") || (part.type === undefined && part.enum === undefined);
const isNumber = (part) => part.type === "number" || part.type === "integer";

/**
 * One field.
 * @param {string} path of the part in the definition, such as `condition.above`
 * @param {object} part of the schema
 * @param {*} value undefined: not given
 */
export function fieldOf(path, part, value, { required = false, disabled = false, wide = false } = {}) {
  const name = path.split(".").at(-1);
  const attributes = { class: "input", name: path, disabled, "aria-describedby": `${path}-wrong` };
  const input = part.enum ? h("select", attributes, required ? null : h("option", { value: "" }, "As usual"), part.enum.map((each) => h("option", { value: each, selected: each === value }, sentence(String(each)))))
    : part.type === "boolean" ? h("select", attributes, ["", "true", "false"].map((each) => h("option", { value: each, selected: each === String(value ?? "") }, { "": "As usual", true: "Yes", false: "No" }[each])))
    : isJson(part) ? h("textarea", { ...attributes, class: "input mono", rows: 3, spellcheck: "false", placeholder: hint(part), value: value === undefined ? "" : JSON.stringify(value) })
    : h("input", { ...attributes, autocomplete: "off", spellcheck: "false", inputmode: isNumber(part) ? "decimal" : null, value: shown(part, value), placeholder: hint(part) });
  const label = h("label", { class: `field${wide || isJson(part) ? " source-wide" : ""}` }, sentence(name) + (required ? " *" : ""), input, h("span", { class: "field-wrong", id: `${path}-wrong`, role: "alert" }));
  return { path, input, label, read: () => valueOf(part, input.value) };
}

const shown = (part, value) => (value === undefined || value === null ? "" : Array.isArray(value) ? value.join(", ") : String(value));

function hint(part) {
  if (part.description) return part.description;
  return part.type === "array" ? "several, with commas" : "";
}

/** What a text stands for; undefined: nothing is given. What cannot be read goes as it is, and the server says why. */
function valueOf(part, text) {
  const trimmed = text.trim();
  if (trimmed === "") return undefined;
  if (isNumber(part)) return Number.isFinite(Number(trimmed)) ? Number(trimmed) : trimmed;
  if (part.type === "boolean") return trimmed === "true";
  if (part.type === "array" && part.items?.type === "string") return trimmed.split(",").map((each) => each.trim()).filter(Boolean);
  if (!isJson(part)) return trimmed;
  try {
    return JSON.parse(trimmed);
  } catch {
    return trimmed;
  }
}
