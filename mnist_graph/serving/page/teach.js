/** "Wrong? It is a …": ten buttons that save the selected digit as a correction. */

import { Collection } from "./corrections.js";
import { explain, removeCorrection, saveCorrection } from "./server.js";

/** @typedef {import("./server.js").Digit} Digit */

/** @param {number} label */
const withArticle = (label) => `${label === 8 ? "an" : "a"} ${label}`;

export class Teach {
  /** @param {() => Blob} getPicture returns the picture in which the selected digit was read */
  constructor(getPicture) {
    this.getPicture = getPicture;
    /** @type {Digit | undefined} */
    this.digit = undefined;
    /** @type {WeakMap<Digit, import("./server.js").Correction>} what was saved for a digit */
    this.saved = new WeakMap();
    this.problem = "";
    this.isSaving = false;
    this.collection = new Collection(() => this.#update());
    this.element = document.getElementById("teach");
    this.state = document.getElementById("teach-state");
    this.buttons = Array.from({ length: 10 }, (_, label) => this.#makeButton(label));
    document.getElementById("teach-labels").append(...this.buttons);
    this.#update();
  }

  /** @param {Digit | undefined} digit the one that is selected */
  show(digit) {
    if (digit !== this.digit) this.problem = "";
    this.digit = digit;
    this.#update();
  }

  #makeButton(label) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = label;
    button.setAttribute("aria-label", `It is ${withArticle(label)}`);
    button.addEventListener("click", () => this.#save(label));
    return button;
  }

  /** What was saved for the selected digit, unless it was deleted since. */
  get #current() {
    const saved = this.digit && this.saved.get(this.digit);
    return saved && this.collection.has(saved) ? saved : undefined;
  }

  async #save(label) {
    const digit = this.digit;
    const before = this.#current;
    if (!digit || this.isSaving || label === digit.label || label === before?.label) return;
    this.isSaving = true;
    this.problem = "";
    try {
      this.saved.set(digit, await saveCorrection(this.getPicture(), digit, label));
      if (before) await removeCorrection(before);
      await this.collection.refresh();
    } catch (error) {
      this.problem = explain(error);
    }
    this.isSaving = false;
    this.#update();
  }

  #update() {
    // Its place is kept, so that nothing below moves when a digit appears.
    this.element.classList.toggle("is-absent", !this.digit);
    const saved = this.#current;
    this.buttons.forEach((button, label) => {
      button.setAttribute("aria-pressed", label === saved?.label);
      button.setAttribute("aria-disabled", label === this.digit?.label);
    });
    const text = this.problem || (saved ? `Saved as ${withArticle(saved.label)}` : "");
    this.state.classList.toggle("is-unsure", Boolean(this.problem));
    if (this.state.textContent !== text) this.state.textContent = text;
  }
}
