/** The answer: the digits that were read, as buttons, and what there is to say about them. */

import { toRows } from "./photo.js";

/** From this many digits on they are shown smaller. */
const MANY = 9;

/**
 * Show digits as buttons, a line for each row.
 * @param {HTMLElement} parent
 * @param {import("./server.js").Digit[]} digits
 * @param {import("./server.js").Digit | undefined} selected
 * @param {(digit: import("./server.js").Digit) => void} onSelect
 */
export function showDigits(parent, digits, selected, onSelect) {
  const focused = [...parent.querySelectorAll("button")].indexOf(document.activeElement);
  parent.classList.toggle("is-long", digits.length >= MANY);
  const rows = toRows(digits).map((row) => {
    const line = document.createElement("div");
    line.append(...row.map((digit) => makeButton(digit, digit === selected, onSelect)));
    return line;
  });
  parent.replaceChildren(...rows);
  if (focused >= 0) parent.querySelectorAll("button")[focused]?.focus();
}

function makeButton(digit, isSelected, onSelect) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = digit.label;
  button.classList.toggle("is-unsure", !digit.sure);
  button.setAttribute("aria-pressed", isSelected);
  button.setAttribute("aria-label", describe(digit));
  button.addEventListener("click", () => onSelect(digit));
  return button;
}

/**
 * @param {import("./server.js").Digit[]} digits at least one
 * @param {string} network the name of the network that read them
 * @returns {{text: string, spoken: string, isUnsure: boolean}} what is shown above the digits, and
 *   what a screen reader says
 */
export function summarize(digits, network) {
  const labels = toRows(digits)
    .map((row) => row.map((digit) => digit.label).join(" "))
    .join(", ");
  const unsure = digits.filter((digit) => !digit.sure);
  if (!unsure.length) {
    return { text: `Read by ${network}`, spoken: `Read: ${labels}`, isUnsure: false };
  }
  const text = digits.length > 1 ? `Not sure of ${unsure.length} of ${digits.length}` : "Not sure";
  return { text, spoken: `${text}: ${labels}`, isUnsure: true };
}

/**
 * @param {import("./server.js").Digit} digit
 * @returns {string} the digit and the second most probable one
 */
export function describe(digit) {
  const percent = (label) => `${label} (${Math.round(100 * digit.probabilities[label])} %)`;
  const second = digit.probabilities
    .map((_, label) => label)
    .filter((label) => label !== digit.label)
    .reduce((one, other) => (digit.probabilities[other] > digit.probabilities[one] ? other : one));
  return digit.probabilities[second] < 0.01
    ? percent(digit.label)
    : `${percent(digit.label)}, or else ${percent(second)}`;
}

/**
 * @param {import("./server.js").Digit[]} digits
 * @param {import("./server.js").Digit | undefined} selected
 * @returns {string} the line above the bars
 */
export function describeSelected(digits, selected) {
  if (!selected) return "";
  const place =
    digits.length > 1 ? `Digit ${digits.indexOf(selected) + 1} of ${digits.length}: ` : "";
  return place + describe(selected);
}
