/** The 28x28 image that networks of single digits are given, enlarged. */

const SIDE = 28;

/**
 * @param {HTMLCanvasElement} canvas
 * @param {HTMLElement} caption
 * @param {import("./server.js").Seen | undefined} seen
 */
export function showSeen(canvas, caption, seen) {
  canvas.hidden = !seen;
  caption.textContent = "";
  if (!seen) return;
  const context = canvas.getContext("2d");
  const scale = canvas.width / SIDE;
  const pixels = Uint8Array.from(atob(seen.pixels), (character) => character.charCodeAt(0));
  pixels.forEach((value, at) => {
    context.fillStyle = `rgb(${value} ${value} ${value})`;
    const [x, y] = [at % SIDE, Math.floor(at / SIDE)];
    context.fillRect(x * scale, y * scale, scale, scale);
  });
  const [left, top, right, bottom] = seen.ink.map((value) => value * scale);
  context.lineWidth = 2;
  context.strokeStyle = "#6db6f2";
  context.strokeRect(left, top, right - left, bottom - top);
  drawCross(context, (seen.centre[0] + 0.5) * scale, (seen.centre[1] + 0.5) * scale);
  const size = `${seen.ink[2] - seen.ink[0]} x ${seen.ink[3] - seen.ink[1]}`;
  const centre = seen.centre.map((value) => value.toFixed(1)).join(", ");
  const text = `28 x 28 pixels. Ink (box): ${size}. Centre of mass (cross): ${centre}.`;
  caption.textContent = text;
  canvas.setAttribute("aria-label", `What the network sees: ${text}`);
}

function drawCross(context, x, y) {
  context.strokeStyle = "#f0a35e";
  context.lineWidth = 3;
  context.beginPath();
  context.moveTo(x - 12, y);
  context.lineTo(x + 12, y);
  context.moveTo(x, y - 12);
  context.lineTo(x, y + 12);
  context.stroke();
}
