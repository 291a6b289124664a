/** The slider: what a network, as it was at each of its snapshots, reads in the user's digit. */

import { showBars } from "./bars.js";
import { paintDigit, SIDE, toBytes } from "./maps.js";
import { isTemporary, postDigit } from "./server.js";

/** A digit is read once it has not changed for this many milliseconds. */
const DELAY = 200;
/** After a failure the server is asked again in this many milliseconds. */
const RETRY_AFTER = 1500;

/** @param {string} id */
const find = (id) => document.getElementById(id);

export class Lookback {
  /** @param {(run: string) => void} onRun called when the user chooses a run */
  constructor(onRun) {
    /** @type {string | undefined} the name of the run */
    this.run = undefined;
    /** @type {string | undefined} the user's digit in MNIST's form, base64 */
    this.digit = undefined;
    /** @type {import("./training.js").Snapshot[]} */
    this.snapshots = [];
    /** Whether they have read another drawing: this one began after it was cleared, or unseen. */
    this.areOfAnother = false;
    this.isAsking = false;
    this.isOutdated = false;
    find("snapshot").addEventListener("input", () => this.show());
    find("snapshot-run").addEventListener("change", ({ target }) => {
      this.choose(target.value);
      onRun(target.value);
    });
  }

  /**
   * @param {import("./training.js").Run[]} runs those with snapshots
   * @param {string | undefined} wanted the run to show, if it is one of them
   */
  setRuns(runs, wanted) {
    const names = runs.map((run) => run.name);
    find("snapshot-run").replaceChildren(...runs.map(makeOption));
    this.choose([wanted, this.run, names[0]].find((name) => names.includes(name)));
    this.show();
  }

  choose(run) {
    if (run) find("snapshot-run").value = run;
    if (run === this.run) return;
    this.run = run;
    this.snapshots = [];
    this.readAgain();
  }

  /** @param {string | undefined} digit base64 */
  setDigit(digit) {
    if (digit === this.digit) return;
    this.digit = digit;
    if (!digit || !find("learn").open) this.areOfAnother = true;
    this.update();
  }

  /** Show the digit and read it, unless the section is closed. */
  update() {
    if (!find("learn").open) return;
    this.readAgain();
    this.show();
  }

  /** Read the digit soon, while the section is open, with the snapshots that there are by then. */
  readAgain() {
    this.isOutdated = true;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#read(), DELAY);
  }

  async #read() {
    if (this.isAsking) return;
    this.isAsking = true;
    while (this.isOutdated && this.run && this.digit && find("learn").open) {
      this.isOutdated = false;
      const { run, digit } = this;
      try {
        const snapshots = await postDigit("snapshots", { run }, toBytes(digit));
        if (run === this.run && digit === this.digit) this.take(snapshots);
      } catch (error) {
        find("snapshot-state").textContent = error.message;
        if (!isTemporary(error)) break;
        this.isOutdated = true;
        await new Promise((resolve) => setTimeout(resolve, RETRY_AFTER));
      }
    }
    this.isAsking = false;
  }

  /** @param {import("./training.js").Snapshot[]} snapshots */
  take(snapshots) {
    const slider = find("snapshot");
    const iteration = this.snapshots[slider.value]?.iteration;
    const wasLast = Number(slider.value) === this.snapshots.length - 1 || !this.snapshots.length;
    const at = snapshots.findIndex((snapshot) => snapshot.iteration === iteration);
    this.snapshots = snapshots;
    this.areOfAnother = false;
    slider.max = Math.max(snapshots.length - 1, 0);
    slider.value = wasLast || at < 0 ? slider.max : at;
    this.show();
  }

  show() {
    const { run, digit } = this;
    const slider = find("snapshot");
    const isRead = digit && run && !this.areOfAnother;
    const snapshot = isRead ? this.snapshots[slider.value] : undefined;
    find("lookback").hidden = !run;
    slider.disabled = !snapshot;
    paintDigit(digit ? toBytes(digit) : new Uint8Array(SIDE ** 2), find("snapshot-digit"));
    showBars(find("snapshot-bars"), snapshot?.probabilities);
    if (!snapshot) {
      find("snapshot-state").textContent = digit
        ? "Reading your digit …"
        : "Draw a digit above: the network as it was then reads it.";
      return;
    }
    const best = Math.max(...snapshot.probabilities);
    const said = `${snapshot.probabilities.indexOf(best)} (${Math.round(100 * best)} %)`;
    const text = `After iteration ${snapshot.iteration.toLocaleString("en")}: ${said}`;
    slider.setAttribute("aria-valuetext", text);
    find("snapshot-state").textContent = text;
  }
}

function makeOption({ name, accuracy }) {
  const option = document.createElement("option");
  option.value = name;
  const share = accuracy === null ? "unfinished" : `${(100 * accuracy).toFixed(2)} %`;
  option.textContent = `${name} (${share})`;
  return option;
}
