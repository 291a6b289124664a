/** What a screen reader says of the answer: only once it has settled, not while a digit is drawn. */

/** An answer has settled after this many milliseconds. */
const SETTLED_AFTER = 800;

let timer;

/**
 * @param {HTMLElement} region a live region
 * @param {string} text
 */
export function announce(region, text) {
  clearTimeout(timer);
  timer = setTimeout(() => {
    if (region.textContent !== text) region.textContent = text;
  }, SETTLED_AFTER);
}
