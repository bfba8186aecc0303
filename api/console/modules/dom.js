// Builds elements. All text goes through text nodes and all attributes through setAttribute: what a device
// calls itself is shown, never parsed. Nothing in the console uses innerHTML.

/**
 * Make an element.
 * @param {string} tag
 * @param {object} [attributes] `class`, `dataset`, `on: {event: listener}`, and plain attributes; null and false are left out.
 * @param {...(Node|string|number|null|false|Array)} children
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) assign(element, name, value);
  element.append(...nodes(children));
  return element;
}

/** What a textarea begins with: as its default it would be text of the page, and of the label around it. */
export const begunWith = new WeakMap();

/** What a field begins with, so that it can be told from what somebody wrote, and be put back. */
const BEGINNINGS = { value: "defaultValue", checked: "defaultChecked", selected: "defaultSelected" };

function assign(element, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name === "on") for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
  else if (name === "dataset") Object.assign(element.dataset, value);
  else if (name === "value" && element.tagName === "TEXTAREA") begunWith.set(element, element.value = value);
  else if (name in BEGINNINGS && BEGINNINGS[name] in element) element[BEGINNINGS[name]] = value;
  else if (name === "value") element.value = value;
  else element.setAttribute(name, value === true ? "" : String(value));
}

function nodes(children) {
  return children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false)
    .map((c) => (c instanceof Node ? c : document.createTextNode(String(c))));
}

/** Put `children` in the place of whatever is in `element`. */
export function fill(element, ...children) {
  element.replaceChildren(...nodes(children));
  return element;
}

/** Set the text only if it differs, so that a live value costs no layout when it stays. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Remember a cleanup for each resource that a view takes; `dispose` runs them last first. */
export function disposables() {
  const cleanups = [];
  return {
    add: (cleanup) => cleanups.push(cleanup),
    dispose: () => { while (cleanups.length > 0) cleanups.pop()(); },
  };
}
