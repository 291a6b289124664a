/** What is shown, in the fragment of the address, so that a link shows the same. */

/** Longer drawings are left out, in characters: some ten digits. */
const LONGEST_DRAWING = 8000;
const DELAY = 400;

/**
 * @typedef {{tab: string, view: string, shown: string[] | null, theme: string, drawing: string,
 *   inside: string | null, run: string}}
 *   State `shown` is null if nothing was chosen, `inside` if that section is closed; `run` is
 *   looked back on
 */

/** @returns {State} */
export function readAddress() {
  const values = new URLSearchParams(location.hash.slice(1));
  const choose = (name, allowed) =>
    allowed.includes(values.get(name)) ? values.get(name) : allowed[0];
  return {
    tab: choose("tab", ["draw", "photo"]),
    view: choose("view", ["mnist", "tutorials"]),
    theme: choose("theme", ["automatic", "light", "dark"]),
    shown: values.get("networks")?.split(",").filter(Boolean) ?? null,
    drawing: values.get("drawing") ?? "",
    inside: values.get("inside"),
    run: values.get("run") ?? "",
  };
}

let timer;

/**
 * Put the state into the address, soon.
 * @param {() => State} takeState
 */
export function writeAddress(takeState) {
  clearTimeout(timer);
  timer = setTimeout(() => {
    const { tab, view, shown, theme, drawing, inside, run } = takeState();
    const values = new URLSearchParams();
    if (tab !== "draw") values.set("tab", tab);
    if (view !== "mnist") values.set("view", view);
    if (theme !== "automatic") values.set("theme", theme);
    if (shown) values.set("networks", shown.join(","));
    if (inside !== null) values.set("inside", inside);
    if (run) values.set("run", run);
    if (drawing && drawing.length <= LONGEST_DRAWING) values.set("drawing", drawing);
    const text = values.toString().replaceAll("%2C", ",").replaceAll("%2F", "/");
    history.replaceState(null, "", text ? `#${text}` : location.pathname);
  }, DELAY);
}

/** Show what another address says when only its fragment was changed, by a link or by hand. */
export function followAddress() {
  addEventListener("hashchange", () => location.reload());
}
