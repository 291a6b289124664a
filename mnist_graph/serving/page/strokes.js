/**
 * A drawing as strokes, so that it can be undone, painted again and put into an address.
 *
 * @typedef {{x: number, y: number}} Point in pixels of the canvas
 * @typedef {{width: number, erases: boolean, points: Point[]}} Stroke
 */

/** Neighbouring points are at least this far apart, in pixels. */
const LEAST_STEP = 3;
/** Coordinates in an address are in this many pixels. */
const GRID = 2;

export class Drawing {
  constructor() {
    /** @type {Stroke[]} */
    this.strokes = [];
    /** @type {Stroke[]} */
    this.undone = [];
    /** @type {Stroke[]} what the last `clear` removed */
    this.cleared = [];
  }

  get isEmpty() {
    return !this.strokes.some((stroke) => !stroke.erases);
  }

  /** @param {Stroke} stroke */
  begin(stroke) {
    this.strokes.push(stroke);
    this.undone = [];
  }

  /**
   * Continue the last stroke.
   * @param {Point} point
   */
  extend(point) {
    const { points } = this.strokes[this.strokes.length - 1];
    const last = points[points.length - 1];
    if (Math.hypot(point.x - last.x, point.y - last.y) >= LEAST_STEP) points.push(point);
  }

  undo() {
    const stroke = this.strokes.pop();
    if (stroke) this.undone.push(stroke);
    else [this.strokes, this.cleared] = [this.cleared, []];
  }

  redo() {
    const stroke = this.undone.pop();
    if (stroke) this.strokes.push(stroke);
  }

  clear() {
    if (this.strokes.length) this.cleared = this.strokes;
    this.strokes = [];
    this.undone = [];
  }

  /** @param {CanvasRenderingContext2D} context */
  paint(context) {
    const { width, height } = context.canvas;
    context.fillStyle = "#fff";
    context.fillRect(0, 0, width, height);
    context.lineCap = "round";
    context.lineJoin = "round";
    for (const stroke of this.strokes) {
      context.strokeStyle = stroke.erases ? "#fff" : "#000";
      context.lineWidth = stroke.width;
      context.stroke(curve(stroke.points));
    }
  }

  /** @returns {string} the drawing as text for an address */
  encode() {
    return this.strokes
      .map(({ width, erases, points }) =>
        [width + (erases ? 100 : 0), ...points.flatMap(({ x, y }) => [x / GRID, y / GRID])]
          .map((value) => Math.min(1295, Math.max(0, Math.round(value))))
          .map((value) => value.toString(36).padStart(2, "0"))
          .join(""),
      )
      .join("-");
  }

  /**
   * Take the drawing that `encode` wrote; anything else is left out.
   * @param {string} text
   */
  decode(text) {
    this.strokes = text
      .split("-")
      .filter((part) => part.length >= 6 && /^([0-9a-z]{2})+$/.test(part))
      .map((part) => {
        const values = part.match(/../g).map((pair) => Number.parseInt(pair, 36));
        const points = [];
        for (let at = 1; at + 1 < values.length; at += 2) {
          points.push({ x: values[at] * GRID, y: values[at + 1] * GRID });
        }
        return { width: values[0] % 100, erases: values[0] >= 100, points };
      });
    this.undone = [];
  }
}

/**
 * Return a smooth curve: through the middles between points, bent towards the points.
 * @param {Point[]} points
 */
function curve(points) {
  const path = new Path2D();
  path.moveTo(points[0].x, points[0].y);
  for (let at = 1; at < points.length - 1; at++) {
    const { x, y } = points[at];
    path.quadraticCurveTo(x, y, (x + points[at + 1].x) / 2, (y + points[at + 1].y) / 2);
  }
  const last = points[points.length - 1];
  path.lineTo(last.x, last.y);
  return path;
}
