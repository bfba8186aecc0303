// Devices: the list, searched and filtered; one device by `#/devices/ID`.

import { collect } from "../api.js";
import { freshness, freshnessBadge, kindIcon } from "../badges.js";
import { decide, statusButtons } from "../device_changes.js";
import { showDevice } from "../device_detail.js";
import { disposables, fill, h, setText } from "../dom.js";
import { icon } from "../icons.js";
import { subscribe } from "../live.js";
import { devices, loadRegister, more, sites } from "../register.js";
import { mayOperate } from "../session.js";
import { empty } from "../states.js";
import { ageElement, setAge } from "../time.js";
import { count, sentence } from "../units.js";

const ROWS = 300;
const STATUSES = ["pending", "active", "retired", "refused"];
const KINDS = ["meter", "sensor", "gateway", "tracker"];

export async function show(view, { parameter, query }) {
  await loadRegister();
  if (parameter !== null) return showDevice(view, Number(parameter));
  const parts = disposables();
  const table = { filter: { q: query.get("q") ?? "", kind: "", heard: "", site: "", status: query.get("status") ?? "" }, rows: new Map(), drawn: 0, shown: ROWS, found: [], body: h("tbody"), tally: h("span", { class: "muted small" }), host: h("div", { class: "table-scroll grow" }), waiting: h("div", {}) };
  view.classList.add("view-fixed");
  fill(view, h("div", { class: "card" }, filters(table), table.waiting, table.host));
  draw(table);
  parts.add(subscribe(({ contacts }) => contacts.forEach((contact, id) => touch(table, id))));
  return parts.dispose;
}

function filters(table) {
  let timer = null;
  const set = (name) => (event) => {
    table.filter[name] = event.currentTarget.value;
    table.shown = ROWS;
    clearTimeout(timer);
    timer = setTimeout(() => draw(table), name === "q" ? 150 : 0);
  };
  const select = (name, label, options) => h("select", { class: "input", "aria-label": label, on: { change: set(name) } }, options.map(([value, text]) => h("option", { value, selected: value === table.filter[name] }, text)));
  return h("div", { class: "filters" }, h("div", { class: "row row-wrap" },
    h("div", { class: "search" }, icon("search", 16), h("input", { class: "input", type: "search", "aria-label": "Search devices", placeholder: "Name or identifier", value: table.filter.q, on: { input: set("q") } })),
    h("div", { class: "filter-selects" },
      select("kind", "Kind", [["", "Any kind"], ...KINDS.map((k) => [k, sentence(k)])]),
      select("heard", "Contact", [["", "Any contact"], ["fresh", "Heard"], ["silent", "Silent"], ["never", "Never heard"]]),
      select("site", "Site", [["", "Any site"], ...sites.map((s) => [s.slug, s.name])]),
      select("status", "Status", [["", "Any status"], ...STATUSES.map((s) => [s, sentence(s)])])), table.tally));
}

function matches({ q, kind, heard, site, status }, device) {
  const text = q.trim().toLowerCase();
  return (!kind || device.kind === kind) && (!heard || freshness(device) === heard) && (!site || device.site === site) && (!status || device.status === status)
    && (text === "" || device.name.toLowerCase().includes(text) || device.external_id.toLowerCase().includes(text));
}

async function draw(table) {
  const mine = ++table.drawn;
  const all = more && table.filter.q !== "" ? (await collect("/v1/devices", { query: { q: table.filter.q, limit: 1000 } })).items : [...devices.values()];
  if (mine !== table.drawn) return; // the server answered an earlier search
  table.found = all.filter((device) => matches(table.filter, device)).sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
  table.rows.clear();
  fill(table.waiting, waiting(table));
  setText(table.tally, `${count(table.found.length)} of ${count(devices.size)}${more ? "+" : ""}`);
  if (table.found.length === 0) {
    fill(table.host, devices.size === 0 ? empty("devices", "No device yet", "A device appears here with its first message.") : empty("search", "No such device", "No device matches the search."));
    return;
  }
  fill(table.body, table.found.slice(0, table.shown).map((device) => row(table, device)));
  fill(table.host, h("table", { class: "table table-cards" },
    h("thead", {}, h("tr", {}, ["Device", "Last contact", "Contact", "Site", "Identifier", "Status"].map((title) => h("th", { scope: "col" }, title)))), table.body),
  table.found.length > table.shown ? h("div", { class: "card-body" }, h("button", { class: "button", type: "button", on: { click: () => { table.shown += 1000; draw(table); } } }, "Show more")) : null);
}

/** What is said of devices that registered themselves and wait for a decision. */
function waiting(table) {
  const ones = [...devices.values()].filter((device) => device.status === "pending");
  if (ones.length === 0 || !mayOperate()) return null;
  const said = ones.length === 1 ? "One device registered itself and waits for a decision." : `${count(ones.length)} devices registered themselves and wait for a decision.`;
  const all = async () => { if (await decide("confirm", ones.map((device) => device.id))) await renew(table); };
  const shown = table.filter.status === "pending";
  return h("div", { class: "waiting row row-wrap", role: "status" }, icon("clock", 16), h("span", { class: "grow" }, said),
    shown ? h("button", { class: "button button-small", type: "button", on: { click: all } }, icon("ok", 14), "Confirm all")
      : h("button", { class: "button button-small", type: "button", on: { click: () => only(table, "pending") } }, "Show them"));
}

function only(table, status) {
  table.filter.status = status;
  const choice = document.querySelector("select[aria-label='Status']");
  if (choice) choice.value = status;
  draw(table);
}

async function renew(table) {
  await loadRegister({ again: true });
  draw(table);
}

function row(table, device) {
  const age = ageElement(device.last_contact_at);
  const contact = h("td", {}, freshnessBadge(device));
  table.rows.set(device.id, { age, contact, state: freshness(device) });
  const site = sites.find((s) => s.slug === device.site);
  return h("tr", { class: "link", on: { click: () => { location.hash = `#/devices/${device.id}`; } } },
    h("td", {}, h("a", { class: "row", href: `#/devices/${device.id}` }, kindIcon(device, 17), h("span", { class: "strong wrap" }, device.name))),
    h("td", {}, age), contact,
    h("td", { class: "muted" }, site?.name ?? device.site ?? "–"), h("td", { class: "mono muted wide-only" }, h("span", { class: "wrap" }, device.external_id)),
    h("td", { class: table.filter.status === "pending" ? "" : "wide-only" }, table.filter.status === "pending" ? statusButtons(device, () => renew(table)) : h("span", { class: "chip" }, sentence(device.status))));
}

/** A device was heard: change its cells in place. */
function touch(table, id) {
  const cells = table.rows.get(id);
  const device = devices.get(id);
  if (!cells || !device) return;
  if (cells.age.tagName === "TIME") setAge(cells.age, device.last_contact_at);
  else { const age = ageElement(device.last_contact_at); cells.age.replaceWith(age); cells.age = age; }
  if (cells.state !== freshness(device)) { cells.state = freshness(device); fill(cells.contact, freshnessBadge(device)); }
}
