// A map in the page. What draws it is a megabyte: it is fetched when the first map is shown, and holds up nothing else.

import { fill, h } from "./dom.js";
import { empty } from "./states.js";

/** Fetch what draws maps; a view that will show one may begin with it before it asks for anything else. */
export const fetchDrawing = () => import("./map_drawing.js");

/**
 * Make a map in `host`; it takes what it shall show at once and draws it when it can.
 * @param {HTMLElement} host
 * @param {{label: string, onDevice?: (properties: object) => Node}} options `onDevice` makes a popup's content.
 */
export function createMap(host, { label, onDevice = null }) {
  /** What was asked for before there was a drawing: method -> arguments, the latest of each. */
  const asked = new Map();
  let drawing = null;
  let gone = false;
  const later = (method) => (...parameters) => { drawing === null ? asked.set(method, parameters) : drawing[method](...parameters); };

  fetchDrawing().then(({ drawMap }) => {
    if (gone) return;
    try {
      drawing = drawMap(host, { label, onDevice });
    } catch (error) {
      fill(host, empty("info", "No map here", `This browser cannot draw it (WebGL is off): ${error.message}`));
      return;
    }
    for (const [method, parameters] of asked) drawing[method](...parameters);
  }, () => {
    // Browsers remember that a module could not be fetched, so only a new page asks again.
    fill(host, empty("lost", "No map yet", "What draws it could not be fetched.", h("button", { class: "button", type: "button", on: { click: () => location.reload() } }, "Try again")));
  });
  return {
    setSites: later("setSites"), setDevices: later("setDevices"), setTracks: later("setTracks"), fit: later("fit"),
    destroy: () => { gone = true; drawing?.destroy(); },
  };
}
