/** Digits of the batch that is trained on, with the misclassified ones marked. */

import { paintDigit, SIDE, toBytes } from "./maps.js";

/**
 * @param {HTMLElement} parent
 * @param {HTMLElement} caption
 * @param {import("./training.js").Batch} batch
 */
export function showBatch(parent, caption, batch) {
  const { labels, predictions, evaluated, mistakes } = batch;
  const pixels = toBytes(batch.pixels);
  while (parent.childElementCount < labels.length) parent.append(makeTile());
  while (parent.childElementCount > labels.length) parent.lastElementChild.remove();
  [...parent.children].forEach((tile, at) => {
    const isWrong = labels[at] !== predictions[at];
    tile.classList.toggle("is-wrong", isWrong);
    // The label is what the picture shows; only what the network took it for is news.
    tile.lastElementChild.textContent = isWrong ? `as ${predictions[at]}` : "";
    paintDigit(pixels.subarray(at * SIDE ** 2, (at + 1) * SIDE ** 2), tile.firstElementChild);
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
  tile.append(canvas, document.createElement("span"));
  return tile;
}
