/** Tabs, by mouse and by arrow keys. */

const NAMES = ["draw", "photo"];

/** @param {string} name */
const findTab = (name) => document.getElementById(`tab-${name}`);

/** @param {(name: string) => void} onSelect */
export function listenToTabs(onSelect) {
  for (const name of NAMES) {
    const tab = findTab(name);
    tab.addEventListener("click", () => onSelect(name));
    tab.addEventListener("keydown", ({ key }) => {
      if (key !== "ArrowLeft" && key !== "ArrowRight") return;
      const other = NAMES[1 - NAMES.indexOf(name)];
      onSelect(other);
      findTab(other).focus();
    });
  }
}

/** @param {string} name the tab to show */
export function showTab(name) {
  for (const each of NAMES) {
    const isShown = each === name;
    document.getElementById(each).hidden = !isShown;
    findTab(each).setAttribute("aria-selected", isShown);
    findTab(each).tabIndex = isShown ? 0 : -1;
  }
}
