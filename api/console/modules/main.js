// Starts the console: token, who it belongs to, frame, live stream, the view that the address names.

import { request } from "./api.js";
import { h, fill } from "./dom.js";
import { showGate } from "./gate.js";
import * as live from "./live.js";
import { startRouter } from "./router.js";
import { forgetToken, me, takeTokenFromAddress, token } from "./session.js";
import { showShell } from "./shell.js";
import { failure } from "./states.js";
import { apply } from "./theme.js";
import { keepAgesFresh } from "./time.js";

const app = document.getElementById("app");

async function open() {
  if (!token()) return showGate(app, open);
  try {
    Object.assign(me, await request("/v1/me"));
  } catch (error) {
    if (error.status === 401) {
      forgetToken();
      return showGate(app, open, "This token is not known, has expired or was revoked.");
    }
    return fill(app, h("div", { class: "gate" }, h("div", { class: "card" }, failure(error, open))));
  }
  const outlet = showShell(app, leave);
  live.start();
  startRouter(outlet);
  return undefined;
}

function leave() {
  live.stop();
  forgetToken();
  location.hash = "";
  location.reload();
}

/** A token that stops being good while the console is open. */
addEventListener("unauthorised", () => {
  if (!token() || me.name === "") return;
  me.name = "";
  live.stop();
  forgetToken();
  showGate(app, () => location.reload(), "Your token is no longer valid.");
});

/** The link with a token may be opened in a tab where the console runs already. */
addEventListener("hashchange", () => {
  if (!location.hash.startsWith("#token=")) return;
  takeTokenFromAddress();
  location.reload();
});

apply();
keepAgesFresh();
takeTokenFromAddress();
open();
