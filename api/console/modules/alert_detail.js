// One alert with all that became of it, and what an operator may do about it.

import { request } from "./api.js";
import { severityBadge, stateBadge } from "./badges.js";
import { showEvidence } from "./alert_evidence.js";
import { alertImpact } from "./alert_impact.js";
import { incidentPart } from "./alert_incident.js";
import { isOpen, alertTime } from "./alert_row.js";
import { RESOLUTIONS, showWork } from "./alert_work.js";
import { explanation, silenceLink } from "./alert_explanation.js";
import { disposables, fill, h } from "./dom.js";
import { putDrafts } from "./drafts.js";
import { icon } from "./icons.js";
import { loadRegister, sites } from "./register.js";
import { mayOperate } from "./session.js";
import { ageElement, ago, local, span, timeElement, utc } from "./time.js";
import { notice } from "./toasts.js";
import { number, sentence } from "./units.js";

const KIND_ICONS = { pending: "clock", firing: "alerts", resolved: "ok", retracted: "retracted", corrected: "retracted", acknowledged: "check", commented: "comment", raised: "critical", assigned: "check", unassigned: "leave", resolved_by_hand: "ok", reopened: "back", taken_out: "leave", put_back: "back" };
const KIND_WORDS = { pending: "Condition began", firing: "Fired", resolved: "Resolved", retracted: "Retracted: late data shows that it never was", corrected: "Corrected by late data", acknowledged: "Acknowledged", commented: "Comment", raised: "Severity rose", assigned: "Assigned", unassigned: "Assigned to nobody", resolved_by_hand: "Resolved by hand", reopened: "Reopened", taken_out: "Taken out of its incident", put_back: "Put back into its incident" };
const OUTCOMES = { delivered: "ok", failed: "critical", suppressed: "silent", pending: "clock" };

/**
 * Show the alert in `host`.
 * @param {{back: string, current: () => boolean, drafts: () => object, onChange: (alert: object | null) => void}} options `current` false: another was chosen meanwhile; `drafts`: what is written and opened in `host` by then; `onChange(null)`: how it is now is not known
 * @returns {Promise<{dispose: () => void, acknowledge: () => Promise<void>, keys: Record<string, () => void>} | null>} null: it was no longer wanted
 */
export async function showAlert(host, id, { back, current, drafts, onChange }) {
  const alert = await request(`/v1/alerts/${id}`);
  const [rule] = await Promise.all([request(`/v1/rules/${encodeURIComponent(alert.rule)}`).catch(() => null), loadRegister()]);
  if (!current()) return null;
  const parts = disposables();
  const act = async (path, body, done, form = null) => {
    try {
      await request(`/v1/alerts/${id}${path}`, { method: "POST", body });
    } catch (error) {
      notice(error.message, "bad");
      // Somebody else may have been first: show what they did.
      if (error.status === 409) onChange(null);
      return;
    }
    form?.reset(); // what was sent is no draft any more
    notice(done);
    // What cannot be asked for now is asked for again: what was done is done.
    onChange(await request(`/v1/alerts/${id}`).catch(() => null));
  };
  const acknowledge = () => (alert.acknowledged_at || !mayOperate() ? Promise.resolve() : act("/acknowledge", {}, "Acknowledged"));
  const work = showWork(alert, act);
  const evidence = h("div", {});
  const written = drafts();
  fill(host, head(alert, back, acknowledge, rule), alertImpact(alert),
    section("Work", null, work.element, incidentPart(alert, act)), section("Evidence", null, evidence), section("What happened", null, timeline(alert), commentForm(act)),
    section("Who was told", null, receipts(alert.notifications ?? [])));
  putDrafts(host, written);
  showEvidence(evidence, alert, rule, parts);
  return { dispose: parts.dispose, acknowledge, keys: work.keys };
}

const section = (title, side, ...body) => h("section", { class: "detail-section" }, h("h3", {}, title, side), body);

function head(alert, back, acknowledge, rule) {
  return h("header", { class: "detail-head" },
    h("div", { class: "row row-wrap" },
      h("a", { class: "button button-small phone-only", href: back }, icon("back", 15), "Alerts"),
      severityBadge(alert.severity), stateBadge(alert.state), alert.acknowledged_at ? h("span", { class: "badge badge-ok" }, icon("check", 14), `Acknowledged by ${alert.acknowledged_by}`) : null,
      h("span", { class: "grow" }), silenceLink(alert), acknowledgeButton(alert, acknowledge)),
    h("h2", { class: "detail-title" }, alert.rule_title || alert.rule),
    h("p", {}, alert.summary),
    alert.late ? lateNote(alert) : null, explanation(alert),
    h("dl", { class: "facts" },
      fact("Device", alert.device_id ? h("a", { href: `#/devices/${alert.device_id}` }, alert.device_name ?? alert.device) : "–"),
      fact("Site", sites.find((s) => s.slug === alert.site)?.name ?? alert.site ?? "–"), fact("Organisation", alert.organisation),
      fact("Began", timeElement(alert.opened_at)), fact("Fired", timeElement(alert.fired_at)),
      fact(isOpen(alert) ? "Open for" : "Lasted", duration(alert)),
      alert.value === null ? null : fact("Value", number(alert.value)),
      fact("Rule", h("span", {}, h("a", { href: `#/rules/${encodeURIComponent(alert.rule)}` }, alert.rule), ` v${alert.rule_version}`)),
      runbook(rule)));
}

function runbook(rule) {
  const address = rule?.definition?.runbook;
  if (!address) return null;
  return fact("Runbook", /^https?:\/\//.test(address) ? h("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, "Open the instructions") : address);
}

const fact = (name, value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));

function duration(alert) {
  const end = isOpen(alert) ? Date.now() : Date.parse(alert.resolved_at ?? alert.opened_at);
  return span((end - Date.parse(alert.opened_at)) / 1000);
}

/** An old fact must never read as news. */
function lateNote(alert) {
  const at = alertTime(alert);
  return h("p", { class: "late-note" }, icon("clock", 18),
    h("span", { title: `${utc(at)}; recorded ${utc(alert.recorded_at)}` }, `Happened ${ago(at)} (${local(at)}), heard ${ago(alert.recorded_at)}: the data came late. This is history, not news.`));
}

function acknowledgeButton(alert, acknowledge) {
  if (alert.acknowledged_at || alert.state === "retracted") return null;
  if (!mayOperate()) return h("span", { class: "small muted" }, "Operators acknowledge alerts");
  const button = h("button", { class: "button button-main", type: "button", id: "acknowledge", on: { click: async () => { button.disabled = true; await acknowledge(); button.disabled = false; } } }, icon("check", 16), "Acknowledge");
  return button;
}

/** Transitions and comments in the order in which they were recorded. */
function timeline(alert) {
  const steps = [
    ...(alert.transitions ?? []).filter((t) => t.kind !== "commented").map((t) => ({ ...t, order: t.recorded_at })),
    ...(alert.comments ?? []).map((c) => ({ kind: "commented", at: c.created_at, recorded_at: c.created_at, author: c.author, body: c.body, order: c.created_at })),
  ].sort((a, b) => Date.parse(a.order) - Date.parse(b.order));
  return h("ol", { class: "timeline" }, steps.map((step) => h("li", {},
    h("span", { class: "dot", "data-kind": step.kind }, icon(KIND_ICONS[step.kind] ?? "info", 14)),
    h("div", {}, h("div", { class: "row row-wrap" }, h("b", {}, KIND_WORDS[step.kind] ?? sentence(step.kind)), h("span", { class: "muted small" }, step.author === "engine" ? "" : `by ${step.author}`), h("span", { class: "muted small" }, timeElement(step.at))),
      said(step), recordedLater(step), step.body ? h("div", { class: "comment" }, step.body) : null))));
}

/** What a step says beyond its name. */
function said({ kind, detail = {} }) {
  const text = { assigned: detail.to, resolved_by_hand: [RESOLUTIONS[detail.resolution], detail.note].filter(Boolean).join(": "), raised: detail.severity && `From ${detail.severity_before} to ${detail.severity}` }[kind];
  return text ? h("div", { class: "small" }, text) : null;
}

function recordedLater(step) {
  const delay = (Date.parse(step.recorded_at) - Date.parse(step.at)) / 1000;
  return delay > 120 ? h("div", { class: "muted small" }, `recorded ${span(delay)} later`) : null;
}

function commentForm(act) {
  if (!mayOperate()) return h("p", { class: "small muted" }, "Operators may comment.");
  const text = h("textarea", { class: "input", name: "comment", maxlength: 4000, required: true, rows: 2, placeholder: "What was found, who is on the way …" });
  const submit = (event) => {
    event.preventDefault();
    if (text.value.trim() !== "") act("/comments", { body: text.value.trim() }, "Comment added", event.currentTarget);
  };
  return h("form", { class: "stack", on: { submit } }, h("label", { class: "field" }, "Comment", text), h("div", { class: "row" }, h("button", { class: "button", type: "submit" }, icon("comment", 16), "Add comment")));
}

function receipts(notifications) {
  if (notifications.length === 0) return h("p", { class: "muted small" }, "Nobody yet: no receiver takes alerts of this severity and organisation.");
  return h("div", { class: "receipts" }, notifications.map((n) => h("div", { class: "receipt" },
    icon(OUTCOMES[n.state] ?? "info", 17),
    h("span", { class: "clip" }, h("b", {}, n.receiver), h("span", { class: "muted" }, ` ${n.channel}${n.kind ? ` · ${n.kind}` : ""}`)),
    h("span", { class: "small" }, sentence(n.state), n.reason ? ` (${sentence(n.reason).toLowerCase()})` : "", " ", n.delivered_at ? ageElement(n.delivered_at) : ""),
    (n.attempts ?? []).map((a) => h("div", { class: "attempt" }, `Attempt ${a.number}: ${sentence(a.outcome).toLowerCase()}, “${a.detail}” `, timeElement(a.at))))));
}
