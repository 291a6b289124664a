"""Write a row: which digits and marks, where each stands, what hangs together."""

import string
from typing import NamedTuple

import cv2
import numpy as np

from mnist_graph.data.strips.hands import Digits, Hand, pick_hand
from mnist_graph.data.strips.marks import AFTER, BEFORE, DIGIT_LIKE, LETTERS, MARKS, SEPARATORS
from mnist_graph.data.strips.paper import Lines
from mnist_graph.data.strips.pen import Glyph, Pen, draw_curves, draw_strokes, smooth

CANVAS_HEIGHT = 64
"""Rows are written at twice the height of a strip."""
MARGIN = 24
"""Left and right of a row on its canvas, in pixels, before it is cut."""
FORM_CHARACTERS = string.digits + " "
"""What is written into the places of a form."""
LETTER_GAPS = (-4.0, 2.0)
"""The smallest and the largest gap between printed letters, in pixels; each has a margin of its
own."""
FONTS = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_SCRIPT_SIMPLEX,
    cv2.FONT_HERSHEY_SCRIPT_COMPLEX,
    cv2.FONT_HERSHEY_SIMPLEX + cv2.FONT_ITALIC,
)


class Row(NamedTuple):
    """A row that has been written."""

    ink: np.ndarray
    """uint8 [64, width], 255 is ink."""
    digits: list[int]


class _Style(NamedTuple):
    """How the digits of a row follow each other; lengths as shares of their height."""

    gap: float
    gap_jitter: float
    size_jitter: float
    level_jitter: float
    chained: bool
    """Whether neighbours are tied together."""
    small_zeros: float
    """How high the zeros at the end are."""
    pitch: float | None
    """The width of the places for the digits of a form; None without a form."""


def write_row(
    digits: Digits, most: int, rng: np.random.Generator, images_only: bool = False
) -> Row:
    """Write a row at most `most` pixels wide on its canvas."""
    chance = rng.random()
    if chance < 0.06:
        return Row(_write_no_digits(most, rng), [])
    is_form = chance < 0.18
    height = CANVAS_HEIGHT * (rng.uniform(0.3, 0.75) if is_form else rng.uniform(0.42, 0.95))
    text = _pick_text(most / height, rng)
    if is_form:
        text = "".join(character for character in text if character in FORM_CHARACTERS)
    # Single digits are what MNIST is of; among them there are more of its images.
    images_only |= len(text) == 1 and rng.random() < 0.85
    hand = pick_hand(digits, _pick_pen(height, rng), rng, images_only)
    style = _pick_style(hand.pen.slant, is_form, rng)
    writer = _Writer(hand, style, most, rng)
    writer.write(text)
    if rng.random() < 0.12:
        writer.add_neighbours()
    if is_form:
        if rng.random() < 0.25:  # what is printed is darker than the pen
            writer.fade(rng.uniform(0.3, 0.9))
        Lines(writer.canvas, writer.base, height, rng).draw_cells(writer.finish_form())
    elif rng.random() < 0.3:
        Lines(writer.canvas, writer.base, height, rng).draw()
    return Row(writer.cut(), writer.written)


def _pick_pen(height: float, rng: np.random.Generator) -> Pen:
    upright = rng.random() < 0.8
    slant = rng.normal(0.12, 0.22) if upright else rng.uniform(0.3, 0.9)
    return Pen(
        height=height,
        width=float(np.exp(rng.normal(0.0, 0.2))),
        slant=min(max(slant, -0.35), 0.9),
        thickness=height * float(np.exp(rng.uniform(np.log(0.035), np.log(0.21)))),
        wobble=rng.uniform(0.005, 0.05),
    )


def _pick_style(slant: float, is_form: bool, rng: np.random.Generator) -> _Style:
    kind = rng.random()
    gap = rng.uniform(0.05, 0.35)
    if kind < 0.3:
        gap = rng.uniform(-0.1, 0.06)
    elif kind > 0.85:
        gap = rng.uniform(0.35, 1.6)
    # Gaps are between the outermost points, and slanted digits reach over one another.
    gap -= abs(slant) * rng.uniform(0.2, 0.7)
    chained = kind < 0.5 and rng.random() < 0.22
    zeros = rng.uniform(0.45, 0.85) if rng.random() < 0.25 else 1.0
    return _Style(
        gap=gap,
        gap_jitter=rng.uniform(0, 0.1),
        size_jitter=rng.uniform(0, 0.12),
        level_jitter=rng.uniform(0, 0.07),
        chained=chained and not is_form,
        small_zeros=zeros,
        pitch=rng.uniform(0.85, 1.7) if is_form else None,
    )


def _pick_text(room: float, rng: np.random.Generator) -> str:
    """Return digits, marks and spaces that may fit into `room` times the digits' height."""
    most = max(1, min(12, int(room / 0.55)))
    # Most rows are long: of a short strip in a wide batch, most is padding.
    least = 1 if rng.random() < 0.3 else -(-2 * most // 3)
    count = 1 if rng.random() < 0.14 else int(rng.integers(least, most + 1))
    digits = "".join(string.digits[d] for d in rng.integers(10, size=count))
    if count > 2 and rng.random() < 0.25:
        zeros = int(rng.integers(1, min(count, 5)))
        digits = digits[:-zeros] + "0" * zeros
    if count > 3 and rng.random() < 0.4:
        separator = SEPARATORS[rng.integers(len(SEPARATORS))]
        every = 3 if rng.random() < 0.75 else int(rng.integers(1, 4))
        digits = _grouped(digits, separator, every)
    elif count > 1 and rng.random() < 0.15:
        at = int(rng.integers(1, count))
        digits = digits[:at] + "-: x"[rng.integers(4)] + digits[at:]
    if rng.random() < 0.1:
        digits = BEFORE[rng.integers(len(BEFORE))] + digits
    if rng.random() < 0.3:
        digits += AFTER[rng.integers(len(AFTER))]
    if rng.random() < 0.06:
        word = _pick_word(rng)
        digits = f"{word} {digits}" if rng.random() < 0.6 else f"{digits} {word}"
    return digits


def _grouped(digits: str, separator: str, every: int) -> str:
    """Put `separator` between groups of `every` digits, counted from the end."""
    head = len(digits) % every
    groups = [digits[k : k + every] for k in range(head, len(digits), every)]
    return separator.join([digits[:head], *groups] if head else groups)


def _pick_word(rng: np.random.Generator) -> str:
    """Return letters; those that look like digits stand next to others that do not."""
    is_capital = rng.random() < 0.3
    starts_capital = is_capital or rng.random() < 0.2
    count = int(rng.integers(1, 9))
    parity = int(rng.integers(2))
    word = ""
    for position in range(count):
        case = int(starts_capital if position == 0 else is_capital)
        is_digit_like = count > 2 and position % 2 == parity and rng.random() < 0.6
        letters = (DIGIT_LIKE if is_digit_like else LETTERS)[case]
        letter = letters[rng.integers(len(letters))]
        word += letter * (2 if is_digit_like and rng.random() < 0.1 else 1)
    return word


class _Writer:
    """Writes characters from left to right onto a canvas."""

    def __init__(self, hand: Hand, style: _Style, most: int, rng: np.random.Generator) -> None:
        self.hand, self.style, self.rng = hand, style, rng
        self.font = FONTS[rng.integers(len(FONTS))]
        self.height = height = hand.pen.height
        self.canvas = np.zeros((CANVAS_HEIGHT, most + 4 * MARGIN), np.uint8)
        spare = CANVAS_HEIGHT - height
        self.base = height + spare * rng.uniform(0.05, 0.95)
        """Where the line is that is written on, in pixels from the top."""
        self.slope = rng.normal(0, 0.02) * spare / CANVAS_HEIGHT * 2
        self.left = MARGIN - self._margin()
        """Where the row will be cut off on the left."""
        self.limit = self.left + most - 2
        """Where the last character must have ended."""
        self.end = float(MARGIN)
        """Where the last character ends."""
        self.written: list[int] = []
        self.places = int(style.pitch is not None and rng.random() < 0.2)
        """How many places of a form have been filled or left empty."""
        self.joint: tuple[float, float] | None = None
        """Where the last digit can be tied to the next."""

    def write(self, text: str) -> None:
        """Write `text`, as much of it as there is room for, one digit at least."""
        zeros = len(text) - len(text.rstrip("0.,'- ="))
        for position, character in enumerate(text):
            in_tail = 1 < position >= len(text) - zeros
            if character == " ":
                self._leave_space()
            elif character in string.digits:
                size = self.style.small_zeros if in_tail and character == "0" else 1.0
                if not self._write_digit(int(character), size):
                    return
            elif character in MARKS:
                size = self.rng.uniform(0.6, 1.1)
                mark = draw_strokes(MARKS[character], self.hand.pen, self.rng, size)
                if not self._place(mark, self.height * self.rng.uniform(0.0, 0.25)):
                    return
            elif not self._place(
                _draw_letter(character, self.font, self.hand.pen, self.rng),
                self.rng.uniform(*LETTER_GAPS),
            ):
                return

    def _write_digit(self, digit: int, size: float) -> bool:
        style, rng = self.style, self.rng
        size *= max(0.6, 1 + style.size_jitter * rng.standard_normal())
        glyph = self.hand.draw(digit, rng, size)
        gap = self.height * (style.gap + style.gap_jitter * rng.standard_normal())
        if style.pitch is not None:
            middle = MARGIN + (self.places + rng.normal(0.5, 0.05)) * style.pitch * self.height
            gap = middle - glyph.ink.shape[1] / 2 - self.end
            self.places += 1
        start = self.end + gap
        level = self.height * style.level_jitter * rng.standard_normal()
        is_free = not self.written and style.pitch is None
        if not self._place(glyph, 0.0 if is_free else gap, level):
            return False
        self.written.append(digit)
        if style.chained:
            self._tie(start, glyph)
        return True

    def _place(self, glyph: Glyph, gap: float, level: float = 0.0) -> bool:
        """Put a glyph to the right of the last; return whether there was room."""
        left = max(self.end + max(gap, -0.5 * glyph.ink.shape[1]), 2.0)
        width = glyph.ink.shape[1]
        is_first = self.end == MARGIN and self.style.pitch is None
        if left + width > (self.canvas.shape[1] - 4 if is_first else self.limit):
            return False
        top = self.base + self.slope * left + glyph.top + level
        stamp(self.canvas, glyph.ink, round(left), round(top))
        self.end = left + width
        return True

    def _leave_space(self) -> None:
        if self.style.pitch is None:
            self.end += self.height * self.rng.uniform(0.2, 0.8)
        else:
            self.places += 1

    def fade(self, darkness: float) -> None:
        """Make what has been written lighter, `darkness` times as dark."""
        self.canvas[:] = cv2.convertScaleAbs(self.canvas, alpha=darkness)

    def finish_form(self) -> list[float]:
        """Leave empty places at the end of a form; return where its places begin and end."""
        assert self.style.pitch is not None
        pitch = self.style.pitch * self.height
        count = self.places + (int(self.rng.integers(0, 4)) if self.rng.random() < 0.3 else 0)
        edges = [MARGIN + pitch * place for place in range(count + 1)]
        self.end = max(self.end, edges[-1])
        return edges

    def _tie(self, start: float, glyph: Glyph) -> None:
        """Draw the stroke that ties the digit just written to the one before."""
        middle = self.base - self.height * self.rng.uniform(0.3, 1.0)
        width = glyph.ink.shape[1]
        if self.joint is not None and self.rng.random() < 0.7:
            x, y = self.joint
            end = (start + 0.35 * width, middle)
            bow = ((x + end[0]) / 2, (y + middle) / 2 + self.height * self.rng.uniform(-0.2, 0.2))
            curve = smooth(np.array([(x, y), bow, end]))
            stroke = draw_curves([curve], self.hand.pen.thickness)
            stamp(self.canvas, stroke.ink, round(stroke.left), round(stroke.top))
        self.joint = (self.end - 0.35 * width, middle)

    def add_neighbours(self) -> None:
        """Let the feet or the heads of the rows above and below reach into the canvas."""
        for below in (False, True):
            if self.rng.random() < 0.3:
                continue
            base = self.base + (1 if below else -1) * self.height * self.rng.uniform(1.05, 1.5)
            x = self.rng.uniform(0, self.height)
            while x < self.end:
                glyph = self.hand.draw(int(self.rng.integers(10)), self.rng)
                stamp(self.canvas, glyph.ink, round(x), round(base + glyph.top))
                x += glyph.ink.shape[1] + self.height * self.rng.uniform(0.1, 1.0)

    def cut(self) -> np.ndarray:
        """Return the canvas around what was written, with random margins."""
        left, right = self.left, self.end + self._margin()
        left, right = int(max(0, left)), int(min(self.canvas.shape[1], max(right, left + 16)))
        return np.ascontiguousarray(self.canvas[:, left:right])

    def _margin(self) -> float:
        chance = self.rng.random()
        return self.rng.uniform(-1, 3) if chance < 0.25 else self.rng.uniform(0, MARGIN)


def _draw_letter(letter: str, font: int, pen: Pen, rng: np.random.Generator) -> Glyph:
    thickness = max(1, round(min(pen.thickness, 0.16 * pen.height)))
    scale = pen.height / 22 * rng.uniform(0.85, 1.0)
    (width, height), base = cv2.getTextSize(letter, font, scale, thickness)
    margin = thickness + 2
    ink = np.zeros((height + base + 2 * margin, width + 2 * margin), np.uint8)
    cv2.putText(ink, letter, (margin, margin + height), font, scale, 255, thickness, cv2.LINE_AA)
    return Glyph(ink, 0.0, float(-height - margin))


def _write_no_digits(most: int, rng: np.random.Generator) -> np.ndarray:
    """Return a canvas with words, scribbles, marks and lines, or nothing at all."""
    width = int(rng.uniform(0.3, 1.0) * most)
    canvas = np.zeros((CANVAS_HEIGHT, max(32, width)), np.uint8)
    kind = rng.random()
    pen = _pick_pen(CANVAS_HEIGHT * rng.uniform(0.3, 0.8), rng)
    base = CANVAS_HEIGHT * rng.uniform(0.6, 0.95)
    if kind < 0.55:
        _write_words(canvas, base, pen, rng)
    elif kind < 0.8:
        _write_marks(canvas, base, pen, rng, scribbles=kind > 0.67)
    lines = Lines(canvas, base, pen.height, rng)
    if kind > 0.89:
        pitch = pen.height * rng.uniform(0.85, 1.7)
        lines.draw_cells(np.arange(rng.uniform(-pitch, pitch), width, pitch).tolist())
    elif rng.random() < 0.4:
        lines.draw()
    return canvas


def _write_words(canvas: np.ndarray, base: float, pen: Pen, rng: np.random.Generator) -> None:
    """Print words across the canvas; the first and the last may be cut off."""
    font = FONTS[rng.integers(len(FONTS))]
    x = rng.uniform(-2 * pen.height, 20)
    while x < canvas.shape[1]:
        for letter in _pick_word(rng):
            glyph = _draw_letter(letter, font, pen, rng)
            stamp(canvas, glyph.ink, round(x), round(base + glyph.top))
            x += glyph.ink.shape[1] + rng.uniform(*LETTER_GAPS)
        x += rng.uniform(0.2, 0.6) * pen.height


def _write_marks(
    canvas: np.ndarray, base: float, pen: Pen, rng: np.random.Generator, scribbles: bool
) -> None:
    """Draw marks, or scribbles, across the canvas."""
    x = rng.uniform(0, 20)
    while x < canvas.shape[1]:
        if scribbles:
            points = np.cumsum(rng.normal(0.15, 0.5, (rng.integers(7, 16), 2)), axis=0)
            glyph = draw_strokes([points.tolist()], pen, rng)
        else:
            glyph = draw_strokes(MARKS["-=~._x*"[rng.integers(7)]], pen, rng)
            x += rng.uniform(0, 60)
        stamp(canvas, glyph.ink, round(x), round(base + glyph.top))
        x += glyph.ink.shape[1] + rng.uniform(0, 0.3) * pen.height


def stamp(canvas: np.ndarray, ink: np.ndarray, left: int, top: int) -> None:
    """Add `ink` to the canvas, both uint8 with 255 for ink, as far as it lies inside."""
    height, width = ink.shape
    right, bottom = min(left + width, canvas.shape[1]), min(top + height, canvas.shape[0])
    x, y = max(left, 0), max(top, 0)
    if x < right and y < bottom:
        place = canvas[y:bottom, x:right]
        np.maximum(place, ink[y - top : bottom - top, x - left : right - left], out=place)
