// Meridians and parallels for the part of the world in view, at a step that suits the zoom.

const STEPS = [[3, 20], [4.5, 10], [6, 5], [7.5, 2], [8.7, 1], [10, 0.5], [11, 0.2], [12, 0.1], [13.2, 0.05], [14.2, 0.02], [Infinity, 0.01]];

const stepAt = (zoom) => STEPS.find(([below]) => zoom < below)[1];

function degrees(value, step, positive, negative) {
  const digits = Math.max(0, Math.ceil(-Math.log10(step)));
  const letter = value === 0 ? "" : ` ${value > 0 ? positive : negative}`;
  return `${Math.abs(value).toFixed(digits)}°${letter}`;
}

/** Line features with a `name`; at most some 60. */
export function graticule(bounds, zoom) {
  const step = stepAt(zoom);
  const [west, east] = [bounds.getWest() - step, bounds.getEast() + step];
  const [south, north] = [Math.max(bounds.getSouth() - step, -85), Math.min(bounds.getNorth() + step, 85)];
  const lines = [];
  const add = (name, coordinates) => lines.push({ type: "Feature", properties: { name }, geometry: { type: "LineString", coordinates } });
  for (let i = Math.ceil(west / step); i * step <= east && lines.length < 60; i += 1) {
    const x = Number((i * step).toFixed(4));
    add(degrees(x, step, "E", "W"), [[x, south], [x, north]]);
  }
  for (let i = Math.ceil(south / step); i * step <= north && lines.length < 120; i += 1) {
    const y = Number((i * step).toFixed(4));
    add(degrees(y, step, "N", "S"), [[west, y], [east, y]]);
  }
  return lines;
}
