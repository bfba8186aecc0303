// What somebody has begun to write into the fields of a part of a page, which the page must not take away.

import { begunWith } from "./dom.js";

const begun = (field) => (field.options ? ([...field.options].find((option) => option.defaultSelected) ?? field.options[0])?.value : begunWith.get(field) ?? field.defaultValue) ?? "";
const changed = (field) => field.value !== begun(field);

/** A choice outside of a form is a filter of what is shown. */
const fields = (host) => [...host.querySelectorAll("textarea, input:not([type=checkbox]):not([type=radio]), form select")];

/** Whether somebody writes there, or has written what is not sent yet. */
export const isWriting = (host) => fields(host).some((field) => field === document.activeElement || changed(field));

const summaryOf = (details) => details.querySelector("summary")?.textContent ?? "";

/** What is written and not sent, by the fields' names; where nobody here did anything, also which parts are open, by their summaries. */
export const takeDrafts = (host, isRenewed) => ({
  values: new Map(fields(host).filter((field) => field.name !== "" && changed(field)).map((field) => [field.name, field.value])),
  opened: new Set([...host.querySelectorAll(isRenewed ? "details[open]" : ":not(*)")].map(summaryOf)),
});

export const noDrafts = () => ({ values: new Map(), opened: new Set() });

/** Write it into the fields of the same names, and open the same parts. */
export function putDrafts(host, { values, opened }) {
  for (const field of fields(host)) if (values.has(field.name)) field.value = values.get(field.name);
  for (const details of host.querySelectorAll("details")) if (opened.has(summaryOf(details))) details.open = true;
}
