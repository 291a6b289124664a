/** "Look inside": what a network makes of the selected digit. */

import { paintDigit, paintLayer, paintSigned, toBytes, toSigned } from "./maps.js";
import { postDigit } from "./server.js";

/** How long a digit must stay the same before it is looked into, in milliseconds. */
const DELAY = 200;
/** How strongly softmax's weights are shown where there is no ink. */
const FAINT = 0.3;
/** Least width of a feature map and of a unit on the screen, in pixels. */
const [LEAST_MAP, LEAST_UNIT] = [40, 8];
const NO_NETWORK =
  "To look inside, train a network of single digits: python main.py --model cnn-fast";

/** @param {string} id */
const find = (id) => document.getElementById(id);

export class Inside {
  /**
   * @param {string | null} name of the network to look into; null if the section is closed
   * @param {(name: string | null) => void} onChange called when another network is chosen, or the
   *   section is opened or closed
   */
  constructor(name, onChange) {
    this.wanted = name;
    this.onChange = onChange;
    /** @type {import("./server.js").Seen | undefined} */
    this.seen = undefined;
    this.label = 0;
    /** What is shown: another request would show the same. */
    this.shown = "";
    this.request = new AbortController();
    this.details = find("inside");
    this.network = find("inside-network");
    this.details.open = name !== null;
    this.details.addEventListener("toggle", () => this.#changed());
    this.network.addEventListener("change", () => this.#changed());
    find("inside-label").addEventListener("change", () => this.#look());
  }

  /** @param {import("./server.js").Network[]} networks all that are served */
  setNetworks(networks) {
    const chosen = this.network.value || this.wanted;
    const digits = networks.filter((network) => network.reads === "digits");
    this.network.replaceChildren(...digits.map(({ name }) => new Option(name, name)));
    const best = digits.toSorted((one, other) => other.accuracy - one.accuracy)[0];
    const isThere = digits.some(({ name }) => name === chosen);
    this.network.value = isThere ? chosen : (best?.name ?? "");
    this.#look();
  }

  /**
   * @param {import("./server.js").Seen | undefined} seen the selected digit in MNIST's form
   * @param {number} label what it was read as
   */
  show(seen, label) {
    [this.seen, this.label] = [seen, label];
    this.#look();
  }

  #changed() {
    this.onChange(this.details.open ? this.network.value : null);
    this.#look();
  }

  /** Ask the server soon, unless what is shown is right. */
  #look() {
    if (!this.details.open) return;
    const { value } = find("inside-label");
    const label = value === "" ? this.label : Number(value);
    const network = this.network.value;
    const key = this.seen ? `${network} ${label} ${this.seen.pixels}` : "";
    if (key === this.shown) return;
    this.shown = key;
    clearTimeout(this.timer);
    this.request.abort();
    if (!this.seen) {
      showNothing();
      return;
    }
    this.request = new AbortController();
    const pixels = toBytes(this.seen.pixels);
    this.timer = setTimeout(() => this.#ask(pixels, network, label, this.request.signal), DELAY);
  }

  async #ask(pixels, network, label, signal) {
    try {
      const [nearest, inside] = await Promise.all([
        postDigit("nearest", {}, pixels, signal),
        network && postDigit("inside", { network, label }, pixels, signal),
      ]);
      showNearest(nearest);
      if (inside) showInside(inside, pixels);
      say(network ? "" : NO_NETWORK);
      find("inside-body").hidden = false;
      find("inside-network-body").hidden = !network;
    } catch (error) {
      if (signal.aborted) return;
      this.shown = "";
      say(error.message);
    }
  }
}

function say(text) {
  find("inside-state").textContent = text;
}

function showNothing() {
  say("Draw a digit, or select one.");
  find("inside-body").hidden = true;
}

function showInside({ label, layers, weights, evidence }, pixels) {
  const values = toSigned(evidence.values);
  const factor = Math.exp(evidence.strongest);
  const canvas = paintSigned(values, pixels, 1);
  canvas.setAttribute("aria-label", `Which pixels speak for a ${label}, and which against it`);
  find("evidence").replaceChildren(canvas);
  find("evidence-text").textContent =
    `Blue speaks for a ${label}, orange against it. Erasing the 5 × 5 pixels around the ` +
    `strongest changes its probability by a factor of ${factor.toFixed(factor < 10 ? 1 : 0)}.`;
  find("layers").replaceChildren(...layers.map(makeLayer));
  find("layers-part").hidden = !layers.length;
  find("weights-part").hidden = !weights;
  if (weights) find("weights").replaceChildren(...makeWeights(weights, pixels));
}

function makeLayer({ name, shape, values }) {
  const [height, width, channels] = shape;
  const size = shape.length === 3 ? `${channels} maps of ${height} × ${width}` : `${height} units`;
  const canvas = paintLayer(toBytes(values), shape);
  const [side, least] = shape.length === 3 ? [width, LEAST_MAP] : [1, LEAST_UNIT];
  canvas.style.width = `${canvas.width * Math.max(2, Math.ceil(least / side))}px`;
  return makeFigure(canvas, `${name}: ${size}`);
}

function makeWeights({ values, logits }, pixels) {
  const all = toSigned(values);
  const best = Math.max(...logits);
  return logits.map((logit, label) => {
    const own = all.subarray(label * pixels.length, (label + 1) * pixels.length);
    const figure = makeFigure(paintSigned(own, pixels, FAINT), `${label}: ${logit.toFixed(1)}`);
    figure.classList.toggle("is-best", logit === best);
    return figure;
  });
}

function showNearest({ digits }) {
  const figures = digits.map(({ label, difference, pixels }) =>
    makeFigure(paintDigit(toBytes(pixels)), `${label} (${difference.toFixed(2)})`),
  );
  find("nearest").replaceChildren(...figures);
}

function makeFigure(canvas, text) {
  const figure = document.createElement("figure");
  const caption = document.createElement("figcaption");
  caption.textContent = text;
  canvas.setAttribute("aria-label", text);
  figure.append(canvas, caption);
  return figure;
}
