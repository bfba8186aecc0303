// The phone's list of views that the tab bar has no room for.

import { fill, h } from "../dom.js";
import { icon } from "../icons.js";
import { me } from "../session.js";
import { sentence } from "../units.js";

const PLACES = ["incidents", "sources", "mailbox", "simulator", "rules", "quiet", "storage"];

export async function show(view) {
  fill(view, h("div", { class: "more-list" }, PLACES.map((name) => h("a", { href: `#/${name}` }, icon(name, 20), sentence(name))),
    h("p", { class: "muted small" }, `Signed in as ${me.name}, ${me.role}${me.organisation ? ` of ${me.organisation}` : ""}.`)));
}
