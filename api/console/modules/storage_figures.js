// What the database takes, table by table, and how its upkeep goes.

import { request } from "./api.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { ageElement, span, timeElement } from "./time.js";
import { bytes, count, rough, sentence } from "./units.js";

/** The card's body. */
export async function storageFigures() {
  const told = await request("/v1/storage");
  return [
    h("div", { class: "card-body" }, h("dl", { class: "facts" }, fact("Server", told.server), fact("In all", bytes(told.bytes)))),
    table(["Divided by time", "Rows", "Size", "Bytes a row", "Compressed", "From"], told.divided.map((one) => [
      one.table_name, count(one.rows), bytes(one.bytes), perRow(one.bytes_per_row),
      one.compressed_parts === 0 ? "–" : `${count(one.compressed_parts)} of ${count(one.parts)}${one.compressed_bytes_per_row === null ? "" : `, ${perRow(one.compressed_bytes_per_row)}`}`, timeElement(one.began)])),
    table(["The largest others", "Rows", "Size"], [...told.whole].sort((a, b) => b.bytes - a.bytes).slice(0, 12).map((one) => [one.table_name, count(one.rows), bytes(one.bytes)])),
    table(["Upkeep", "Last done", "Late by", "State"], told.upkeep.map((one) => [
      sentence(one.work), ageElement(one.last_success_at), one.late_seconds === null ? "–" : span(one.late_seconds),
      h("span", { class: `badge ${one.unwell ? "severity-major" : "badge-ok"}` }, icon(one.unwell ? "major" : "ok", 14), one.unwell ? "Look at it" : "Well")]))];
}

const fact = (name, value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));
const perRow = (value) => (value === null ? "–" : rough(value));

function table(heads, rows) {
  const side = (at) => (at === 0 ? "" : "right number");
  return h("div", { class: "table-scroll" }, h("table", { class: "table" }, h("thead", {}, h("tr", {}, heads.map((head, at) => h("th", { class: at === 0 ? null : "right" }, head)))),
    h("tbody", {}, rows.map((cells) => h("tr", {}, cells.map((cell, at) => h("td", { class: side(at) }, cell)))))));
}
