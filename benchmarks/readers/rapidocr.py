"""RapidOCR: PP-OCRv6 on ONNX Runtime, with the models that its wheel contains."""

from importlib.util import find_spec

import cv2
import numpy as np

from benchmarks.readers import Kind, Read, Row, Setting, combine, prepare

RECOGNIZE, DETECT = "recognition only", "detection and recognition"
MIN_OVERLAP = 0.5
"""Boxes whose vertical ranges overlap by this share of the lower box are in one row."""


def missing(name: str) -> str:
    absent = [package for package in ("rapidocr", "onnxruntime") if not find_spec(package)]
    return f"{' and '.join(absent)} not installed" if absent else ""


def candidates(kind: Kind) -> list[Setting]:
    if kind == "page":
        return combine(kind, (DETECT,))
    recognize = combine(kind, (RECOGNIZE,))
    if kind == "row":  # detection finds fewer than a third of the development strings whole
        return recognize
    # Detection enlarges small pictures itself, to 736 pixels.
    return recognize + [setting for setting in combine(kind, (DETECT,)) if setting.scale == 1]


def open_reader(name: str, one_core: bool) -> Read:
    from rapidocr import RapidOCR

    threads = {"EngineConfig.onnxruntime.intra_op_num_threads": 1} if one_core else {}
    engine = RapidOCR(params={"Global.log_level": "critical", **threads})

    def read(picture: np.ndarray, setting: Setting) -> list[Row]:
        detect = setting.mode == DETECT
        code = cv2.COLOR_GRAY2BGR if picture.ndim == 2 else cv2.COLOR_RGB2BGR
        result = engine(
            cv2.cvtColor(prepare(picture, setting), code),
            use_det=detect,
            use_cls=False,  # the pictures are upright
            use_rec=True,
            text_score=0.0,  # keep lines of low confidence: the benchmark has its own threshold
        )
        if result.txts is None:
            return []
        lines = list(zip(result.txts, result.scores, strict=True))
        rows = group_rows(result.boxes) if detect else [[index] for index in range(len(lines))]
        return [join([lines[index] for index in row]) for row in rows]

    return read


def join(lines: list[tuple[str, float]]) -> Row:
    """Join the pieces of one row: (text, confidence) from left to right."""
    confidences = tuple(float(score) for text, score in lines for _ in text)
    return Row("".join(text for text, _ in lines), confidences)


def group_rows(boxes: np.ndarray) -> list[list[int]]:
    """Group boxes, [n, 4, 2] corners, into rows from the top, each from left to right."""
    tops, bottoms = boxes[..., 1].min(1), boxes[..., 1].max(1)
    rows: list[list[int]] = []
    for index in np.argsort((tops + bottoms) / 2).tolist():
        previous = rows[-1][-1] if rows else index
        shared = min(bottoms[index], bottoms[previous]) - max(tops[index], tops[previous])
        lowest = min(bottoms[index] - tops[index], bottoms[previous] - tops[previous])
        if rows and shared >= MIN_OVERLAP * lowest:
            rows[-1].append(index)
        else:
            rows.append([index])
    return [sorted(row, key=lambda index: boxes[index, :, 0].min()) for row in rows]
