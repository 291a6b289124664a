/** "Watch it learn": a training that is started, followed, stopped and resumed from the page. */

import { showBatch } from "./batch.js";
import { drawChart, KINDS } from "./charts.js";
import { Lookback } from "./lookback.js";
import { control, fetchTrainings } from "./training.js";

/** While training, the user's digit is read again this many milliseconds later at the earliest. */
const READ_AGAIN_AFTER = 2000;
/** After a failure the server is asked again in this many milliseconds. */
const RETRY_AFTER = 3000;

/** @param {string} id */
const find = (id) => document.getElementById(id);
const count = (number) => number.toLocaleString("en");

export class Learn {
  /**
   * @param {string} run the run to look back on, as in the address; may be empty
   * @param {(run: string) => void} onRun called when another run is chosen
   * @param {() => void} onTrained called when a training has finished
   */
  constructor(run, onRun, onTrained) {
    this.wanted = run;
    this.onRun = onRun;
    this.onTrained = onTrained;
    this.lookback = new Lookback((chosen) => {
      this.wanted = chosen;
      onRun(chosen);
    });
    /** @type {import("./training.js").TrainingEvent} */
    this.last = { state: "idle" };
    this.rows = { history: [], test: [] };
    /** @type {import("./training.js").Run[]} */
    this.runs = [];
    /** @type {EventSource | undefined} */
    this.source = undefined;
    this.readAt = 0;
    this.details = find("learn");
    this.details.open = run !== "";
    this.details.addEventListener("toggle", () => this.lookback.update());
    find("train").addEventListener("click", () => {
      this.control("start", { recipe: find("recipe").value });
    });
    find("stop").addEventListener("click", () => this.control("stop"));
    find("resume").addEventListener("click", () => {
      this.control("resume", { run: this.unfinished.name });
    });
  }

  /** Show what the server has, and follow a training that runs. */
  async start() {
    if (!(await this.refresh())) setTimeout(() => this.start(), RETRY_AFTER);
    else if (this.last.run) this.follow();
  }

  /**
   * Look back on this digit.
   * @param {import("./server.js").Seen | undefined} seen
   */
  setDigit(seen) {
    this.lookback.setDigit(seen?.pixels);
  }

  get isRunning() {
    return this.last.state === "running" || this.last.state === "stopping";
  }

  /** The run that can be resumed: the one stopped last. */
  get unfinished() {
    return this.runs.find((run) => run.accuracy === null);
  }

  /** Ask the server anew what can be trained, resumed and looked back on; return whether it said. */
  async refresh() {
    try {
      const { recipes, runs, ...state } = await fetchTrainings();
      if (!find("recipe").childElementCount) {
        find("recipe").append(...recipes.map(makeOption));
        find("recipe").value = "mlp";
      }
      this.runs = runs;
      this.last = { ...this.last, ...state };
      if (this.isRunning) this.details.open = true;
      const withSnapshots = runs.filter((run) => run.snapshots);
      this.lookback.setRuns(withSnapshots, this.wanted);
      this.show();
      return true;
    } catch (error) {
      this.say(error.message, true);
      return false;
    }
  }

  async control(action, parameters) {
    try {
      const state = await control(action, parameters);
      if (action !== "stop") this.wanted = state.run;
      this.last = { ...this.last, ...state };
      this.show();
      this.follow();
    } catch (error) {
      this.say(error.message, true);
    }
  }

  /** Open the stream of events, unless it is open. */
  follow() {
    if (this.source) return;
    this.source = new EventSource("api/training/events");
    this.source.addEventListener("message", ({ data }) => this.take(JSON.parse(data)));
    this.source.addEventListener("error", () => {
      this.say("The server does not answer; trying again", true);
      if (this.source?.readyState !== EventSource.CLOSED) return; // the browser tries again
      this.source = undefined;
      setTimeout(() => this.follow(), RETRY_AFTER);
    });
  }

  /** @param {import("./training.js").TrainingEvent} event */
  take(event) {
    const before = this.last;
    const hadRows = this.rows.history.length > 0;
    this.last = event;
    if (event.run !== before.run) this.rows = { history: [], test: [] };
    for (const name of ["history", "test"]) {
      if (event[name]) this.rows[name].splice(event[name].from, Infinity, ...event[name].rows);
    }
    if (event.digits) showBatch(find("batch"), find("batch-text"), event.digits);
    this.show();
    if (!this.isRunning) this.end(before);
    else if (!hadRows && this.rows.history.length) this.showRun();
    else this.readAgain();
  }

  /** Close the stream of a training that has ended. */
  async end(before) {
    this.source?.close();
    this.source = undefined;
    const wasRunning = before.state === "running" || before.state === "stopping";
    await this.refresh();
    this.lookback.readAgain();
    if (wasRunning && this.last.state === "finished") this.onTrained();
  }

  /** Look back on the run that has just begun to be trained. */
  async showRun() {
    await this.refresh();
    if (this.wanted) this.onRun(this.wanted);
  }

  readAgain() {
    if (this.lookback.run !== this.last.run || Date.now() < this.readAt) return;
    this.readAt = Date.now() + READ_AGAIN_AFTER;
    this.lookback.readAgain();
  }

  show() {
    const { history, test } = this.rows;
    const { state, iterations, run } = this.last;
    find("train").disabled = this.isRunning;
    find("recipe").disabled = this.isRunning;
    find("stop").hidden = !this.isRunning;
    find("stop").disabled = state === "stopping";
    find("resume").hidden = this.isRunning || !this.unfinished;
    if (this.unfinished) find("resume").textContent = `Resume ${this.unfinished.name}`;
    this.say(this.describe(), state === "failed");
    find("learn-progress").hidden = !this.isRunning && !history.length;
    find("learn-charts").hidden = !history.length;
    if (!run) return;
    const done = history.length ? history.at(-1)[0] + 1 : 0;
    find("learn-bar").max = iterations;
    find("learn-bar").value = done;
    find("learn-iteration").textContent = `Iteration ${count(done)} of ${count(iterations)}`;
    find("learn-tested").textContent = test.length ? describeTest(history, test) : "";
    for (const [name, kind] of Object.entries(KINDS)) {
      drawChart(find(`chart-${name}`), kind, history, test, iterations);
    }
  }

  describe() {
    const { state, run, error } = this.last;
    const texts = {
      idle: "",
      running: this.rows.history.length ? `Training ${run}` : `Starting ${run ?? ""} …`,
      stopping: `Stopping ${run}: saving a checkpoint …`,
      stopped: run ? `Stopped ${run}` : "Stopped before it began",
      finished: `Trained ${run}`,
      failed: `Training failed: ${error}`,
    };
    return texts[state];
  }

  /** Show the state; a screen reader says it once. */
  say(text, isUnsure = false) {
    const state = find("learn-state");
    if (state.textContent !== text) state.textContent = text;
    state.classList.toggle("is-unsure", isUnsure);
  }
}

/**
 * @param {import("./training.js").Row[]} history
 * @param {import("./training.js").Row[]} test at least one
 */
function describeTest(history, test) {
  const [iteration, , accuracy] = test.at(-1);
  const text = `Test accuracy ${(100 * accuracy).toFixed(2)} %`;
  return iteration === history.at(-1)?.[0] ? text : `${text} after iteration ${count(iteration)}`;
}

function makeOption({ name, iterations }) {
  const option = document.createElement("option");
  option.value = name;
  option.textContent = `${name} (${count(iterations)} iterations)`;
  return option;
}
