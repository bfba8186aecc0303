// Trying a source: a message that is pasted or comes from quarantine, and what would be stored of it, told as one types.

import { request } from "./api.js";
import { fill, h } from "./dom.js";
import { icon } from "./icons.js";
import { denied, empty } from "./states.js";
import { timeElement } from "./time.js";
import { number, sentence, unitText } from "./units.js";

const PAUSE_MILLISECONDS = 350;
const OUTCOMES = {
  stored: ["badge badge-ok", "ok", "All of it would be stored"],
  stored_in_part: ["badge severity-minor", "minor", "A part would be stored, the message would be in quarantine too"],
  quarantined: ["badge severity-major", "quarantine", "It would be in quarantine"],
};
const STATES = {
  active: "registered", pending: "registered, pending", retired: "retired: it may not speak", refused: "refused: it may not speak", not_checked: "not looked up",
  new: "new: would be registered", unknown: "not registered, and this source may not register it",
};

/** The part of a view with message and outcome; `define` is told of each change of the source. */
export function trial({ message, allowed }) {
  if (!allowed) return { element: h("div", {}, denied("Only operators try messages.")), define() {} };
  let definition = null;
  let timer = null;
  let asked = 0;
  const text = message === null ? "" : (message.payload_text ?? "");
  const packed = message !== null && message.payload_text === null ? message.payload_base64 : null;
  const topic = h("input", { class: "input mono", name: "topic", autocomplete: "off", spellcheck: "false", placeholder: "one that the filter takes", value: message?.topic ?? "" });
  const payload = h("textarea", { class: "input mono", name: "payload", rows: 9, spellcheck: "false", placeholder: '{"temperature": 21.5}', value: packed ?? text });
  const binary = h("input", { type: "checkbox", name: "base64", checked: packed !== null });
  const result = h("div", { class: "source-result", "aria-live": "polite" });

  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(ask, PAUSE_MILLISECONDS);
  };

  async function ask() {
    const mine = ++asked;
    if (definition === null) return;
    if (payload.value === "") return void fill(result, empty("play", "Paste a message", "What would be stored of it stands here as you type. Nothing is stored."));
    const body = { source: { ...definition, name: definition.name || "new" }, topic: topic.value || null, [binary.checked ? "payload_base64" : "payload_text"]: payload.value };
    try {
      const answer = await request("/v1/sources/try", { method: "POST", body });
      if (mine === asked) fill(result, outcome(answer));
    } catch (error) {
      if (mine === asked) fill(result, wrong(error.message));
    }
  }

  const element = h("div", { class: "source-trial", on: { input: later } },
    h("h2", {}, "Try it on a message"),
    message === null ? null : h("p", { class: "small muted" }, `From quarantine: message ${message.id}, ${sentence(message.reason).toLowerCase()}.`),
    h("label", { class: "field" }, "Topic", topic), h("label", { class: "field" }, "Payload", payload),
    h("label", { class: "source-check" }, binary, "The payload is base64"), result);
  return {
    element,
    define(given, problem) {
      definition = given;
      if (given !== null) return later();
      clearTimeout(timer);
      asked += 1;
      fill(result, wrong(problem));
      return undefined;
    },
  };
}

const wrong = (text) => h("p", { class: "source-fault", role: "alert" }, icon("major", 16), h("span", { class: "wrap" }, text));

function outcome(answer) {
  const [style, sign, words] = OUTCOMES[answer.outcome];
  return [
    h("div", { class: "row row-wrap" }, h("span", { class: style, "data-outcome": answer.outcome }, icon(sign, 14), words)),
    answer.warnings.map((warning) => h("p", { class: "small source-note" }, icon("info", 15), h("span", { class: "wrap" }, warning))),
    answer.rejections.map((each) => h("p", { class: "source-fault" }, icon("quarantine", 16), h("span", { class: "wrap" }, h("b", {}, `${sentence(each.reason)}: `), each.detail))),
    answer.devices.map((each) => h("p", { class: "small" }, h("b", { class: "wrap" }, each.device), h("span", { class: "muted" }, ` of ${answer.organisation}: ${STATES[each.state]}`))),
    answer.online === null ? null : h("p", { class: "small" }, `It says that the device is ${answer.online ? "online" : "offline"}.`),
    table(["Metric", "Value", "Time"], answer.readings.map((each) => [
      [h("span", { class: "wrap" }, each.metric), quality(each)],
      h("span", { class: "number", title: String(each.value) }, `${number(each.value)} ${unitText(each.unit)}`), timeElement(each.observed_at)])),
    table(["Position", "", "Time"], answer.positions.map((each) => [
      [h("span", { class: "number" }, `${each.longitude}, ${each.latitude}`), quality(each)], details(each), timeElement(each.observed_at)])),
    table(["Event", "Attributes", "Time"], answer.events.map((each) => [
      h("span", { class: "wrap" }, each.kind), h("span", { class: "mono wrap" }, JSON.stringify(each.attributes)), timeElement(each.observed_at)])),
  ];
}

const PARTS = [["altitude", "m"], ["accuracy", "m"], ["speed", "m/s"], ["heading", "°"]];
const details = (each) => PARTS.filter(([part]) => each[part] !== null).map(([part, unit]) => `${part} ${number(each[part])} ${unit}`).join(", ");
const quality = (each) => each.quality.map((word) => h("span", { class: "chip source-quality" }, sentence(word)));

function table(heads, rows) {
  if (rows.length === 0) return null;
  const shown = rows.slice(0, 200);
  return h("div", { class: "table-scroll source-table" }, h("table", { class: "table" }, h("thead", {}, h("tr", {}, heads.map((head) => h("th", {}, head)))),
    h("tbody", {}, shown.map((cells) => h("tr", {}, cells.map((cell) => h("td", {}, cell)))))), rows.length > shown.length ? h("p", { class: "small muted card-body" }, `and ${rows.length - shown.length} more`) : null);
}
