/** Puts the parts of the page together: `Page` holds the state and shows what follows from it. */

import { followAddress, readAddress, writeAddress } from "./address.js";
import { announce } from "./announce.js";
import { describeSelected, showDigits, summarize } from "./answer.js";
import { showBars } from "./bars.js";
import { drawBoxes, drawCursor, findAt, findOverlapping } from "./boxes.js";
import { copyText } from "./clipboard.js";
import { makeChoices, showCards } from "./compare.js";
import { Inside } from "./inside.js";
import { Learn } from "./learn.js";
import { Pad } from "./pad.js";
import { listenForPhotos, Photo, toCsv, toText } from "./photo.js";
import { showSeen } from "./seen.js";
import {
  fetchNetworks,
  fetchNetworksAtLast,
  isTemporary,
  LatestReader,
  retryNow,
} from "./server.js";
import { listenToTabs, showTab } from "./tabs.js";
import { Teach } from "./teach.js";
import { applyTheme, nextTheme } from "./theme.js";
import { listenToTools, updateTools } from "./tools.js";

const LESSONS = {
  mnist:
    "The digit is scaled to 20 × 20 pixels and centred by its mass, as MNIST’s digits were: " +
    "the network sees what it was trained on.",
  tutorials:
    "The whole picture is shrunk to 28 × 28 pixels. MNIST’s digits were scaled to 20 × 20 and " +
    "centred by their mass; a shrunk picture is not, so networks often misread it.",
  none: "To compare, train a network of single digits: python main.py --model mlp",
};
/** Networks shown at first. */
const FIRST_SHOWN = 4;

/** @param {string} id */
const find = (id) => document.getElementById(id);

class Page {
  constructor() {
    this.state = readAddress();
    /** @type {import("./server.js").Network[]} */
    this.networks = [];
    /** @type {Set<string>} the names of the networks to compare */
    this.shown = new Set();
    /** @type {import("./server.js").Reading | null} */
    this.reading = null;
    /** @type {import("./server.js").Digit | undefined} */
    this.selected = undefined;
    /** @type {string | null} what is wrong with the photo that was dropped last */
    this.photoProblem = null;
    this.reader = new LatestReader(
      (reading) => this.take(reading),
      (error) => this.fail(error),
      (isBusy) => find("answer").setAttribute("aria-busy", isBusy),
    );
    this.pad = new Pad(find("pad"), {
      onChange: (hasJumped) => this.drawingChanged(hasJumped),
      onCursor: () => this.showBoxes(),
      onTap: (point) => this.selectAt(point),
    });
    this.inside = new Inside(this.state.inside, (name) => {
      this.state.inside = name;
      this.remember();
    });
    this.photo = new Photo(find("photo-image"), (problem) => this.photoChanged(problem));
    this.teach = new Teach(() => this.reader.picture);
    this.learn = new Learn(
      this.state.run,
      (run) => this.runChosen(run),
      () => this.addTrained(),
    );
  }

  async start() {
    this.listen();
    applyTheme(this.state.theme);
    showTab(this.state.tab);
    this.pad.drawing.decode(this.state.drawing);
    this.pad.drawing.paint(this.pad.context);
    updateTools(this.pad.drawing);
    this.show();
    this.networks = await fetchNetworksAtLast((error) => this.fail(error));
    this.chooseNetworks();
    this.readAgain();
    this.learn.start();
  }

  runChosen(run) {
    this.state.run = run;
    this.remember();
  }

  /** Show the network that has just been trained, too. */
  async addTrained() {
    const before = this.networks.map((network) => network.name);
    const wanted = this.state.shown ?? [...this.shown];
    this.networks = await fetchNetworks();
    const added = this.networks.map(({ name }) => name).filter((name) => !before.includes(name));
    this.state.shown = [...wanted, ...added];
    this.chooseNetworks();
    this.readAgain();
  }

  chooseNetworks() {
    const names = this.networks.map((network) => network.name);
    const wanted = this.state.shown;
    // A link may name networks that this server does not have, or none on purpose.
    const isUsable = wanted && (!wanted.length || wanted.some((name) => names.includes(name)));
    this.shown = new Set(isUsable ? wanted : names.slice(0, FIRST_SHOWN));
    makeChoices(find("choices"), this.networks, this.shown, () => {
      this.state.shown = names.filter((name) => this.shown.has(name));
      this.show();
      this.reader.forget();
      this.ask();
      this.remember();
    });
    this.inside.setNetworks(this.networks);
    if (!this.digitNetworks.length) this.state.view = "mnist";
    find("tutorials").disabled = !this.digitNetworks.length;
  }

  get digitNetworks() {
    return this.networks.filter((network) => network.reads === "digits");
  }

  /** The name of the network whose answer is shown large. */
  get main() {
    const candidates = this.state.view === "tutorials" ? this.digitNetworks : this.networks;
    return candidates[0]?.name;
  }

  get digits() {
    return this.reading?.readings[this.main]?.digits ?? [];
  }

  get isPhoto() {
    return this.state.tab === "photo";
  }

  /** Whether there is no picture to read. */
  get isEmpty() {
    return this.isPhoto ? !this.photo.file : this.pad.drawing.isEmpty;
  }

  listen() {
    followAddress();
    listenToTabs((name) => this.openTab(name));
    listenToTools(this.pad);
    find("tutorials").addEventListener("change", (event) => {
      this.state.view = event.target.checked ? "tutorials" : "mnist";
      this.readAgain();
    });
    find("theme").addEventListener("click", () => {
      this.state.theme = nextTheme(this.state.theme);
      applyTheme(this.state.theme);
      this.remember();
    });
    find("retry").addEventListener("click", retryNow);
    listenForPhotos(this.photo, [find("file"), find("camera")], () => this.openTab("photo"));
    find("photo-boxes").addEventListener("click", (event) => {
      this.selectAt(this.photo.locate(event));
    });
    find("copy-text").addEventListener("click", () => this.copy(toText));
    find("copy-csv").addEventListener("click", () => this.copy(toCsv));
  }

  openTab(name) {
    if (name === this.state.tab) return;
    this.state.tab = name;
    showTab(name);
    this.readAgain();
  }

  drawingChanged(hasJumped) {
    if (hasJumped) this.reader.forget();
    updateTools(this.pad.drawing);
    this.showBoxes();
    this.ask();
    this.remember();
  }

  photoChanged(problem) {
    this.photoProblem = problem;
    if (problem) {
      this.show();
      return;
    }
    find("photo").classList.add("has-photo");
    find("photo-paper").hidden = false;
    this.photo.fit(find("photo-paper"), find("photo-boxes"));
    this.readAgain();
  }

  /** Read what is shown from the beginning: another picture or another view. */
  readAgain() {
    this.reader.forget();
    this.reading = null;
    this.selected = undefined;
    find("tutorials").checked = this.state.view === "tutorials";
    find("lesson").textContent = LESSONS[this.digitNetworks.length ? this.state.view : "none"];
    this.show();
    this.ask();
    this.remember();
  }

  /** Ask the server to read the picture; show that there is none if it is empty. */
  ask() {
    if (!this.networks.length) return;
    if (this.isEmpty) {
      this.reader.forget();
      this.reading = null;
      this.selected = undefined;
      this.show();
      return;
    }
    const { isPhoto } = this;
    const names = this.networks.map((network) => network.name);
    this.reader.request(async () => ({
      picture: isPhoto ? this.photo.file : await this.pad.toPng(),
      names: names.filter((name) => name === this.main || this.shown.has(name)),
      view: this.state.view,
    }));
  }

  /** @param {import("./server.js").Reading} reading */
  take(reading) {
    const before = this.selected;
    const count = this.digits.length;
    this.reading = reading;
    const { digits } = this;
    this.selected = before && findOverlapping(digits, before.box);
    // While another digit is drawn, it is the one to look at.
    const isOther = !this.selected || (!this.isPhoto && digits.length !== count);
    if (isOther) this.selected = this.isPhoto ? findDoubtful(digits) : this.findNewest();
    this.show();
  }

  /** The digit that the last stroke belongs to. */
  findNewest() {
    const { points } = this.pad.drawing.strokes.at(-1) ?? { points: [] };
    const digits = points.map((point) => findAt(this.digits, point)).filter(Boolean);
    return digits.at(-1) ?? this.digits.at(-1);
  }

  fail(error) {
    const isOffline = isTemporary(error);
    this.say(isOffline ? "The server does not answer; trying again" : error.message, true);
    find("retry").hidden = !isOffline;
  }

  say(text, isUnsure = false, spoken = text) {
    find("state").textContent = text;
    find("state").classList.toggle("is-unsure", isUnsure);
    find("retry").hidden = true;
    announce(find("spoken"), spoken);
  }

  select(digit) {
    this.selected = digit;
    this.show();
  }

  /** Select the digit at a point of the picture; return whether there is one. */
  selectAt(point) {
    const digit = this.state.view === "mnist" && findAt(this.digits, point);
    if (digit) this.select(digit);
    return Boolean(digit);
  }

  show() {
    const { digits, selected, reading } = this;
    this.showState();
    showDigits(find("digits"), digits, selected, (digit) => this.select(digit));
    find("chosen").textContent = describeSelected(digits, selected);
    showBars(find("bars"), selected?.probabilities);
    const seen = selected && findOverlapping(reading.seen, selected.box);
    showSeen(find("seen"), find("seen-text"), seen);
    this.inside.show(seen, selected?.label);
    this.learn.setDigit(seen);
    find("crop").hidden = !this.isPhoto || !selected;
    if (!find("crop").hidden) this.photo.drawCrop(find("crop"), selected.box);
    find("copy").hidden = !digits.length;
    find("copied").textContent = "";
    this.teach.show(selected);
    const shown = this.networks.filter((network) => this.shown.has(network.name));
    showCards(find("cards"), shown, reading, selected);
    this.showBoxes();
  }

  /** Say what was read, or why nothing was. */
  showState() {
    if (this.isPhoto && this.photoProblem) {
      this.say(this.photoProblem, true);
    } else if (this.digits.length) {
      const { text, spoken, isUnsure } = summarize(this.digits, this.main);
      this.say(text, isUnsure, spoken);
    } else if (this.isEmpty) {
      this.say(this.isPhoto ? "No photo yet" : "Nothing drawn yet");
    } else {
      this.say(this.reading ? "No digit found" : "Reading …");
    }
  }

  showBoxes() {
    const { isPhoto, pad } = this;
    find("placeholder").hidden = pad.drawing.strokes.length > 0 || pad.cursor !== null;
    const context = find(isPhoto ? "photo-boxes" : "pad-boxes").getContext("2d");
    const scale = isPhoto ? this.photo.boxScale : pad.scale;
    const place = (digit) => ({ ...digit, box: digit.box.map((value) => value * scale) });
    const placed = this.state.view === "tutorials" ? [] : this.digits.map(place);
    drawBoxes(context, placed, placed[this.digits.indexOf(this.selected)]);
    if (!isPhoto && pad.cursor) drawCursor(context, pad);
  }

  async copy(format) {
    const isCopied = await copyText(format(this.digits));
    find("copied").textContent = isCopied ? "Copied" : "The browser does not allow copying";
  }

  remember() {
    writeAddress(() => ({ ...this.state, drawing: this.pad.drawing.encode() }));
  }
}

/** The first digit that is not sure, or else the first. */
function findDoubtful(digits) {
  return digits.find((digit) => !digit.sure) ?? digits[0];
}

new Page().start();
