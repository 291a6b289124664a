/**
 * What is asked of the server.
 *
 * @typedef {[number, number, number, number]} Box left, top, right, bottom
 * @typedef {{row: number, column: number, box: Box, label: number, probability: number,
 *   sure: boolean, probabilities: number[]}} Digit `sure` as on the command line
 * @typedef {{box: Box, pixels: string, ink: Box, centre: [number, number]}} Seen
 * @typedef {{width: number, height: number, readings: Object<string, {digits: Digit[]}>,
 *   seen: Seen[]}} Reading
 * @typedef {{name: string, reads: "rows" | "digits", accuracy: number, parameters: number}} Network
 * @typedef {{id: string, label: number, read: number, time: string}} Correction a digit that is a
 *   `label` but was read as `read`
 */

/** Sent along with what changes something, or takes long. */
const HEADERS = { "X-Mnist-Graph": "1" };
/** Requests start at least this far apart, in milliseconds: fifteen a second. */
const LEAST_INTERVAL = 1000 / 15;
/** After a failure the server is asked again in this many milliseconds. */
const RETRY_AFTER = 1500;

let endPause = () => {};

/** Wait, or until `retryNow` is called. */
function pause(milliseconds) {
  return new Promise((resolve) => {
    endPause = resolve;
    setTimeout(resolve, milliseconds);
  });
}

/** Ask again at once, instead of after a pause. */
export function retryNow() {
  endPause();
}

/**
 * @param {(error: Error) => void} onError called after each failure, before another attempt
 * @returns {Promise<Network[]>}
 */
export async function fetchNetworksAtLast(onError) {
  for (;;) {
    try {
      return await fetchNetworks();
    } catch (error) {
      onError(error);
      await pause(RETRY_AFTER);
    }
  }
}

/** @returns {Promise<Network[]>} */
export async function fetchNetworks() {
  const { networks } = await fetchJson("api/networks");
  return networks;
}

/**
 * @param {Blob} picture
 * @param {string[]} names
 * @param {string} view
 * @returns {Promise<Reading>}
 */
async function readPicture(picture, names, view) {
  const query = new URLSearchParams({ networks: names.join(","), view });
  return post(`api/read?${query}`, picture);
}

/**
 * @param {string} what "inside", "nearest" or "snapshots"
 * @param {Object<string, string | number>} query
 * @param {Uint8Array} pixels of a digit in MNIST's form
 * @param {AbortSignal} [signal]
 * @returns {Promise<object>}
 */
export function postDigit(what, query, pixels, signal) {
  return post(`api/${what}?${new URLSearchParams(query)}`, pixels, signal);
}

/**
 * @param {string} address
 * @returns {Promise<object>}
 */
export async function fetchJson(address) {
  return parse(await fetch(address));
}

/**
 * @param {string} address
 * @param {BodyInit} [body]
 * @param {AbortSignal} [signal]
 * @returns {Promise<object>}
 */
export async function post(address, body, signal) {
  return parse(await fetch(address, { method: "POST", body, headers: HEADERS, signal }));
}

/** @returns {Promise<Correction[]>} the newest first */
export async function fetchCorrections() {
  const { corrections } = await fetchJson("api/corrections");
  return corrections;
}

/**
 * @param {Blob} picture
 * @param {Digit} digit that was read in it
 * @param {number} label what the digit is
 * @returns {Promise<Correction>}
 */
export async function saveCorrection(picture, digit, label) {
  const query = new URLSearchParams({ label, read: digit.label, box: digit.box.join() });
  return post(`api/corrections?${query}`, picture);
}

/** @param {Correction} correction */
export async function removeCorrection({ id }) {
  await parse(await fetch(`api/corrections/${id}`, { method: "DELETE", headers: HEADERS }));
}

/** Return the values of an answer; throw what the server refused. */
async function parse(response) {
  const values = await response.json();
  if (!response.ok) throw new RefusedError(values.error, response.status);
  return values;
}

/**
 * @param {Error} error
 * @returns {boolean} whether another attempt may succeed: no answer, or a busy server
 */
export function isTemporary(error) {
  return !(error instanceof RefusedError) || error.isBusy;
}

/**
 * @param {Error} error
 * @returns {string} what to tell the user
 */
export function explain(error) {
  return error instanceof RefusedError ? error.message : "The server does not answer";
}

/** The server answered with an error. */
class RefusedError extends Error {
  constructor(message, status) {
    super(message);
    this.isBusy = status === 429 || status === 503;
  }
}

/**
 * Reads pictures one at a time, and of those that come meanwhile only the newest.
 */
export class LatestReader {
  /**
   * @param {(reading: Reading) => void} onReading
   * @param {(error: Error) => void} onError
   * @param {(isBusy: boolean) => void} onBusy called when reading begins and ends
   */
  constructor(onReading, onError, onBusy) {
    this.onReading = onReading;
    this.onError = onError;
    this.onBusy = onBusy;
    this.wanted = null;
    this.isRunning = false;
    /** When the latest request was sent. */
    this.sent = 0;
    /** @type {Blob | null} the picture that the latest answer is about */
    this.picture = null;
    /** Answers to requests of an earlier generation are dropped. */
    this.generation = 0;
  }

  /**
   * @param {() => Promise<{picture: Blob, names: string[], view: string}>} take what to read, called
   *   when it is its turn
   */
  request(take) {
    this.wanted = { take, generation: this.generation };
    if (!this.isRunning) this.#run();
  }

  /** Drop the request that waits, and the answer that is still to come. */
  forget() {
    this.generation++;
    this.wanted = null;
  }

  async #run() {
    this.isRunning = true;
    this.onBusy(true);
    while (this.wanted) {
      const job = this.wanted;
      this.wanted = null;
      const wait = await this.#answer(job);
      const rest = Math.max(wait, this.sent + LEAST_INTERVAL - performance.now());
      if (rest > 0) await pause(rest);
    }
    this.isRunning = false;
    this.onBusy(false);
  }

  /** Ask once; return how long to wait at least. */
  async #answer(job) {
    const isCurrent = () => job.generation === this.generation;
    try {
      const { picture, names, view } = await job.take();
      this.sent = performance.now(); // not before the picture was made, which takes a while
      const reading = await readPicture(picture, names, view);
      if (!isCurrent()) return 0;
      this.picture = picture;
      this.onReading(reading);
      return 0;
    } catch (error) {
      if (!isCurrent()) return 0;
      this.onError(error);
      if (!isTemporary(error)) return 0;
      this.wanted ??= job;
      return RETRY_AFTER;
    }
  }
}
