/** Puts the parts of the page together. Open `Page` to see what follows on what. */

import { readAddress, writeAddress } from "./address.js";
import { describe, showDigits, summarize } from "./answer.js";
import { showBars } from "./bars.js";
import { drawBoxes, findOverlapping } from "./boxes.js";
import { makeChoices, showCards } from "./compare.js";
import { Pad } from "./pad.js";
import { listenForPhotos, Photo, toCsv, toText } from "./photo.js";
import { showSeen } from "./seen.js";
import { fetchNetworks, LatestReader } from "./server.js";

const LESSONS = {
  mnist:
    "The digit is scaled to 20 x 20 pixels and centred by its mass, as MNIST's digits were: " +
    "the network sees what it was trained on.",
  tutorials:
    "The whole picture is shrunk to 28 x 28 pixels, as the tutorials do. MNIST's digits fill " +
    "20 x 20 pixels and are centred by their mass; this one is not, so it is often misread.",
  none: "To compare, train a network of single digits: python main.py --model mlp",
};
const THEMES = ["automatic", "light", "dark"];
/** Boxes are drawn at this many pixels, at least, along the longer side of a photo. */
const BOXES_SIDE = 1000;
/** Networks shown at first. */
const FIRST_SHOWN = 4;

/** @param {string} id */
const find = (id) => document.getElementById(id);

class Page {
  constructor() {
    this.state = readAddress();
    /** @type {import("./server.js").Network[]} */
    this.networks = [];
    /** @type {import("./server.js").Reading | null} */
    this.reading = null;
    /** @type {import("./server.js").Digit | undefined} */
    this.selected = undefined;
    this.reader = new LatestReader(
      (reading) => this.take(reading),
      (error, willRetry) => this.fail(error, willRetry),
    );
    this.pad = new Pad(find("pad"), (hasJumped) => this.drawingChanged(hasJumped));
    /** Pixels of the boxes' canvas per pixel of the photo's. */
    this.finer = 1;
    this.photo = new Photo(find("photo-image"), (problem) => this.photoChanged(problem));
  }

  async start() {
    this.listen();
    this.applyTheme();
    this.pad.drawing.decode(this.state.drawing);
    this.pad.drawing.paint(this.pad.context);
    await this.loadNetworks();
    this.showTab(this.state.tab);
  }

  async loadNetworks() {
    try {
      this.networks = await fetchNetworks();
    } catch {
      this.say("The server does not answer; trying again", true);
      await new Promise((resolve) => setTimeout(resolve, 1500));
      return this.loadNetworks();
    }
    const names = this.networks.map((network) => network.name);
    const wanted = this.state.shown?.filter((name) => names.includes(name));
    this.shown = new Set(wanted ?? names.slice(0, FIRST_SHOWN));
    makeChoices(find("choices"), this.networks, this.shown, () => {
      this.state.shown = names.filter((name) => this.shown.has(name));
      this.readAgain();
    });
    find("tutorials").disabled = !this.digitNetworks.length;
  }

  get digitNetworks() {
    return this.networks.filter((network) => network.reads === "digits");
  }

  /** The network whose answer is shown large. */
  get main() {
    const candidates = this.state.view === "tutorials" ? this.digitNetworks : this.networks;
    return candidates[0]?.name;
  }

  listen() {
    const { pad } = this;
    for (const name of ["draw", "photo"]) {
      find(`tab-${name}`).addEventListener("click", () => this.showTab(name));
    }
    for (const name of ["undo", "redo", "clear"]) {
      find(name).addEventListener("click", () => pad[name]());
    }
    find("pen").addEventListener("input", (event) => {
      pad.penWidth = Number(event.target.value);
    });
    find("eraser").addEventListener("click", (event) => {
      pad.erases = !pad.erases;
      event.currentTarget.setAttribute("aria-pressed", pad.erases);
    });
    find("tutorials").addEventListener("change", (event) => {
      this.state.view = event.target.checked ? "tutorials" : "mnist";
      this.readAgain();
    });
    find("theme").addEventListener("click", () => {
      this.state.theme = THEMES[(THEMES.indexOf(this.state.theme) + 1) % THEMES.length];
      this.applyTheme();
      this.remember();
    });
    listenForPhotos(this.photo, [find("file"), find("camera")], () => this.showTab("photo"));
    find("photo-boxes").addEventListener("click", (event) => this.clickBox(event));
    find("copy-text").addEventListener("click", () => this.copy(toText));
    find("copy-csv").addEventListener("click", () => this.copy(toCsv));
  }

  applyTheme() {
    document.documentElement.dataset.theme = this.state.theme;
    find("theme").textContent = `Theme: ${this.state.theme}`;
  }

  showTab(name) {
    this.state.tab = name;
    for (const each of ["draw", "photo"]) {
      find(each).hidden = each !== name;
      find(`tab-${each}`).setAttribute("aria-selected", each === name);
    }
    this.readAgain();
  }

  get digits() {
    return this.reading?.readings[this.main]?.digits ?? [];
  }

  drawingChanged(hasJumped) {
    if (hasJumped) this.reader.forget();
    this.showBoxes();
    if (this.networks.length) this.ask();
    this.remember();
  }

  photoChanged(problem) {
    if (problem) {
      this.say(problem, true);
      return;
    }
    find("photo-paper").hidden = false;
    const { width, height } = this.photo.canvas;
    // Boxes over a small photo need finer lines than its pixels.
    this.finer = Math.max(1, BOXES_SIDE / Math.max(width, height));
    const over = find("photo-boxes");
    [over.width, over.height] = [width, height].map((side) => Math.round(side * this.finer));
    this.reading = null;
    this.readAgain();
  }

  /** Read what is shown from the beginning: another picture, view or choice of networks. */
  readAgain() {
    this.reader.forget();
    this.reading = null;
    this.selected = undefined;
    find("tutorials").checked = this.state.view === "tutorials";
    find("lesson").textContent = LESSONS[this.digitNetworks.length ? this.state.view : "none"];
    this.ask();
    this.remember();
  }

  ask() {
    const isPhoto = this.state.tab === "photo";
    if (isPhoto ? !this.photo.file : this.pad.drawing.isEmpty) {
      this.reader.forget();
      this.reading = null;
      this.selected = undefined;
      this.show();
      return;
    }
    this.reader.request(async () => ({
      picture: isPhoto ? this.photo.file : await this.pad.toPng(),
      names: [...new Set([this.main, ...this.shown])],
      view: this.state.view,
    }));
  }

  /** @param {import("./server.js").Reading} reading */
  take(reading) {
    const before = this.selected;
    this.reading = reading;
    this.selected = (before && findOverlapping(this.digits, before.box)) ?? this.digits.at(-1);
    // While another digit is drawn, it is the one to look at.
    if (this.state.tab === "draw" && this.digits.length !== this.count) {
      this.selected = this.digits.at(-1);
    }
    this.count = this.digits.length;
    this.show();
  }

  fail(error, willRetry) {
    this.say(willRetry ? "The server does not answer; trying again" : error.message, true);
  }

  say(text, isUnsure = false) {
    const state = find("state");
    if (state.textContent !== text) state.textContent = text;
    state.classList.toggle("is-unsure", isUnsure);
  }

  select(digit) {
    this.selected = digit;
    this.show();
  }

  show() {
    const { digits, selected, reading } = this;
    if (digits.length) {
      const { text, isUnsure } = summarize(digits);
      this.say(text, isUnsure);
    } else if (reading) {
      this.say("No digit found");
    } else {
      const isPhoto = this.state.tab === "photo";
      this.say(isPhoto ? (this.photo.file ? "Reading" : "No photo yet") : "Nothing drawn yet");
    }
    showDigits(find("digits"), digits, selected, (digit) => this.select(digit));
    find("detail").hidden = !selected;
    find("copy").hidden = !digits.length;
    find("copied").textContent = "";
    if (selected) this.showDetail();
    const shown = this.networks.filter((network) => this.shown?.has(network.name));
    showCards(find("cards"), shown, reading, selected);
    this.showBoxes();
  }

  showDetail() {
    const { selected, reading, state } = this;
    showBars(find("bars"), selected.probabilities);
    const seen = findOverlapping(reading.seen, selected.box);
    showSeen(find("seen"), find("seen-text"), seen);
    const crop = find("crop");
    crop.hidden = state.tab !== "photo";
    if (!crop.hidden) {
      this.photo.drawCrop(crop, selected.box);
      find("seen-text").prepend(`${describe(selected)}. `);
    }
  }

  showBoxes() {
    const isPhoto = this.state.tab === "photo";
    const context = find(isPhoto ? "photo-boxes" : "pad-boxes").getContext("2d");
    const scale = isPhoto ? this.photo.scale * this.finer : 1;
    const place = (digit) => ({ ...digit, box: digit.box.map((value) => value * scale) });
    const placed = this.state.view === "tutorials" ? [] : this.digits.map(place);
    drawBoxes(context, placed, placed[this.digits.indexOf(this.selected)]);
    if (!isPhoto && this.pad.cursor) drawCursor(context, this.pad);
  }

  clickBox(event) {
    const canvas = event.currentTarget;
    const { left, top, width } = canvas.getBoundingClientRect();
    const unit = canvas.width / width / (this.photo.scale * this.finer);
    const x = (event.clientX - left) * unit;
    const y = (event.clientY - top) * unit;
    const digit = this.digits.find(
      ({ box }) => x >= box[0] && y >= box[1] && x <= box[2] && y <= box[3],
    );
    if (digit) this.select(digit);
  }

  async copy(format) {
    try {
      await navigator.clipboard.writeText(format(this.digits));
      find("copied").textContent = "Copied";
    } catch {
      find("copied").textContent = "The browser does not allow copying";
    }
  }

  remember() {
    writeAddress(() => ({ ...this.state, drawing: this.pad.drawing.encode() }));
  }
}

function drawCursor(context, { cursor, isDown, penWidth }) {
  context.lineWidth = 2;
  context.strokeStyle = isDown ? "#0b5fa5" : "#a3480a";
  context.beginPath();
  context.arc(cursor.x, cursor.y, penWidth / 2 + 2, 0, 2 * Math.PI);
  context.stroke();
}

new Page().start();
