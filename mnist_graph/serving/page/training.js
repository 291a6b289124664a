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

import { fetchJson, post } from "./server.js";

/** @returns {Promise<Trainings>} */
export function fetchTrainings() {
  return fetchJson("api/training");
}

/**
 * @param {"start" | "stop" | "resume"} action
 * @param {Object<string, string>} parameters
 * @returns {Promise<TrainingEvent>} the state that follows
 */
export function control(action, parameters = {}) {
  return post(`api/training/${action}?${new URLSearchParams(parameters)}`);
}
