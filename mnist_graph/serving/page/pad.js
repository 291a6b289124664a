/** The drawing area: mouse, pen, touch and keyboard make strokes. */

import { Drawing, HEIGHT, WIDTH } from "./strokes.js";

/** How far an arrow key moves the cursor, in pixels of the drawing. */
const STEP = 5;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Pad {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {object} handlers
   * @param {(hasJumped: boolean) => void} handlers.onChange called after each change; `hasJumped`
   *   if it is not the continuation of a stroke
   * @param {() => void} handlers.onCursor called when the cursor of the keyboard has moved
   * @param {(point: import("./strokes.js").Point) => boolean} handlers.onTap called after a tap;
   *   true if it selected something, and so should not leave a dot
   */
  constructor(canvas, { onChange, onCursor, onTap }) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.drawing = new Drawing();
    /** Where the picture is painted that is read. */
    this.picture = Object.assign(document.createElement("canvas"), {
      width: WIDTH,
      height: HEIGHT,
    });
    this.onChange = onChange;
    this.onCursor = onCursor;
    this.onTap = onTap;
    this.penWidth = 11;
    this.erases = false;
    /** The cursor of the keyboard; null while the keyboard is not used to draw. */
    this.cursor = null;
    this.isDown = false;
    /** @type {import("./strokes.js").Stroke | null} the stroke that is being drawn */
    this.stroke = null;
    this.#listenToPointers();
    this.#listenToKeys();
    this.drawing.paint(this.context);
  }

  /** Do something with the drawing and paint it again. */
  change(action, hasJumped = true) {
    action(this.drawing);
    this.drawing.paint(this.context);
    this.onChange(hasJumped);
  }

  undo() {
    this.isDown = false;
    this.change((drawing) => drawing.undo());
  }

  redo() {
    this.isDown = false;
    this.change((drawing) => drawing.redo());
  }

  clear() {
    this.isDown = false;
    this.change((drawing) => drawing.clear());
  }

  /** @returns {Promise<Blob>} the drawing as a PNG file */
  toPng() {
    this.drawing.paint(this.picture.getContext("2d"));
    return new Promise((resolve) => this.picture.toBlob(resolve, "image/png"));
  }

  #listenToPointers() {
    const { canvas } = this;
    canvas.addEventListener("pointerdown", (event) => {
      if (!event.isPrimary || event.button !== 0) return;
      canvas.setPointerCapture(event.pointerId);
      this.cursor = null;
      this.isDown = false;
      this.#begin(this.#locate(event));
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!event.isPrimary || !canvas.hasPointerCapture(event.pointerId)) return;
      const events = event.getCoalescedEvents?.() ?? [];
      const points = (events.length ? events : [event]).map((each) => this.#locate(each));
      this.#extend(points);
    });
    canvas.addEventListener("pointerup", (event) => {
      if (event.isPrimary && canvas.hasPointerCapture(event.pointerId)) this.#endTap();
    });
  }

  #listenToKeys() {
    const { canvas } = this;
    canvas.addEventListener("keydown", (event) => this.#press(event));
    canvas.addEventListener("focus", () => {
      if (!canvas.matches(":focus-visible")) return;
      this.cursor ??= this.#middle();
      this.onCursor();
    });
    canvas.addEventListener("blur", () => {
      this.cursor = null;
      this.isDown = false;
      this.onCursor();
    });
  }

  #begin(point) {
    this.stroke = { width: this.penWidth, erases: this.erases, points: [point] };
    this.change((drawing) => drawing.begin(this.stroke), false);
  }

  /** Continue the stroke that was begun, unless it was undone meanwhile. */
  #extend(points) {
    if (this.drawing.strokes.at(-1) !== this.stroke) return;
    this.change((drawing) => {
      for (const point of points) drawing.extend(point);
    }, false);
  }

  /** A stroke of one point may be meant to select the digit there. */
  #endTap() {
    const { stroke } = this;
    if (this.drawing.strokes.at(-1) !== stroke) return;
    if (stroke.erases || stroke.points.length > 1 || !this.onTap(stroke.points[0])) return;
    this.change((drawing) => drawing.withdraw());
  }

  /** Pixels of the canvas in one of the drawing. */
  get scale() {
    return this.canvas.width / WIDTH;
  }

  /** @returns {import("./strokes.js").Point} where an event is on the drawing */
  #locate({ clientX, clientY }) {
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    return {
      x: ((clientX - left) * WIDTH) / width,
      y: ((clientY - top) * HEIGHT) / height,
    };
  }

  #press(event) {
    const { key } = event;
    if (event.ctrlKey || event.metaKey) {
      if (key.toLowerCase() !== "z") return;
      event.shiftKey ? this.redo() : this.undo();
    } else if (key in ARROWS) {
      this.#move(...ARROWS[key]);
    } else if (key === " ") {
      this.cursor ??= this.#middle();
      this.isDown = !this.isDown;
      if (this.isDown) this.#begin({ ...this.cursor });
      else this.onCursor();
    } else if (key === "Escape") {
      this.clear();
    } else {
      return;
    }
    event.preventDefault();
  }

  #move(right, down) {
    const from = this.cursor ?? this.#middle();
    this.cursor = {
      x: Math.min(WIDTH, Math.max(0, from.x + STEP * right)),
      y: Math.min(HEIGHT, Math.max(0, from.y + STEP * down)),
    };
    if (this.isDown) this.#extend([{ ...this.cursor }]);
    else this.onCursor();
  }

  #middle() {
    return { x: WIDTH / 2, y: HEIGHT / 2 };
  }
}
