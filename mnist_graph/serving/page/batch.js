/** Digits of the batch that is trained on, with the misclassified ones marked. */

import { decodePixels } from "./training.js";

/** Width and height of a digit in MNIST's form. */
export const SIDE = 28;

/**
 * @param {HTMLElement} parent
 * @param {HTMLElement} caption
 * @param {import("./training.js").Batch} batch
 */
export function showBatch(parent, caption, batch) {
  const { labels, predictions, evaluated, mistakes } = batch;
  const pixels = decodePixels(batch.pixels);
  while (parent.childElementCount < labels.length) parent.append(makeTile());
  while (parent.childElementCount > labels.length) parent.lastElementChild.remove();
  [...parent.children].forEach((tile, at) => {
    const isWrong = labels[at] !== predictions[at];
    tile.classList.toggle("is-wrong", isWrong);
    // The label is what the picture shows; only what the network took it for is news.
    tile.lastElementChild.textContent = isWrong ? `as ${predictions[at]}` : "";
    paint(tile.firstElementChild, pixels.subarray(at * SIDE ** 2, (at + 1) * SIDE ** 2));
  });
  caption.textContent = `Batch: ${mistakes} of ${evaluated} misclassified`;
  const wrong = labels
    .map((label, at) => ({ label, prediction: predictions[at] }))
    .filter(({ label, prediction }) => label !== prediction)
    .map(({ label, prediction }) => `${label} as ${prediction}`);
  const said = wrong.length ? `Misclassified: ${wrong.join(", ")}` : "None is misclassified";
  parent.setAttribute("aria-label", `${labels.length} digits of the last batch. ${said}`);
}

function makeTile() {
  const tile = document.createElement("div");
  const canvas = document.createElement("canvas");
  canvas.width = SIDE;
  canvas.height = SIDE;
  tile.append(canvas, document.createElement("span"));
  return tile;
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {Uint8Array} pixels
 */
export function paint(canvas, pixels) {
  const context = canvas.getContext("2d");
  const image = context.createImageData(SIDE, SIDE);
  pixels.forEach((value, at) => {
    image.data.set([value, value, value, 255], 4 * at);
  });
  context.putImageData(image, 0, 0);
}
