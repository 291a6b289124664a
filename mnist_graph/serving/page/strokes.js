/**
 * A drawing as strokes, so that it can be undone, painted again and put into an address.
 *
 * @typedef {{x: number, y: number}} Point in pixels of the drawing
 * @typedef {{width: number, erases: boolean, points: Point[]}} Stroke
 */

/** Pixels of a drawing: enough for a row of digits, and read in a quarter of the time of twice the
 * width and height. */
export const WIDTH = 420;
export const HEIGHT = 240;
/** Neighbouring points are at least this far apart, in pixels. */
const LEAST_STEP = 1.5;
/** Added to the width of a stroke that erases, in an address. */
const ERASES = 100;

export class Drawing {
  constructor() {
    /** @type {Stroke[]} */
    this.strokes = [];
    /** @type {Stroke[][]} the drawings before each change, the latest last */
    this.past = [];
    /** @type {Stroke[][]} the drawings that were undone, the latest last */
    this.future = [];
  }

  get isEmpty() {
    return !this.strokes.some((stroke) => !stroke.erases);
  }

  /** @param {Stroke} stroke */
  begin(stroke) {
    this.#replace([...this.strokes, stroke]);
  }

  /**
   * Continue the last stroke.
   * @param {Point} point
   */
  extend(point) {
    const { points } = this.strokes.at(-1);
    const last = points.at(-1);
    if (Math.hypot(point.x - last.x, point.y - last.y) >= LEAST_STEP) points.push(point);
  }

  /** Take back the last stroke as if it had never been begun. */
  withdraw() {
    this.strokes = this.past.pop() ?? [];
  }

  clear() {
    if (this.strokes.length) this.#replace([]);
  }

  undo() {
    if (!this.past.length) return;
    this.future.push(this.strokes);
    this.strokes = this.past.pop();
  }

  redo() {
    if (!this.future.length) return;
    this.past.push(this.strokes);
    this.strokes = this.future.pop();
  }

  #replace(strokes) {
    this.past.push(this.strokes);
    this.future = [];
    this.strokes = strokes;
  }

  /**
   * Paint the drawing so that it fills the canvas.
   * @param {CanvasRenderingContext2D} context
   */
  paint(context) {
    const { width, height } = context.canvas;
    context.setTransform(width / WIDTH, 0, 0, height / HEIGHT, 0, 0);
    context.fillStyle = "#fff";
    context.fillRect(0, 0, WIDTH, HEIGHT);
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
        [width + (erases ? ERASES : 0), ...points.flatMap(({ x, y }) => [x, y])]
          .map((value) => Math.min(1295, Math.max(0, Math.round(value))))
          .map((value) => value.toString(36).padStart(2, "0"))
          .join(""),
      )
      .join("-");
  }

  /**
   * Take the drawing that `encode` wrote; ignore anything else.
   * @param {string} text
   */
  decode(text) {
    this.strokes = text
      .split("-")
      .filter((part) => part.length >= 6 && /^([0-9a-z]{2})+$/.test(part))
      .map((part) => {
        const [width, ...values] = part.match(/../g).map((pair) => Number.parseInt(pair, 36));
        const points = [];
        for (let at = 0; at + 1 < values.length; at += 2) {
          points.push({ x: values[at], y: values[at + 1] });
        }
        return { width: Math.max(1, width % ERASES), erases: width >= ERASES, points };
      });
    this.past = this.strokes.map((_, at) => this.strokes.slice(0, at));
    this.future = [];
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
  const last = points.at(-1);
  // A line of no length would not be drawn everywhere, and a tap makes a dot.
  path.lineTo(last.x + (points.length === 1 ? 0.01 : 0), last.y);
  return path;
}
