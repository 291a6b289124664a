/** The corrections that the server has saved, as pictures that can be deleted. */

import { explain, fetchCorrections, removeCorrection } from "./server.js";

/** @typedef {import("./server.js").Correction} Correction */

export class Collection {
  /** @param {() => void} onChange called when other corrections are there */
  constructor(onChange) {
    this.onChange = onChange;
    /** @type {Correction[]} the newest first */
    this.corrections = [];
    this.section = document.getElementById("corrections");
    this.count = document.getElementById("corrections-count");
    this.state = document.getElementById("corrections-state");
    this.list = document.getElementById("corrections-list");
    this.refresh().catch(() => {}); // without an answer there is nothing to show yet
  }

  /** @param {Correction} correction */
  has({ id }) {
    return this.corrections.some((each) => each.id === id);
  }

  /** Ask the server which corrections there are, and show them. */
  async refresh() {
    this.corrections = await fetchCorrections();
    this.state.textContent = "";
    this.#show();
    this.onChange();
  }

  #show() {
    const { length } = this.corrections;
    this.section.hidden = !length;
    this.count.textContent = length === 1 ? "1 digit" : `${length} digits`;
    const shown = new Map([...this.list.children].map((item) => [item.dataset.id, item]));
    const items = this.corrections.map((each) => shown.get(each.id) ?? this.#makeItem(each));
    this.list.replaceChildren(...items);
  }

  #makeItem(correction) {
    const { id, label, read } = correction;
    const item = document.createElement("li");
    item.dataset.id = id;
    const image = document.createElement("img");
    image.src = `api/corrections/${id}.png`;
    image.alt = "";
    image.loading = "lazy";
    const text = document.createElement("span");
    text.textContent = `${label}, read as ${read}`;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "quiet";
    button.textContent = "×";
    button.title = "Delete";
    button.setAttribute("aria-label", `Delete: ${label}, read as ${read}`);
    button.addEventListener("click", () => this.#remove(correction));
    item.append(image, text, button);
    return item;
  }

  async #remove(correction) {
    const at = this.corrections.indexOf(correction);
    let text = `Deleted: ${correction.label}, read as ${correction.read}`;
    try {
      await removeCorrection(correction);
    } catch (error) {
      text = explain(error);
    }
    await this.refresh().catch(() => {});
    this.state.textContent = text;
    this.#focus(at);
  }

  /** Move the focus to the button at this place, or to the last one. */
  #focus(at) {
    const buttons = this.list.querySelectorAll("button");
    (buttons[at] ?? [...buttons].at(-1))?.focus();
  }
}
