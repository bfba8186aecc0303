// Light, dark, or as the system says; colours as canvases need them.

const KEY = "veldwatch.theme";
const MODES = ["auto", "light", "dark"];
const system = matchMedia("(prefers-color-scheme: dark)");

/** `auto`, `light` or `dark`. */
export const mode = () => { const stored = localStorage.getItem(KEY); return MODES.includes(stored) ? stored : "auto"; };

export const isDark = () => (mode() === "auto" ? system.matches : mode() === "dark");

/** Write the mode to the page and tell listeners of the window event `themechange`. */
export function apply() {
  document.documentElement.dataset.theme = mode();
  dispatchEvent(new CustomEvent("themechange"));
}

export function nextMode() {
  localStorage.setItem(KEY, MODES[(MODES.indexOf(mode()) + 1) % MODES.length]);
  apply();
}

system.addEventListener("change", apply);

/** The computed value of a colour token (`--accent`), for WebGL and canvas. */
export function colour(token) {
  const probe = document.createElement("i");
  probe.style.color = `var(${token})`;
  document.documentElement.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}
