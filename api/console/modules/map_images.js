// Marks of devices on the map, drawn on a canvas: the shape tells the kind, the filling and a sign tell the state.

import { iconPaths } from "./icons.js";
import { colour } from "./theme.js";

const SIZE = 26;
const RATIO = 2;

const MARKS = ["meter", "power", "sensor", "gateway", "tracker"];
/** state -> [colour token, filled] */
const STATES = { ok: ["--ok", true], silent: ["--text-3", false], critical: ["--critical", true], major: ["--major", true], minor: ["--minor", true], info: ["--info", true] };

/** Name of the image for a mark (`markOf` in badges.js) in a state. */
export const imageName = (mark, state) => `${mark}-${state}`;

/** Add all images to a map whose style has just loaded. */
export function addImages(map) {
  for (const kind of MARKS) {
    for (const state of Object.keys(STATES)) {
      const name = imageName(kind, state);
      if (map.hasImage(name)) map.removeImage(name);
      map.addImage(name, drawn(kind, state), { pixelRatio: RATIO });
    }
  }
}

/** Add one image that a style asks for before `addImages` has come to it. */
export function addMissingImage(map, name) {
  const [kind, state] = name.split("-");
  if (MARKS.includes(kind) && state in STATES && !map.hasImage(name)) map.addImage(name, drawn(kind, state), { pixelRatio: RATIO });
}

function drawn(kind, state) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIZE * RATIO;
  const ctx = canvas.getContext("2d");
  ctx.scale(RATIO, RATIO);
  const [token, filled] = STATES[state];
  const [ink, paper] = [colour(token), colour("--surface")];
  outline(ctx, kind);
  ctx.fillStyle = filled ? ink : paper;
  ctx.fill();
  ctx.lineWidth = 2;
  ctx.strokeStyle = filled ? paper : ink;
  if (state === "silent") ctx.setLineDash([2.5, 2]);
  ctx.stroke();
  ctx.setLineDash([]);
  glyph(ctx, kind, filled ? paper : ink);
  return ctx.getImageData(0, 0, canvas.width, canvas.height);
}

function outline(ctx, kind) {
  const [middle, radius] = [SIZE / 2, SIZE / 2 - 2];
  ctx.beginPath();
  if (kind === "sensor") ctx.roundRect(middle - radius + 1, middle - radius + 1, 2 * radius - 2, 2 * radius - 2, 5);
  else if (kind === "gateway") {
    ctx.moveTo(middle, 1.5);
    for (const [x, y] of [[SIZE - 1.5, middle], [middle, SIZE - 1.5], [1.5, middle]]) ctx.lineTo(x, y);
    ctx.closePath();
  } else ctx.arc(middle, middle, radius, 0, 2 * Math.PI);
}

function glyph(ctx, kind, ink) {
  ctx.save();
  ctx.translate(SIZE / 2 - 7.2, SIZE / 2 - 7.2);
  ctx.scale(0.6, 0.6);
  ctx.strokeStyle = ctx.fillStyle = ink;
  ctx.lineWidth = 2.4;
  ctx.lineCap = ctx.lineJoin = "round";
  for (const path of iconPaths(kind)) {
    if (["tracker", "meter", "power"].includes(kind)) ctx.fill(path);
    else ctx.stroke(path);
  }
  ctx.restore();
}
