"""Tesseract through pytesseract, with digits as the only characters allowed.

Debian's tesseract-ocr brings the LSTM network only; the legacy engine has no model there.
"""

import os
import shutil
from importlib.util import find_spec

import numpy as np

from benchmarks.readers import Kind, Read, Row, Setting, combine, prepare

DIGITS_ONLY = "-c tessedit_char_whitelist=0123456789"


def missing(name: str) -> str:
    if not find_spec("pytesseract"):
        return "pytesseract not installed"
    return "" if shutil.which("tesseract") else "the program tesseract not installed"


def candidates(kind: Kind) -> list[Setting]:
    """Return settings in these modes of page segmentation: 6 a block of text, 7 a line, 10 a
    character, 11 text anywhere, 13 a line without further processing.
    """
    modes = {"row": (7, 13), "page": (6, 11), "digit": (10, 7)}[kind]
    return combine(kind, tuple(f"--psm {mode}" for mode in modes))


def open_reader(name: str, one_core: bool) -> Read:
    import pytesseract
    from PIL import Image

    if one_core:
        os.environ["OMP_THREAD_LIMIT"] = "1"

    def read(picture: np.ndarray, setting: Setting) -> list[Row]:
        words = pytesseract.image_to_data(
            Image.fromarray(prepare(picture, setting)),
            config=f"{setting.mode} {DIGITS_ONLY}",
            output_type=pytesseract.Output.DICT,
        )
        rows: dict[tuple[int, ...], list[tuple[str, float]]] = {}
        places = zip(*(words[key] for key in ("block_num", "par_num", "line_num")), strict=True)
        for place, text, confidence in zip(places, words["text"], words["conf"], strict=True):
            if text.strip():
                characters = [(character, confidence / 100) for character in text.strip()]
                rows.setdefault(place, []).extend(characters)
        return [
            Row("".join(text for text, _ in row), tuple(confidence for _, confidence in row))
            for row in rows.values()
        ]

    return read
