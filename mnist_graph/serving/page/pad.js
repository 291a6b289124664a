/** The drawing area: mouse, pen, touch and keyboard make strokes. */

import { Drawing } from "./strokes.js";

/** How far an arrow key moves the cursor, in pixels of the canvas. */
const STEP = 10;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Pad {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {(hasJumped: boolean) => void} onChange called after each change; `hasJumped` if it is
   *   not the continuation of a stroke
   */
  constructor(canvas, onChange) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.drawing = new Drawing();
    this.onChange = onChange;
    this.penWidth = 22;
    this.erases = false;
    /** The cursor of the keyboard; null until an arrow is pressed. */
    this.cursor = null;
    this.isDown = false;
    this.#listen();
    this.drawing.paint(this.context);
  }

  /** Do something with the drawing and paint it again. */
  change(action, hasJumped = true) {
    action(this.drawing);
    this.drawing.paint(this.context);
    this.onChange(hasJumped);
  }

  undo() {
    this.change((drawing) => drawing.undo());
  }

  redo() {
    this.change((drawing) => drawing.redo());
  }

  clear() {
    this.isDown = false;
    this.change((drawing) => drawing.clear());
  }

  /** @returns {Promise<Blob>} the drawing as a PNG file */
  toPng() {
    return new Promise((resolve) => this.canvas.toBlob(resolve, "image/png"));
  }

  #listen() {
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
      this.change((drawing) => {
        for (const point of points) drawing.extend(point);
      }, false);
    });
    canvas.addEventListener("keydown", (event) => this.#press(event));
    canvas.addEventListener("blur", () => {
      this.isDown = false;
    });
  }

  #begin(point) {
    const stroke = { width: this.penWidth, erases: this.erases, points: [point] };
    this.change((drawing) => drawing.begin(stroke), false);
  }

  /** @returns {import("./strokes.js").Point} where an event is on the canvas */
  #locate({ clientX, clientY }) {
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    return {
      x: ((clientX - left) * this.canvas.width) / width,
      y: ((clientY - top) * this.canvas.height) / height,
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
      else this.onChange(false);
    } else if (key === "Escape") {
      this.clear();
    } else {
      return;
    }
    event.preventDefault();
  }

  #move(right, down) {
    const { width, height } = this.canvas;
    const from = this.cursor ?? this.#middle();
    this.cursor = {
      x: Math.min(width, Math.max(0, from.x + STEP * right)),
      y: Math.min(height, Math.max(0, from.y + STEP * down)),
    };
    if (this.isDown) this.change((drawing) => drawing.extend({ ...this.cursor }), false);
    else this.onChange(false);
  }

  #middle() {
    return { x: this.canvas.width / 2, y: this.canvas.height / 2 };
  }
}
