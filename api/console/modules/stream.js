// The live stream: server-sent events over fetch (EventSource cannot send a header), resumed by Last-Event-ID.

import { token } from "./session.js";

/** A server that says nothing for this long, not even a comment, is taken for lost. */
const SILENCE_MILLISECONDS = 60_000;
const LONGEST_PAUSE_MILLISECONDS = 15_000;

/** Split a stream of text into server-sent events. Source: HTML Living Standard, section 9.2.6. */
export class EventParser {
  #rest = "";
  #event = { type: "message", lines: [] };
  #id = null;
  /** Id of the last event that came whole: where to resume. */
  lastId = null;

  constructor(onEvent) {
    this.onEvent = onEvent;
  }

  push(text) {
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop();
    for (const line of lines) this.#line(line);
  }

  #line(line) {
    if (line === "") return this.#dispatch();
    if (line.startsWith(":")) return undefined;
    const [, field, value] = /^([^:]*)(?:: ?(.*))?$/s.exec(line);
    if (field === "data") this.#event.lines.push(value ?? "");
    else if (field === "event") this.#event.type = value ?? "";
    else if (field === "id") this.#id = value ?? "";
    return undefined;
  }

  #dispatch() {
    const { type, lines } = this.#event;
    this.#event = { type: "message", lines: [] };
    this.lastId = this.#id;
    if (lines.length > 0) this.onEvent(type, lines.join("\n"));
  }
}

/**
 * Follow `/v1/stream` until `stop()`; after a loss, resume after the last event seen.
 * @param {{onEvent: (type: string, text: string) => void, onState: (state: "connecting"|"live"|"lost") => void}} listeners
 */
export function openStream({ onEvent, onState }) {
  const control = { stopped: false, abort: new AbortController(), failures: 0 };
  const parser = { current: null, lastId: null };
  follow(control, parser, onEvent, onState);
  return {
    stop() {
      control.stopped = true;
      control.abort.abort();
    },
  };
}

async function follow(control, parser, onEvent, onState) {
  while (!control.stopped) {
    onState(control.failures === 0 ? "connecting" : "lost");
    control.abort = new AbortController();
    try {
      await readOnce(control, parser, onEvent, onState);
    } catch (error) {
      if (error.name !== "AbortError" && !(error instanceof TypeError)) console.info(`stream: ${error.message}`);
    }
    if (control.stopped) return;
    control.failures += 1;
    onState("lost");
    await pause(control.failures);
  }
}

async function readOnce(control, parser, onEvent, onState) {
  const headers = { Authorization: `Bearer ${token() ?? ""}`, Accept: "text/event-stream" };
  if (parser.lastId !== null) headers["Last-Event-ID"] = parser.lastId;
  const answer = await fetch("/v1/stream", { headers, signal: control.abort.signal, cache: "no-store" });
  if (answer.status === 401) dispatchEvent(new CustomEvent("unauthorised"));
  if (!answer.ok) throw new Error(`answer ${answer.status}`);
  onState("live");
  control.failures = 0;
  parser.current = new EventParser(onEvent);
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let watchdog;
  try {
    for (;;) {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => control.abort.abort(), SILENCE_MILLISECONDS);
      const { done, value } = await reader.read();
      if (done) return;
      parser.current.push(value);
      parser.lastId = parser.current.lastId ?? parser.lastId;
    }
  } finally {
    clearTimeout(watchdog);
  }
}

/** Exponential, with jitter so that a restarted server is not met by all consoles at once. */
function pause(failures) {
  const longest = Math.min(LONGEST_PAUSE_MILLISECONDS, 500 * 2 ** Math.min(failures, 6));
  return new Promise((resolve) => { setTimeout(resolve, longest * (0.5 + Math.random() / 2)); });
}
