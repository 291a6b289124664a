/** Ten bars of probability. */

/**
 * Show probabilities in `parent`, whose bars are made once and then changed.
 * @param {HTMLElement} parent
 * @param {number[] | undefined} probabilities
 */
export function showBars(parent, probabilities) {
  if (!parent.childElementCount) {
    parent.className = "bars";
    parent.setAttribute("role", "img");
    parent.append(...Array.from({ length: 10 }, makeBar));
  }
  const values = probabilities ?? Array(10).fill(0);
  const best = Math.max(...values);
  parent.setAttribute("aria-label", describe(values));
  [...parent.children].forEach((bar, label) => {
    const value = values[label];
    bar.classList.toggle("is-best", value > 0 && value === best);
    bar.querySelector(".fill").style.width = `${100 * value}%`;
    // Ten times "0 %" would hide the few numbers that matter.
    bar.lastElementChild.textContent = value < 0.005 ? "" : `${Math.round(100 * value)} %`;
  });
}

function makeBar(_, label) {
  const bar = document.createElement("div");
  bar.className = "bar";
  const name = document.createElement("span");
  name.textContent = label;
  const track = document.createElement("div");
  track.className = "track";
  const fill = document.createElement("div");
  fill.className = "fill";
  track.append(fill);
  bar.append(name, track, document.createElement("span"));
  return bar;
}

function describe(values) {
  const named = values
    .map((value, label) => ({ value, label }))
    .filter(({ value }) => value >= 0.01)
    .sort((one, other) => other.value - one.value)
    .map(({ value, label }) => `${label}: ${Math.round(100 * value)} percent`);
  return named.length ? `Probabilities: ${named.join(", ")}` : "No probabilities";
}
