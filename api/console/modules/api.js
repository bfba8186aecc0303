// The HTTP API as the console calls it: token header, problems as errors, pages joined.

import { token } from "./session.js";

/** An answer that is not a success, or none at all (status 0); `fields` say which parts of what was sent are wrong. */
export class ApiProblem extends Error {
  constructor(status, title, detail, fields = []) {
    super(detail || title);
    this.status = status;
    this.title = title;
    this.fields = fields;
  }
}

/** Whether the same question may be answered later: nobody answered, or the server could not. */
export const isPassing = (error) => error instanceof ApiProblem && (error.status === 0 || error.status === 429 || error.status >= 500);

/**
 * Call one route and return its JSON (null for an empty answer).
 * @param {string} path with leading `/v1/...`
 * @param {{method?: string, body?: object, query?: object, signal?: AbortSignal}} [options]
 */
export async function request(path, { method = "GET", body, query = {}, signal } = {}) {
  const headers = { Authorization: `Bearer ${token() ?? ""}`, Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(address(path, query), { method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiProblem(0, "The server does not answer", "The server does not answer. The console keeps trying.");
  }
  if (!answer.ok) throw await problem(answer);
  return answer.status === 204 ? null : answer.json();
}

export function address(path, query = {}) {
  const search = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== ""));
  return search.size === 0 ? path : `${path}?${search}`;
}

async function problem(answer) {
  if (answer.status === 401) dispatchEvent(new CustomEvent("unauthorised"));
  const body = await answer.json().catch(() => ({}));
  return new ApiProblem(answer.status, body.title ?? answer.statusText, typeof body.detail === "string" ? body.detail : body.title, Array.isArray(body.errors) ? body.errors : []);
}

/** All items of a list, at most `limit`; `more` says that some were left. */
export async function collect(path, { query = {}, limit = 2000, signal } = {}) {
  const items = [];
  let cursor = null;
  do {
    const page = await request(path, { query: { ...query, cursor }, signal });
    items.push(...page.items);
    cursor = page.next ?? null;
  } while (cursor !== null && items.length < limit);
  return { items: items.slice(0, limit), more: cursor !== null || items.length > limit };
}
