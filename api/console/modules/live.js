// What the stream says, gathered and handed to the views once per animation frame.
//
// Memory is bounded: one latest value per series and device, a minute of counts, and per frame at most
// FRAME_READINGS single readings (for charts that want each). 1,000 readings/s become at most 60 calls/s.

import { openStream } from "./stream.js";

const FRAME_READINGS = 5_000;
const SERIES_KEPT = 50_000;
const SECONDS_KEPT = 60;

const listeners = new Set();
const stateListeners = new Set();
let pending = fresh();
let scheduled = false;
let stream = null;
let state = "connecting";

/** Latest reading by series id. */
export const latest = new Map();
/** Readings counted per second, oldest first, the running second last. */
export const perSecond = new Array(SECONDS_KEPT).fill(0);
let second = Math.floor(Date.now() / 1000);

function fresh() {
  return { readings: [], dropped: 0, positions: new Map(), contacts: new Map(), alerts: new Map(), incidents: new Map() };
}

/** Call `listener(changes)` once per frame with what came; returns the function that ends it. */
export function subscribe(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Call `listener(state)` now and at each change: connecting, live, lost. */
export function onConnection(listener) {
  stateListeners.add(listener);
  listener(state);
  return () => stateListeners.delete(listener);
}

export function start() {
  stop();
  stream = openStream({ onEvent: take, onState: setState });
}

export function stop() {
  stream?.stop();
  stream = null;
}

function setState(next) {
  if (next === state) return;
  // Alerts that changed while the stream was lost are not told again: whoever shows lists asks for them anew.
  if (next === "live" && state === "lost") dispatchEvent(new CustomEvent("streamreset"));
  state = next;
  for (const listener of stateListeners) listener(state);
}

function take(type, text) {
  if (type === "batch") takeBatch(JSON.parse(text));
  else if (type === "alert") { const alert = JSON.parse(text); pending.alerts.set(alert.id, alert); }
  else if (type === "incident") { const incident = JSON.parse(text); pending.incidents.set(incident.id, incident); }
  else if (type === "reset") dispatchEvent(new CustomEvent("streamreset"));
  else return;
  schedule();
}

function takeBatch({ readings = [], positions = [], contacts = [], omitted = 0 }) {
  roll();
  perSecond[SECONDS_KEPT - 1] += readings.length + omitted;
  for (const reading of readings) takeReading(reading);
  for (const position of positions) keepNewest(pending.positions, position.device_id, position, "observed_at");
  for (const contact of contacts) keepNewest(pending.contacts, contact.device_id, contact, "received_at");
}

function takeReading(reading) {
  const known = latest.get(reading.series_id);
  if (known === undefined || Date.parse(known.observed_at) <= Date.parse(reading.observed_at)) {
    if (known === undefined && latest.size >= SERIES_KEPT) latest.delete(latest.keys().next().value);
    latest.set(reading.series_id, reading);
  }
  if (pending.readings.length < FRAME_READINGS) pending.readings.push(reading);
  else pending.dropped += 1;
}

function keepNewest(map, key, value, field) {
  const known = map.get(key);
  if (known === undefined || Date.parse(known[field]) <= Date.parse(value[field])) map.set(key, value);
}

/** Move the counts on to the running second. */
export function roll(now = Date.now()) {
  const current = Math.floor(now / 1000);
  for (let steps = Math.min(current - second, SECONDS_KEPT); steps > 0; steps -= 1) { perSecond.shift(); perSecond.push(0); }
  second = current;
}

/** Readings per second over the last ten whole seconds. */
export function rate() {
  roll();
  return perSecond.slice(-11, -1).reduce((sum, n) => sum + n, 0) / 10;
}

function schedule() {
  if (scheduled) return;
  scheduled = true;
  // A hidden page gets no animation frames: a timer keeps what is gathered from growing.
  if (document.hidden) setTimeout(flush, 1000);
  else requestAnimationFrame(flush);
}

function flush() {
  scheduled = false;
  const changes = pending;
  pending = fresh();
  for (const listener of listeners) listener(changes);
}
