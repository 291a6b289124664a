/** Small pictures of numbers: grey ones, and those with two colours for plus and minus. */

/** Pixels of digits are 28 × 28. */
export const SIDE = 28;
const PLUS = [109, 182, 242];
const MINUS = [240, 163, 94];
/** Columns of dense layers and of feature maps, next to each other. */
const UNITS_IN_ROW = 64;
const MAPS_IN_ROW = 16;
/** The lines between feature maps. */
const GAP = [70, 70, 70];
const NOTHING = [0, 0, 0, 0];

/**
 * @param {string} base64
 * @returns {Uint8Array}
 */
export function toBytes(base64) {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

/**
 * @param {string} base64
 * @returns {Int8Array}
 */
export function toSigned(base64) {
  return new Int8Array(toBytes(base64).buffer);
}

/**
 * Paint a canvas with one pixel for each value.
 * @param {number} width
 * @param {number} height
 * @param {(x: number, y: number) => number[]} colour red, green, blue and, unless it is 255,
 *   opacity: 0 to 255
 * @param {HTMLCanvasElement} canvas
 * @returns {HTMLCanvasElement}
 */
function paint(width, height, colour, canvas = makeCanvas()) {
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [red, green, blue, opacity = 255] = colour(x, y);
      image.data.set([red, green, blue, opacity], 4 * (y * width + x));
    }
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

function makeCanvas() {
  const canvas = document.createElement("canvas");
  canvas.setAttribute("role", "img");
  return canvas;
}

/**
 * @param {Uint8Array} pixels of a digit
 * @param {HTMLCanvasElement} [canvas] where to paint it
 * @returns {HTMLCanvasElement}
 */
export function paintDigit(pixels, canvas) {
  return paint(SIDE, SIDE, (x, y) => Array(3).fill(pixels[y * SIDE + x]), canvas);
}

/**
 * Colour each pixel of a digit by a number, over the faint ink of the digit.
 * @param {Int8Array} values -127 to 127
 * @param {Uint8Array} pixels of the digit
 * @param {number} elsewhere how strong the colours are where there is no ink, 0 to 1
 * @returns {HTMLCanvasElement}
 */
export function paintSigned(values, pixels, elsewhere) {
  return paint(SIDE, SIDE, (x, y) => {
    const at = y * SIDE + x;
    const ink = pixels[at] / 255;
    const strength = (Math.abs(values[at]) / 127) * (elsewhere + (1 - elsewhere) * ink);
    const colour = values[at] < 0 ? MINUS : PLUS;
    return colour.map((channel) => 70 * ink * (1 - strength) + channel * strength);
  });
}

/**
 * Lay out what a layer gives: feature maps side by side, or units in rows.
 * @param {Uint8Array} values
 * @param {number[]} shape height, width and channels, or units
 * @returns {HTMLCanvasElement}
 */
export function paintLayer(values, shape) {
  const [height, width, channels] = shape.length === 3 ? shape : [1, 1, shape[0]];
  const columns = Math.min(channels, shape.length === 3 ? MAPS_IN_ROW : UNITS_IN_ROW);
  const rows = Math.ceil(channels / columns);
  const [stepX, stepY] = [width + 1, height + 1];
  return paint(columns * stepX - 1, rows * stepY - 1, (x, y) => {
    const map = Math.floor(y / stepY) * columns + Math.floor(x / stepX);
    if (map >= channels) return NOTHING;
    if (x % stepX === width || y % stepY === height) return GAP;
    const at = map * width * height + (y % stepY) * width + (x % stepX);
    return Array(3).fill(values[at]);
  });
}
