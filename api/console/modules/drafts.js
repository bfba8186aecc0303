// What somebody has begun to write into the fields of a part of a page, which the page must not take away.

const changed = (field) => field.value !== (field.defaultValue ?? "");

/** A choice outside of a form is a filter of what is shown. */
const fields = (host) => [...host.querySelectorAll("textarea, input:not([type=checkbox]):not([type=radio]), form select")];

/** Whether somebody writes there, or has written what is not sent yet. */
export const isWriting = (host) => fields(host).some((field) => field === document.activeElement || changed(field));

/** What is written and not sent, by the fields' names. */
export const takeDrafts = (host) => new Map(fields(host).filter((field) => field.name !== "" && changed(field)).map((field) => [field.name, field.value]));

/** Write it into the fields of the same names. */
export function putDrafts(host, drafts) {
  for (const field of fields(host)) if (drafts.has(field.name)) field.value = drafts.get(field.name);
}
