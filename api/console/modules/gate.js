// The screen that asks for a token.

import { fill, h } from "./dom.js";
import { keepToken } from "./session.js";

/** Ask for a token in `app`; `open` is called once one was entered. */
export function showGate(app, open, message = "") {
  const error = h("p", { class: "gate-error", role: "alert", id: "gate-error" }, message);
  const input = h("input", { class: "input mono", name: "token", type: "password", autocomplete: "off", spellcheck: "false", required: true, "aria-describedby": "gate-error", placeholder: "vw_…" });
  const submit = (event) => {
    event.preventDefault();
    const value = input.value.trim();
    if (!/^[\x21-\x7e]+$/.test(value)) {
      error.textContent = value === "" ? "Enter a token." : "A token has no spaces or accents: copy it once more.";
      return;
    }
    keepToken(value);
    open();
  };
  fill(app, h("main", { class: "gate" }, h("form", { class: "card gate-card", on: { submit } },
    h("div", { class: "brand" }, h("img", { src: "icon.svg", alt: "" }), "Veldwatch"),
    h("p", { class: "muted" }, "Meters, sensors and wildlife trackers, as they report. Enter your access token to begin."),
    h("label", { class: "field" }, "Access token", input),
    error,
    h("button", { class: "button button-main", type: "submit" }, "Open the console"),
    h("p", { class: "small muted" }, "Make one with ", h("code", { class: "mono" }, "veldwatch token create"), ". It stays in this browser."))));
  input.focus();
}
