// Who looks: the bearer token from the address's fragment, kept in this browser, and what it may do.

const KEY = "veldwatch.token";

export const token = () => localStorage.getItem(KEY);
export const keepToken = (value) => localStorage.setItem(KEY, value.trim());
export const forgetToken = () => localStorage.removeItem(KEY);

/** What is no encoding of anything, as a link cut in a message leaves it, is taken as it stands. */
export function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Take `#token=...` out of the address, so that it stays neither in sight nor in the history. */
export function takeTokenFromAddress() {
  const match = /^#\/?token=([^&]+)(?:&to=(.*))?$/.exec(location.hash);
  if (!match) return;
  keepToken(decoded(match[1]));
  history.replaceState(null, "", `${location.pathname}#${match[2] ?? "/overview"}`);
}

/** What `/v1/me` answered; null until then. */
export const me = { name: "", role: "viewer", organisation: null };

export const mayOperate = () => me.role === "operator";
