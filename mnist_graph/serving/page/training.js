/**
 * What is asked of the server about trainings.
 *
 * @typedef {"idle" | "running" | "stopping" | "stopped" | "finished" | "failed"} State
 * @typedef {[number, number, number]} Row iteration, loss, accuracy
 * @typedef {{from: number, rows: Row[]}} Change the rows from row number `from` on
 * @typedef {{pixels: string, labels: number[], predictions: number[], evaluated: number,
 *   mistakes: number}} Batch
 * @typedef {{state: State, run?: string, iterations?: number, error?: string, history?: Change,
 *   test?: Change, digits?: Batch}} TrainingEvent
 * @typedef {{name: string, iterations: number, snapshots: number, accuracy: number | null}} Run
 * @typedef {{state: State, run?: string, recipes: {name: string, iterations: number}[],
 *   runs: Run[]}} Trainings
 * @typedef {{iteration: number, probabilities: number[]}} Snapshot
 */

import { parse } from "./server.js";

const HEADERS = { "X-Mnist-Graph": "1" };

/** @returns {Promise<Trainings>} */
export async function fetchTrainings() {
  return parse(await fetch("api/training"));
}

/**
 * @param {"start" | "stop" | "resume"} action
 * @param {Object<string, string>} parameters
 * @returns {Promise<TrainingEvent>} the state that follows
 */
export async function control(action, parameters = {}) {
  const query = new URLSearchParams(parameters);
  return parse(
    await fetch(`api/training/${action}?${query}`, { method: "POST", headers: HEADERS }),
  );
}

/**
 * @param {string} run
 * @param {Uint8Array} pixels a digit in MNIST's form
 * @returns {Promise<Snapshot[]>}
 */
export async function readSnapshots(run, pixels) {
  const query = new URLSearchParams({ run });
  const options = { method: "POST", headers: HEADERS, body: pixels };
  return parse(await fetch(`api/snapshots?${query}`, options));
}

/**
 * @param {string} base64
 * @returns {Uint8Array}
 */
export function decodePixels(base64) {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
