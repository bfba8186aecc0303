// Numbers, UCUM units and names of metrics as people read them.

/** UCUM code to what people write; veldwatch/model/spoken.py has the same. */
const UNITS = {
  m3: "m³", "m3/h": "m³/h", "m3/s": "m³/s", Cel: "°C", "[degF]": "°F", "%RH": "% RH", "kW.h": "kWh", "MW.h": "MWh", "W.h": "Wh", "V.A": "VA",
  "kV.A": "kVA", deg: "°", "m/s2": "m/s²", "W/m2": "W/m²", "umol/mol": "ppm", "[ppm]": "ppm", "uS/cm": "µS/cm", "ug/L": "µg/L", "ug/m3": "µg/m³",
  "[NTU]": "NTU", "[FNU]": "FNU", "[psi]": "psi", "m[H2O]": "m of water", "1": "", "{count}": "", "[pH]": "pH", "dB[mW]": "dBm",
};

const ROUGH = new Intl.NumberFormat("en", { maximumSignificantDigits: 4 });
const SMALL = new Intl.NumberFormat("en", { maximumSignificantDigits: 6 });
const LARGE = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });
const WHOLE = new Intl.NumberFormat("en");

export const unitText = (unit) => UNITS[unit] ?? (unit ?? "").replaceAll("{", "").replaceAll("}", "");

const EXPONENT = /\.?0*e/;

/** A value as veldwatch/model/spoken.py writes it, its thousands apart: six digits that count, from 1000 on all whole ones and two decimals. */
export function number(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e15 || size < 1e-9)) return size === Infinity ? String(value) : value.toExponential(5).replace(EXPONENT, "e");
  return apart((size >= 1000 ? LARGE : SMALL).format(size === 0 ? 0 : value));
}

/** About four digits, for what is no reading: rates, sizes. */
export const rough = (value) => (value === null || Math.abs(value) >= 1000 ? number(value) : apart(ROUGH.format(value)));

const apart = (text) => text.replaceAll(",", "\u202f");

/** Labels of a scale with as many decimals as its step has: 0.025 apart are 1.025 and 1.050. */
export function scaleLabels(values, step) {
  let digits = 0;
  while (digits < 6 && Math.abs(step * 10 ** digits - Math.round(step * 10 ** digits)) > 1e-6) digits += 1;
  return values.map((value) => value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits }).replaceAll(",", "\u202f"));
}

export const count = (value) => WHOLE.format(value ?? 0).replaceAll(",", "\u202f");

export function quantity(value, unit) {
  const text = unitText(unit);
  return text === "" ? number(value) : `${number(value)}\u00a0${text}`;
}

/** `battery_voltage_v` with unit V becomes `Battery voltage`. */
export function metricTitle(metric, unit = "") {
  const words = String(metric).split("_");
  const suffix = unit.replace(/[^a-z0-9]/gi, "").toLowerCase();
  if (words.length > 1 && suffix !== "" && words.at(-1).toLowerCase() === suffix) words.pop();
  const title = words.join(" ").trim();
  return title === "" ? String(metric) : title[0].toUpperCase() + title.slice(1);
}

/** `no_source` becomes `No source`. */
export const sentence = (word) => { const text = String(word ?? "").replaceAll("_", " "); return text === "" ? "" : text[0].toUpperCase() + text.slice(1); };

const SIZES = ["B", "KiB", "MiB", "GiB", "TiB"];

/** A length in bytes in its largest unit: `512 B`, `1.5 KiB`, `14.2 GiB`. */
export function bytes(length) {
  const step = Math.min(SIZES.length - 1, Math.floor(Math.log2(Math.max(1, length)) / 10));
  return `${rough(length / 1024 ** step)}\u00a0${SIZES[step]}`;
}
