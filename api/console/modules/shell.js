// The frame: rail or tab bar, connection, theme, who is signed in, and the count of open alerts.

import { request } from "./api.js";
import { fill, h, setText } from "./dom.js";
import { icon } from "./icons.js";
import { onConnection, subscribe } from "./live.js";
import { me } from "./session.js";
import { mode, nextMode } from "./theme.js";
import { alertNotice } from "./toasts.js";
import { count, sentence } from "./units.js";

const PLACES = ["overview", "incidents", "alerts", "devices", "quarantine", "sources", "mailbox", "simulator", "rules", "quiet", "storage"];
const TABS = ["overview", "alerts", "devices", "quarantine", "more"];
const CONNECTIONS = { connecting: "Connecting", live: "Live", lost: "Reconnecting" };
/** The count of open alerts is asked for anew this long after an alert changed, and once a minute. */
const RECOUNT_MILLISECONDS = 1_500;

/** Build the frame in `app`; returns the element that views fill. */
export function showShell(app, leave) {
  const outlet = h("div", { class: "outlet" });
  const offline = h("div", { class: "offline", role: "status" }, icon("lost", 18),
    "The live connection is lost. What you see may be old; the console reconnects by itself.");
  const counters = [];
  const place = (name, size) => {
    const counter = name === "alerts" ? h("span", { class: "count", "data-none": true, "aria-label": "open alerts" }, "0") : null;
    if (counter) counters.push(counter);
    return h("a", { href: `#/${name}`, "data-place": name }, icon(name, size), h("span", {}, sentence(name)), counter);
  };
  fill(app, h("div", { class: "shell" },
    h("a", { class: "brand", href: "#/overview" }, h("img", { src: "icon.svg", alt: "" }), "Veldwatch"),
    h("header", { class: "topbar" }, h("img", { class: "phone-only", src: "icon.svg", alt: "", width: 26, height: 26 }), h("h1", { class: "grow clip", id: "title" }), connection(offline), who(), themeButton(), leaveButton(leave)),
    h("nav", { class: "rail", "aria-label": "Views" }, PLACES.map((name) => place(name, 18)),
      h("div", { class: "rail-foot" }, h("span", {}, "Keys: ", h("kbd", {}, "j"), " ", h("kbd", {}, "k"), " next, previous, ", h("kbd", {}, "a"), " acknowledge, ", h("kbd", {}, "m"), " take, ", h("kbd", {}, "r"), " resolve"))),
    h("div", { class: "outlet-frame outlet" }, offline, outlet),
    h("nav", { class: "tabs", "aria-label": "Views" }, TABS.map((name) => place(name, 21)))));
  outlet.style.height = "100%";
  markPlaces();
  countOpenAlerts(counters);
  return outlet;
}

function connection(offline) {
  const text = h("span", {});
  const pill = h("span", { class: "connection", role: "status" }, h("i"), text);
  onConnection((state) => {
    pill.dataset.state = state;
    setText(text, CONNECTIONS[state]);
    offline.toggleAttribute("data-shown", state === "lost");
  });
  return pill;
}

function who() {
  return h("span", { class: "who" }, h("span", { class: "clip" }, me.name), h("span", { class: "chip" }, sentence(me.role)), me.organisation ? h("span", { class: "chip" }, me.organisation) : null);
}

function themeButton() {
  const button = h("button", { class: "button button-icon", type: "button", on: { click: nextMode } });
  const show = () => {
    const shown = { auto: ["auto", "as the system"], light: ["sun", "light"], dark: ["moon", "dark"] }[mode()];
    button.setAttribute("aria-label", `Colours: ${shown[1]}. Change`);
    button.title = `Colours: ${shown[1]}`;
    fill(button, icon(shown[0]));
  };
  addEventListener("themechange", show);
  show();
  return button;
}

const leaveButton = (leave) => h("button", { class: "button button-icon", type: "button", title: "Sign out", "aria-label": "Sign out", on: { click: leave } }, icon("leave"));

function markPlaces() {
  addEventListener("viewchange", ({ detail }) => {
    setText(document.getElementById("title"), sentence(detail));
    for (const anchor of document.querySelectorAll("[data-place]")) {
      const within = anchor.dataset.place === detail || (anchor.dataset.place === "more" && !TABS.includes(detail));
      if (within) anchor.setAttribute("aria-current", "page");
      else anchor.removeAttribute("aria-current");
    }
  });
}

function countOpenAlerts(counters) {
  let timer = null;
  const recount = async () => {
    timer = null;
    const page = await request("/v1/alerts", { query: { state: "firing", handled: false, limit: 100 } }).catch(() => null);
    if (page === null) return;
    for (const counter of counters) {
      setText(counter, page.next ? "99+" : count(page.items.length));
      counter.toggleAttribute("data-none", page.items.length === 0);
    }
  };
  subscribe(({ alerts }) => {
    if (alerts.size === 0) return;
    timer ??= setTimeout(recount, RECOUNT_MILLISECONDS);
    for (const alert of alerts.values()) if (alert.state === "firing" && !alert.acknowledged_at && !alert.resolution && !alert.late) announce(alert);
  });
  setInterval(recount, 60_000);
  recount();
}

const announced = new Set();

function announce(alert) {
  if (announced.has(alert.id)) return;
  if (announced.size > 5000) announced.clear();
  announced.add(alert.id);
  alertNotice(alert);
}
