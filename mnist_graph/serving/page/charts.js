/** Line charts of a training, as SVG. */

const NAMESPACE = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT] = [360, 200];
/** Where the lines are, within the chart. */
const [LEFT, TOP, RIGHT, BOTTOM] = [48, 12, WIDTH - 14, HEIGHT - 36];

/**
 * @typedef {{title: string, value: (row: import("./training.js").Row) => number,
 *   highest: (values: number[]) => number, format: (value: number) => string}} Kind
 * @type {Object<string, Kind>}
 */
export const KINDS = {
  loss: {
    title: "Loss",
    value: (row) => row[1],
    highest: (values) => roundUp(Math.max(...values)),
    format: (value) => `${Number(value.toPrecision(2))}`,
  },
  accuracy: {
    title: "Accuracy",
    value: (row) => row[2],
    highest: () => 1,
    format: (value) => `${Math.round(100 * value)} %`,
  },
};

/** A number with one digit that is not below `value`: 3 for 2.6, 0.4 for 0.33. */
function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value || 1));
  return power * Math.ceil(value / power);
}

/**
 * Show how a training went, in place of what `svg` showed before.
 * @param {SVGElement} svg
 * @param {Kind} kind
 * @param {import("./training.js").Row[]} batches
 * @param {import("./training.js").Row[]} tests
 * @param {number} iterations where the horizontal axis ends
 */
export function drawChart(svg, kind, batches, tests, iterations) {
  const values = [...batches, ...tests].map(kind.value);
  const highest = values.length ? kind.highest(values) : 1;
  const x = (iteration) => LEFT + ((RIGHT - LEFT) * iteration) / iterations;
  const y = (value) => BOTTOM - ((BOTTOM - TOP) * value) / highest;
  const place = (row) => [x(row[0]), y(kind.value(row))].map((at) => at.toFixed(1)).join(",");
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  svg.setAttribute("aria-label", describe(kind, batches, tests));
  svg.replaceChildren(
    ...[0, highest / 2, highest].flatMap((value) => makeLevel(y(value), kind.format(value))),
    ...[0, iterations / 2, iterations].map((at) =>
      makeText(x(at), BOTTOM + 17, Math.round(at).toLocaleString("en"), anchor(at, iterations)),
    ),
    makeText((LEFT + RIGHT) / 2, HEIGHT - 3, "Iteration", "middle"),
    make("polyline", { points: batches.map(place).join(" "), class: "batches" }),
    ...tests.map((row) =>
      make("circle", { cx: x(row[0]), cy: y(kind.value(row)), r: 3.5, class: "test" }),
    ),
  );
}

const anchor = (at, iterations) => (at === 0 ? "start" : at === iterations ? "end" : "middle");

function describe(kind, batches, tests) {
  const last = (rows) => kind.format(kind.value(rows.at(-1)));
  const said = [];
  if (batches.length) said.push(`${last(batches)} at iteration ${batches.at(-1)[0]}`);
  if (tests.length) said.push(`${last(tests)} on test images`);
  return `${kind.title}: ${said.join(", ") || "nothing yet"}`;
}

function makeLevel(y, text) {
  const line = make("line", { x1: LEFT, x2: RIGHT, y1: y, y2: y });
  return [line, makeText(LEFT - 7, y + 4, text, "end")];
}

function makeText(x, y, text, textAnchor) {
  const element = make("text", { x, y, "text-anchor": textAnchor });
  element.textContent = text;
  return element;
}

function make(name, attributes) {
  const element = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}
