/** Boxes around digits: drawing them, and finding which belong together. */

/** @typedef {import("./server.js").Box} Box */

const SURE = "#0b5fa5";
const UNSURE = "#a3480a";
/** Pixels between a digit and its box, on a canvas 840 pixels wide. */
const MARGIN = 4;

/**
 * Draw the boxes of digits over a picture. Boxes of digits that are not sure are dashed.
 * @param {CanvasRenderingContext2D} context
 * @param {import("./server.js").Digit[]} digits
 * @param {import("./server.js").Digit} [selected]
 */
export function drawBoxes(context, digits, selected) {
  const { width, height } = context.canvas;
  context.clearRect(0, 0, width, height);
  const unit = Math.max(width, height) / 840;
  for (const digit of digits) {
    const line = (digit === selected ? 4 : 2) * unit;
    // White around the line keeps it visible on a dark photo.
    drawBox(context, digit.box, MARGIN * unit, { color: "#fff", line: line + 2 * unit });
    const [color, dash] = digit.sure ? [SURE, []] : [UNSURE, [8 * unit, 5 * unit]];
    drawBox(context, digit.box, MARGIN * unit, { color, line, dash });
  }
}

function drawBox(context, [left, top, right, bottom], margin, { color, line, dash = [] }) {
  context.strokeStyle = color;
  context.lineWidth = line;
  context.setLineDash(dash);
  const [width, height] = [right - left + 2 * margin, bottom - top + 2 * margin];
  context.strokeRect(left - margin, top - margin, width, height);
  context.setLineDash([]);
}

/**
 * Draw the cursor of the keyboard: filled while the pen is down.
 * @param {CanvasRenderingContext2D} context
 * @param {import("./pad.js").Pad} pad
 */
export function drawCursor(context, { cursor, isDown, penWidth, scale }) {
  context.beginPath();
  context.arc(cursor.x * scale, cursor.y * scale, (penWidth * scale) / 2 + 3, 0, 2 * Math.PI);
  context.lineWidth = 7;
  context.strokeStyle = "#fff";
  context.stroke();
  context.lineWidth = 3;
  context.strokeStyle = context.fillStyle = SURE;
  context.stroke();
  if (isDown) context.fill();
}

/**
 * Return the digit whose box holds a point.
 * @param {import("./server.js").Digit[]} digits
 * @param {import("./strokes.js").Point} point in pixels of the picture
 */
export function findAt(digits, { x, y }) {
  return digits.find(
    ({ box: [left, top, right, bottom] }) => x >= left && y >= top && x <= right && y <= bottom,
  );
}

/**
 * Return the entry whose box shares the most with `box`; undefined if none does.
 * @template {{box: Box}} Entry
 * @param {Entry[]} entries
 * @param {Box} box
 * @returns {Entry | undefined}
 */
export function findOverlapping(entries, box) {
  let best;
  let most = 0;
  for (const entry of entries) {
    const shared = overlap(entry.box, box);
    if (shared > most) [best, most] = [entry, shared];
  }
  return best;
}

/** The area of two boxes' intersection over that of their union. */
function overlap(one, other) {
  const width = Math.min(one[2], other[2]) - Math.max(one[0], other[0]);
  const height = Math.min(one[3], other[3]) - Math.max(one[1], other[1]);
  if (width <= 0 || height <= 0) return 0;
  return (width * height) / (area(one) + area(other) - width * height);
}

function area([left, top, right, bottom]) {
  return (right - left) * (bottom - top);
}
