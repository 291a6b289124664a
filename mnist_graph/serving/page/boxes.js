/** Boxes around digits: drawing them, and finding which belong together. */

/** @typedef {import("./server.js").Box} Box */

/**
 * Draw the boxes of digits over a picture.
 * @param {CanvasRenderingContext2D} context
 * @param {import("./server.js").Digit[]} digits
 * @param {import("./server.js").Digit} [selected]
 */
export function drawBoxes(context, digits, selected) {
  const { width, height } = context.canvas;
  context.clearRect(0, 0, width, height);
  const unit = Math.max(width, height) / 840;
  for (const digit of digits) {
    const [left, top, right, bottom] = digit.box;
    context.lineWidth = (digit === selected ? 4 : 2) * unit;
    context.strokeStyle = isSure(digit) ? "#0b5fa5" : "#a3480a";
    const margin = 4 * unit;
    context.strokeRect(
      left - margin,
      top - margin,
      right - left + 2 * margin,
      bottom - top + 2 * margin,
    );
  }
}

/** Below this probability a digit is not sure, as on the command line. */
const MIN_PROBABILITY = 0.9;

/** @param {import("./server.js").Digit} digit */
export function isSure(digit) {
  return digit.probability >= MIN_PROBABILITY;
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
