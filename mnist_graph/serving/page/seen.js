/** The 28x28 image that networks of single digits are given, enlarged. */

import { SIDE, toBytes } from "./maps.js";

const INK = "#6db6f2";
const CENTRE = "#f0a35e";

/**
 * @param {HTMLCanvasElement} canvas
 * @param {HTMLElement} caption
 * @param {import("./server.js").Seen | undefined} seen
 */
export function showSeen(canvas, caption, seen) {
  const context = canvas.getContext("2d");
  if (!seen) {
    context.fillStyle = "#000";
    context.fillRect(0, 0, canvas.width, canvas.height);
    canvas.setAttribute("aria-label", "What the network sees: nothing");
    caption.replaceChildren();
    return;
  }
  const scale = canvas.width / SIDE;
  drawPixels(context, seen.pixels, scale);
  const [left, top, right, bottom] = seen.ink.map((value) => value * scale);
  context.lineWidth = 3;
  context.strokeStyle = INK;
  context.strokeRect(left, top, right - left, bottom - top);
  // The middle of the first pixel is at 0.
  drawCross(context, (seen.centre[0] + 0.5) * scale, (seen.centre[1] + 0.5) * scale);
  const size = `${seen.ink[2] - seen.ink[0]} × ${seen.ink[3] - seen.ink[1]}`;
  const centre = seen.centre.map((value) => value.toFixed(1)).join(", ");
  const lines = [`Ink: ${size}`, `Centre of mass: ${centre}`];
  caption.replaceChildren(...lines.map(makeLine));
  canvas.setAttribute("aria-label", `What the network sees. ${lines.join(". ")}`);
}

function makeLine(text) {
  const line = document.createElement("span");
  line.textContent = text;
  return line;
}

function drawPixels(context, base64, scale) {
  toBytes(base64).forEach((value, at) => {
    context.fillStyle = `rgb(${value} ${value} ${value})`;
    const [x, y] = [at % SIDE, Math.floor(at / SIDE)];
    context.fillRect(x * scale, y * scale, scale, scale);
  });
}

function drawCross(context, x, y) {
  context.beginPath();
  context.moveTo(x - 16, y);
  context.lineTo(x + 16, y);
  context.moveTo(x, y - 16);
  context.lineTo(x, y + 16);
  // A dark line under the cross, which may lie on white ink.
  for (const [color, width] of [
    ["#000", 8],
    [CENTRE, 4],
  ]) {
    context.strokeStyle = color;
    context.lineWidth = width;
    context.stroke();
  }
}
