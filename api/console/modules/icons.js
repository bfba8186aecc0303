// Line icons on a 24 x 24 grid, drawn for the console. Decorative: the text beside them carries the meaning.

const SHAPES = {
  overview: ["M3 11.500 12 4l9 7.500", "M5.500 10v9.500h13V10", "M10 19.500v-5h4v5"],
  alerts: ["M12 3.500a6 6 0 0 0-6 6c0 5-2 6.500-2 6.500h16s-2-1.500-2-6.500a6 6 0 0 0-6-6Z", "M10 19.500a2 2 0 0 0 4 0"],
  devices: ["M12 13.500v7", "M8 20.500h8", "M8.500 9.500a5 5 0 0 1 7 0", "M5.500 6.500a9.200 9.200 0 0 1 13 0", "M12 13a.6.6 0 1 0 0-.1Z"],
  quarantine: ["M12 3 4.500 6v5.500c0 4.700 3.200 7.800 7.500 9.500 4.300-1.700 7.500-4.800 7.500-9.500V6Z", "M9.500 9.500l5 5", "M14.500 9.500l-5 5"],
  sources: ["M4 5h16l-6.200 7.500v5.500l-3.600 2v-7.500Z"],
  mailbox: ["M3.500 6h17v12.500h-17Z", "m4 6.500 8 6.500 8-6.500"],
  simulator: ["M9.500 3.500h5", "M10.500 3.500v6L5 18.500a1.400 1.400 0 0 0 1.200 2h11.600a1.400 1.400 0 0 0 1.200-2L13.500 9.500v-6", "M7.500 15h9"],
  rules: ["M4 6.500h9", "M17 6.500h3", "M15 4.500v4", "M4 12h3", "M11 12h9", "M9 10v4", "M4 17.500h9", "M17 17.500h3", "M15 15.500v4"],
  more: ["M5 12h.01", "M12 12h.01", "M19 12h.01"],
  sun: ["M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8Z", "M12 2.500v2", "M12 19.500v2", "m4.900 4.900 1.400 1.400", "m17.700 17.700 1.400 1.400", "M2.500 12h2", "M19.500 12h2", "m4.900 19.100 1.400-1.400", "m17.700 6.300 1.400-1.400"],
  moon: ["M20 14.500A8.500 8.500 0 0 1 9.500 4a8.500 8.500 0 1 0 10.500 10.500Z"],
  auto: ["M12 3.500a8.500 8.500 0 1 0 0 17Z", "M12 3.500a8.500 8.500 0 0 1 0 17"],
  leave: ["M14 4.500h5v15h-5", "M10 8l-4 4 4 4", "M6 12h9"],
  search: ["M10.500 4a6.500 6.500 0 1 0 0 13 6.500 6.500 0 0 0 0-13Z", "m15.500 15.500 5 5"],
  back: ["M14.500 5.500 8 12l6.500 6.500"],
  check: ["m5 12.500 4.500 4.500L19 7.500"],
  critical: ["M8 3.500h8L20.500 8v8L16 20.500H8L3.500 16V8Z", "M12 7.500v5.500", "M12 16.300v.1"],
  major: ["M12 4 2.800 20h18.400Z", "M12 10v4.500", "M12 17.200v.1"],
  minor: ["M12 3.500 20.500 12 12 20.500 3.500 12Z", "M12 8.500v4", "M12 15.400v.1"],
  info: ["M12 3.500a8.500 8.500 0 1 0 0 17 8.500 8.500 0 0 0 0-17Z", "M12 11v5.500", "M12 7.800v.1"],
  ok: ["M12 3.500a8.500 8.500 0 1 0 0 17 8.500 8.500 0 0 0 0-17Z", "m8.500 12.200 2.500 2.500 4.700-5"],
  clock: ["M12 3.500a8.500 8.500 0 1 0 0 17 8.500 8.500 0 0 0 0-17Z", "M12 7.500V12l3 2"],
  silent: ["m4 4 16 16", "M8.500 9.500a5 5 0 0 1 2.500-1.400", "M5.500 6.700a9 9 0 0 1 1.700-1.400", "M12 13.500v7", "M8 20.500h8", "M14.500 5a9 9 0 0 1 4 1.700"],
  retracted: ["M9 6 4.500 10.500 9 15", "M5 10.500h9a5 5 0 0 1 0 10h-3"],
  meter: ["M12 3.500s-6 6.800-6 11a6 6 0 0 0 12 0c0-4.200-6-11-6-11Z"],
  power: ["M13 3 5.500 13.500H11L9.500 21l8-11H12Z"],
  sensor: ["M5.500 5.500h13v13h-13Z", "M9 14.500l2-3 2 2 2.500-4"],
  gateway: ["M4 14.500h16v5H4Z", "M7.500 17h.1", "M12 14.500v-5", "M8.500 7a5 5 0 0 1 7 0"],
  tracker: ["M12 12.500c-2.500 0-4.800 2.500-4.800 4.600 0 1.500 1 2.400 2.400 2.400 1 0 1.500-.5 2.400-.5s1.400.5 2.400.5c1.400 0 2.400-.9 2.400-2.400 0-2.100-2.300-4.600-4.800-4.600Z", "M5.600 10.800a1.500 1.900 0 1 0 .1 0Z", "M9.500 5a1.500 2 0 1 0 .1 0Z", "M14.500 5a1.500 2 0 1 0 .1 0Z", "M18.400 10.800a1.500 1.900 0 1 0 .1 0Z"],
  comment: ["M4 5.500h16v11H10l-4 3.500v-3.500H4Z"],
  plus: ["M12 5.500v13", "M5.500 12h13"],
  stop: ["M7 7h10v10H7Z"],
  play: ["M8 5.500 18.500 12 8 18.500Z"],
  key: ["M15.500 4a4.500 4.500 0 1 0 0 9 4.500 4.500 0 0 0 0-9Z", "M12 11.500 4 19.500v1h3v-2h2v-2h2l2-2"],
  lost: ["M12 18.500h.1", "M8.500 15a5 5 0 0 1 7 0", "M5 11.500a10 10 0 0 1 14 0", "m4 4 16 16"],
};

/** An SVG icon; hidden from assistive technology. */
export function icon(name, size = 18) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const attributes = {
    viewBox: "0 0 24 24", width: size, height: size, fill: "none", stroke: "currentColor", "stroke-width": 1.8,
    "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true", class: `icon icon-${name}`,
  };
  for (const [key, value] of Object.entries(attributes)) svg.setAttribute(key, value);
  for (const shape of SHAPES[name] ?? SHAPES.info) {
    const path = document.createElementNS(svg.namespaceURI, "path");
    path.setAttribute("d", shape);
    svg.append(path);
  }
  return svg;
}

/** Paths of an icon, for drawing on a canvas. */
export const iconPaths = (name) => (SHAPES[name] ?? []).map((d) => new Path2D(d));
