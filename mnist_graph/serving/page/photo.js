/** A photo from a file, the clipboard or the camera, and what was read in it as text. */

const MAX_BYTES = 20 * 2 ** 20;
/** The photo is shown in at most this many pixels along its longer side. */
const SHOWN_SIDE = 1600;
/** Boxes are drawn at this many pixels, at least, along the longer side of the photo. */
const BOXES_SIDE = 1000;
/** A smaller photo, in pixels along its longer side, is enlarged with crisp pixels. */
const SMALL_SIDE = 200;

export class Photo {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {(problem: string | null) => void} onChange called when another photo is there, or
   *   with what is wrong with it
   */
  constructor(canvas, onChange) {
    this.canvas = canvas;
    this.onChange = onChange;
    /** @type {Blob | null} */
    this.file = null;
    /** Pixels of the canvas per pixel of the photo. */
    this.scale = 1;
    /** Pixels of the boxes' canvas per pixel of the photo. */
    this.boxScale = 1;
    /** How many files were taken; only the latest is shown. */
    this.taken = 0;
  }

  /** @param {Blob} file */
  async take(file) {
    const taken = ++this.taken;
    if (file.size > MAX_BYTES) {
      this.onChange(`This file has ${Math.ceil(file.size / 2 ** 20)} MB; at most 20 are read`);
      return;
    }
    let bitmap;
    try {
      bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
    } catch {
      if (taken === this.taken) this.onChange("The browser cannot show this file as a picture");
      return;
    }
    if (taken !== this.taken) return;
    this.file = file;
    this.#paint(bitmap);
    this.onChange(null);
  }

  #paint(bitmap) {
    this.scale = Math.min(1, SHOWN_SIDE / Math.max(bitmap.width, bitmap.height));
    this.canvas.width = Math.max(1, Math.round(bitmap.width * this.scale));
    this.canvas.height = Math.max(1, Math.round(bitmap.height * this.scale));
    const context = this.canvas.getContext("2d");
    context.fillStyle = "#fff";
    context.fillRect(0, 0, this.canvas.width, this.canvas.height);
    context.drawImage(bitmap, 0, 0, this.canvas.width, this.canvas.height);
    bitmap.close();
  }

  /**
   * Fit the paper and the canvas for boxes to the photo.
   * @param {HTMLElement} paper
   * @param {HTMLCanvasElement} boxes
   */
  fit(paper, boxes) {
    const { width, height } = this.canvas;
    const longer = Math.max(width, height);
    // The lines over a small photo are finer than its pixels.
    const finer = Math.max(1, BOXES_SIDE / longer);
    this.boxes = boxes;
    this.boxScale = this.scale * finer;
    [boxes.width, boxes.height] = [width, height].map((side) => Math.round(side * finer));
    paper.style.maxWidth = `calc(70vh * ${width / height})`;
    this.canvas.classList.toggle("is-small", longer <= SMALL_SIDE);
  }

  /**
   * @param {MouseEvent} event on the canvas for boxes
   * @returns {import("./strokes.js").Point} where it is, in pixels of the photo
   */
  locate({ clientX, clientY }) {
    const { left, top, width } = this.boxes.getBoundingClientRect();
    const unit = this.boxes.width / width / this.boxScale;
    return { x: (clientX - left) * unit, y: (clientY - top) * unit };
  }

  /**
   * Draw the part of the photo in `box`, in the photo's pixels, into another canvas.
   * @param {HTMLCanvasElement} target
   * @param {import("./server.js").Box} box
   */
  drawCrop(target, box) {
    const [left, top, right, bottom] = box.map((value) => value * this.scale);
    const side = 1.2 * Math.max(right - left, bottom - top, 1);
    const context = target.getContext("2d");
    context.fillStyle = "#fff";
    context.fillRect(0, 0, target.width, target.height);
    const x = (left + right - side) / 2;
    const y = (top + bottom - side) / 2;
    context.drawImage(this.canvas, x, y, side, side, 0, 0, target.width, target.height);
  }
}

/**
 * Take photos from files that are chosen, dropped anywhere on the page, or pasted.
 * @param {Photo} photo
 * @param {HTMLInputElement[]} inputs
 * @param {() => void} onTaken called when one arrives
 */
export function listenForPhotos(photo, inputs, onTaken) {
  const take = (files) => {
    const file = [...files].find((each) => each.type.startsWith("image/")) ?? files[0];
    if (!file) return;
    onTaken(); // first, so that what is wrong with the file is said afterwards
    photo.take(file);
  };
  for (const input of inputs) {
    input.addEventListener("change", () => {
      take(input.files);
      input.value = ""; // so that the same file can be chosen again
    });
  }
  document.addEventListener("paste", (event) => take(event.clipboardData?.files ?? []));
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    if (event.dataTransfer?.types.includes("Files")) document.body.classList.add("is-dropping");
  });
  document.addEventListener("dragleave", (event) => {
    // Without a related target the pointer has left the window, not just an element.
    if (!event.relatedTarget) document.body.classList.remove("is-dropping");
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("is-dropping");
    take(event.dataTransfer?.files ?? []);
  });
}

/**
 * @param {import("./server.js").Digit[]} digits
 * @returns {string} a line for each row
 */
export function toText(digits) {
  return toRows(digits)
    .map((row) => row.map((digit) => digit.label).join(""))
    .join("\n");
}

/**
 * @param {import("./server.js").Digit[]} digits
 * @returns {string} the columns of --csv, without file and page
 */
export function toCsv(digits) {
  const lines = digits.map((digit) =>
    [digit.row + 1, digit.column + 1, digit.label, digit.probability.toFixed(4), ...digit.box].join(
      ",",
    ),
  );
  return `${["row,column,digit,probability,left,top,right,bottom", ...lines].join("\n")}\n`;
}

/**
 * @template {{row: number}} Entry
 * @param {Entry[]} digits
 * @returns {Entry[][]}
 */
export function toRows(digits) {
  const rows = [];
  for (const digit of digits) {
    rows[digit.row] ??= [];
    rows[digit.row].push(digit);
  }
  return rows.filter(Boolean);
}
