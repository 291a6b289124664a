/** Networks side by side: what each reads, and its bars for the selected digit. */

import { showBars } from "./bars.js";
import { findOverlapping } from "./boxes.js";
import { toText } from "./photo.js";

/** From this many characters on a network's text is shown smaller. */
const MANY = 9;

/**
 * Make a checkbox for each network, in place of those made before.
 * @param {HTMLElement} parent
 * @param {import("./server.js").Network[]} networks
 * @param {Set<string>} shown
 * @param {() => void} onChange
 */
export function makeChoices(parent, networks, shown, onChange) {
  for (const old of parent.querySelectorAll("label")) old.remove();
  for (const { name } of networks) {
    const label = document.createElement("label");
    label.className = "check";
    const box = document.createElement("input");
    box.type = "checkbox";
    box.checked = shown.has(name);
    box.addEventListener("change", () => {
      box.checked ? shown.add(name) : shown.delete(name);
      onChange();
    });
    label.append(box, name);
    parent.append(label);
  }
}

/**
 * Show a card for each network; they are made once and then changed.
 * @param {HTMLElement} parent
 * @param {import("./server.js").Network[]} networks those to show
 * @param {import("./server.js").Reading | null} reading
 * @param {import("./server.js").Digit | undefined} selected
 */
export function showCards(parent, networks, reading, selected) {
  const described = JSON.stringify(networks);
  if (parent.dataset.networks !== described) {
    parent.replaceChildren(...networks.map(makeCard));
    parent.dataset.networks = described;
  }
  networks.forEach(({ name }, at) => {
    const [, , read, bars] = parent.children[at].children;
    const answer = reading?.readings[name];
    const digit = selected && answer && findOverlapping(answer.digits, selected.box);
    const text = answer ? toText(answer.digits) : "";
    read.classList.toggle("is-long", text.length >= MANY);
    read.textContent = reading && !answer ? "Reads whole rows, not one image" : text || "–";
    read.classList.toggle("is-note", Boolean(reading && !answer));
    showBars(bars, digit?.probabilities);
  });
}

function makeCard({ name, reads, accuracy, parameters }) {
  const card = document.createElement("article");
  card.className = "card";
  const title = document.createElement("h3");
  title.textContent = name;
  const facts = document.createElement("p");
  const share = `${(100 * accuracy).toFixed(2)} %`;
  const right = reads === "rows" ? `${share} of test rows right` : `${share} of test digits right`;
  const size = `${parameters.toLocaleString("en")} parameters`;
  for (const fact of [right, size]) {
    const line = document.createElement("span");
    line.textContent = fact;
    facts.append(line);
  }
  const read = document.createElement("p");
  read.className = "read";
  card.append(title, facts, read, document.createElement("div"));
  return card;
}
