/** The tools beside the drawing area: pen width, eraser, undo, redo and clear. */

const ACTIONS = ["undo", "redo", "clear"];

/** @param {import("./pad.js").Pad} pad */
export function listenToTools(pad) {
  for (const name of ACTIONS) {
    document.getElementById(name).addEventListener("click", () => pad[name]());
  }
  document.getElementById("pen").addEventListener("input", (event) => {
    pad.penWidth = Number(event.target.value);
  });
  document.getElementById("eraser").addEventListener("click", (event) => {
    pad.erases = !pad.erases;
    event.currentTarget.setAttribute("aria-pressed", pad.erases);
  });
}

/**
 * Mark the tools that would do nothing. They stay focusable: the focus must not get lost.
 * @param {import("./strokes.js").Drawing} drawing
 */
export function updateTools({ past, future, strokes }) {
  const counts = [past.length, future.length, strokes.length];
  ACTIONS.forEach((name, at) => {
    document.getElementById(name).setAttribute("aria-disabled", counts[at] === 0);
  });
}
