// A rule as one edits it: field by field or as text, checked by the server while one writes, errors where they are.

import { ApiProblem, request } from "./api.js";
import { fill, h, setText } from "./dom.js";
import { fieldOf, kindsOf } from "./rule_fields.js";
import { sentence } from "./units.js";

const PLAIN = ["title", "severity", "hold_for", "keep_firing_for", "message", "runbook"];
const WIDE = ["title", "message", "runbook"];
const CHECK_MILLISECONDS = 350;

/**
 * Make the form.
 * @param {{schema: object, definition: object, isNew: boolean, disabled: boolean, changed: (definition: object|null) => void}} given
 *   `changed` is told a definition that the server accepts, or null.
 */
export function ruleForm({ schema, definition: given, isNew, disabled, changed }) {
  const kinds = kindsOf(schema);
  let definition = structuredClone(given);
  let asText = false;
  let fields = [];
  let timer = null;
  let checks = 0;
  const body = h("div", { class: "rule-form-body" });
  const wrong = h("p", { class: "gate-error", role: "alert" });
  const modes = h("div", { class: "segments", role: "group", "aria-label": "Edit as" });
  const element = h("form", { class: "source-form rule-form", on: { submit: (event) => event.preventDefault(), input: () => { read(); later(); } } }, h("div", { class: "row row-wrap" }, h("h2", { class: "grow" }, "Definition"), modes), body, wrong);

  function draw() {
    fill(modes, [[false, "Form"], [true, "Text"]].map(([text, label]) => h("button", { type: "button", "aria-pressed": String(text === asText), on: { click: () => { asText = text; draw(); later(0); } } }, label)));
    fields = [];
    fill(body, asText ? text() : form());
  }

  function text() {
    const input = h("textarea", { class: "input mono rule-text", "aria-label": "Definition as JSON", rows: 24, spellcheck: "false", disabled, value: JSON.stringify(definition, null, 2) });
    fields = [{ path: "", input, read: () => JSON.parse(input.value) }];
    return input;
  }

  function form() {
    const kind = definition.condition?.kind ?? "threshold";
    const known = kinds.get(kind) ?? { fields: {}, required: [] };
    const part = (path, shape, value, required = false) => add(fieldOf(path, shape, value, { required, disabled, wide: WIDE.includes(path) }));
    const choice = h("select", { class: "input", name: "condition.kind", disabled, on: { change: () => { definition.condition = { kind: choice.value, ...kept(kinds.get(choice.value), definition.condition) }; draw(); later(0); } } },
      [...kinds.keys()].map((each) => h("option", { value: each, selected: each === kind }, sentence(each))));
    const own = schema.properties;
    return [
      h("div", { class: "source-fields" }, isNew ? part("id", own.id, definition.id, true) : null, PLAIN.slice(0, 2).map((name) => part(name, own[name], definition[name], true))),
      h("h3", {}, "Devices"),
      h("div", { class: "source-fields" }, Object.entries(own.select.properties).map(([name, shape]) => part(`select.${name}`, shape, definition.select?.[name]))),
      h("h3", {}, "Condition"),
      h("div", { class: "source-fields" }, h("label", { class: "field source-wide" }, "Kind *", choice, h("span", { class: "field-wrong", role: "alert" })),
        Object.entries(known.fields).map(([name, shape]) => part(`condition.${name}`, shape, definition.condition?.[name], known.required.includes(name)))),
      h("h3", {}, "Times and words"),
      h("div", { class: "source-fields" }, PLAIN.slice(2).map((name) => part(name, own[name], definition[name]))),
    ];
  }

  function add(field) {
    fields.push(field);
    return field.label;
  }

  /** Take what the fields say into the definition; parts that have no field stay. */
  function read() {
    if (asText) {
      try {
        definition = fields[0].read();
      } catch (error) {
        setText(wrong, `The text is not JSON: ${error.message}`);
        changed(null);
        return false;
      }
      return true;
    }
    for (const { path, read: valueOf } of fields) put(definition, path.split("."), valueOf());
    return true;
  }

  /** Check what is written; until the server has said that it is good, it is nothing to try or to save. */
  function later(milliseconds = CHECK_MILLISECONDS) {
    clearTimeout(timer);
    checks += 1;
    changed(null);
    timer = setTimeout(check, milliseconds);
  }

  async function check() {
    if (!read()) return;
    const mine = ++checks;
    try {
      const answer = await request("/v1/rule-check", { method: "POST", body: definition });
      if (mine !== checks) return;
      mark([]);
      changed(answer.definition);
    } catch (error) {
      if (mine !== checks) return;
      mark(error instanceof ApiProblem && error.fields.length > 0 ? error.fields : [{ at: "", detail: error.message }]);
      changed(null);
    }
  }

  /** Show each fault at the field that it is about, and what belongs to none below. */
  function mark(faults) {
    const homeless = [];
    const marked = new Map();
    for (const { at, detail } of faults) {
      const field = asText ? undefined : fields.find(({ path }) => at === path || at.startsWith(`${path}.`) || at.startsWith(`${path}[`));
      if (field === undefined) homeless.push(at === "" ? detail : `${at}: ${detail}`);
      else marked.set(field, detail);
    }
    for (const field of fields) {
      if (field.label === undefined) continue;
      field.input.setAttribute("aria-invalid", String(marked.has(field)));
      setText(field.label.querySelector(".field-wrong"), marked.get(field) ?? "");
    }
    setText(wrong, homeless.join("; "));
  }

  draw();
  later(0);
  return { element, refuse: (error) => mark(error.fields?.length ? error.fields : [{ at: "", detail: error.message }]), end: () => clearTimeout(timer) };
}

/** Of the fields of one condition those that another has as well. */
const kept = (kind, condition = {}) => Object.fromEntries(Object.entries(condition).filter(([name]) => name !== "kind" && kind && name in kind.fields));

function put(target, [name, ...rest], value) {
  if (rest.length > 0) {
    target[name] = target[name] ?? {};
    put(target[name], rest, value);
    if (Object.keys(target[name]).length === 0) delete target[name];
  } else if (value === undefined) delete target[name];
  else target[name] = value;
}
