"""The README beside an exported network: what it takes and gives, and how each runtime runs it."""

import json
import math
from pathlib import Path

from mnist_graph.data.shapes import is_colour
from mnist_graph.data.strips.size import COLUMN_WIDTH, HEIGHT
from mnist_graph.exports.check import Check, runtime_of
from mnist_graph.exports.formats import LITERT, LITERT_INT8, ONNX, SAVED_MODEL
from mnist_graph.runs.files import file_sha256
from mnist_graph.runs.run import Run

README = "README.md"
HEADINGS = {
    SAVED_MODEL: "TensorFlow",
    LITERT: "LiteRT",
    ONNX: "ONNX Runtime",
}
"""The runtimes, by the file that they run."""


def describe(run: Run, folder: Path, checks: list[Check]) -> str:
    """Return the README of the export of `run` in `folder`, in Markdown."""
    names = [check.name for check in checks]
    strips = run.recipe.reads_strips
    parts = [
        _introduction(run),
        "## What it takes and gives\n\n" + (_strip_signatures(run) if strips else _signatures(run)),
        "## What to feed it\n\n" + (STRIP_INPUT if strips else _image_input(run)),
        *(
            f"## {HEADINGS[name]}\n\n```python\n{_lines(name, run)}```"
            for name in names
            if name in HEADINGS
        ),
    ]
    if LITERT_INT8 in names:
        parts.append(INT8)
    parts += [
        "## Checked\n\n" + _checked(run, checks),
        "## Files\n\n" + _files(folder),
        "## Recipe\n\n```json\n" + json.dumps(run.recipe.to_json(), indent=2) + "\n```",
    ]
    return "\n\n".join(parts) + "\n"


def table(checks: list[Check], strips: bool) -> list[tuple[str, ...]]:
    """Return the checks as a table with a heading."""
    others = "other columns" if strips else "other classes"
    heading = ("file", "runtime", "accuracy", others, "largest difference")
    return [
        heading,
        *(
            (
                each.name,
                each.runtime,
                f"{each.accuracy:.4f}",
                str(each.others),
                f"{each.difference:.1e}",
            )
            for each in checks
        ),
    ]


def _introduction(run: Run) -> str:
    result = run.result
    assert result is not None
    what = (
        "reads rows of handwritten digits"
        if run.recipe.reads_strips
        else "reads handwritten digits"
    )
    if run.reads_whole:
        what = f"classifies pictures as {', '.join(run.names)}"
    tests = "strips of test digits" if run.recipe.reads_strips else "test images"
    return (
        f"# {run.recipe.model}\n\n"
        f"A network that {what}, trained by mnist_graph for {run.recipe.iterations:,} "
        f"iterations. Accuracy on the {tests}: {result.test_accuracy:.6g}."
    )


def _signatures(run: Run) -> str:
    shape, low, high = run.image_shape, "(background)", "(ink)"
    if run.reads_whole:
        low, high = "(black)", "(full)"
    sides = ", ".join(map(str, shape))
    return f"""\
| signature | input | dtype | shape | values |
| --- | --- | --- | --- | --- |
| `serving_default` | `images` | float32 | [n, {math.prod(shape)}] | 0 {low} to 1 {high} |
| `pixels` | `pixels` | uint8 | [n, {sides}] | 0 {low} to 255 {high} |

| output | dtype | shape | |
| --- | --- | --- | --- |
| `classes` | int32 | [n] | the most probable class of each image |
| `probabilities` | float32 | [n, {run.classes}] | of each class; they sum to 1 |

`saved_model.pb` and `{LITERT}` have both signatures; `{LITERT_INT8}` and `{ONNX}` have
`serving_default`. n is any number."""


def _strip_signatures(run: Run) -> str:
    return f"""\
| signature | input | dtype | shape | values |
| --- | --- | --- | --- | --- |
| `serving_default` | `images` | float32 | [n, {HEIGHT}, width] | 0 (paper) to 1 (ink) |
| `pixels` | `pixels` | uint8 | [n, {HEIGHT}, width] | 0 (paper) to 255 (ink) |
| both | `widths` | int32 | [n] | width of each strip in pixels, without padding |

| output | dtype | shape | |
| --- | --- | --- | --- |
| `classes` | int32 | [n, columns] | the most probable class of each column |
| `probabilities` | float32 | [n, columns, {run.classes + 1}] | of each class; they sum to 1 |

`saved_model.pb` and `{LITERT}` have both signatures; `{LITERT_INT8}` and `{ONNX}` have
`serving_default`. n and the width are any numbers. There is a column for every {COLUMN_WIDTH}
pixels. Class {run.classes} is the blank: no digit here. Columns after the width of a strip are
blank. To decode, merge columns of the same class, and leave out the blanks: that is the most
probable path (connectionist temporal classification, Graves et al. 2006). The reader of mnist_graph
adds up paths by a beam search, which is right a little more often."""


def _image_input(run: Run) -> str:
    height, width = run.image_shape[:2]
    if run.reads_whole:
        mode = "RGB" if is_colour(run.image_shape) else "L"
        return WHOLE_INPUT.format(mode=mode, size=(width, height), height=height, width=width)
    mnist = (height, width) == (28, 28)
    shape = "" if mnist else f", ({height}, {width})"
    return f"""\
A digit in MNIST's form: bright on a background of 0, its box scaled to 20x20 of 28x28, its centre
of mass at the centre. A photo that is merely scaled down to the size is read wrongly more often
than not. mnist_graph makes the form as its own reader does, without TensorFlow:

```python
import numpy as np
import mnist_graph

np.save("digit.npy", mnist_graph.normalise("test_img.png"{shape}))  # uint8 [{height}, {width}]
```"""


WHOLE_INPUT = """\
The whole picture, upright, scaled to {height}x{width} whatever its proportions:

```python
import numpy as np
from PIL import Image, ImageOps

picture = ImageOps.exif_transpose(Image.open("picture.jpg")).convert("{mode}")
np.save("picture.npy", picture.resize({size}, Image.Resampling.LANCZOS, reducing_gap=3.0))
```"""

STRIP_INPUT = f"""\
Strips: rows of writing, {HEIGHT} pixels high, straightened, the paper 0 and the ink up to 255.
mnist_graph finds the rows of a picture as its own reader does, without TensorFlow:

```python
import numpy as np
import mnist_graph

np.save("strip.npy", mnist_graph.find_strips("test_img.png")[0])  # uint8 [{HEIGHT}, width]
```"""

INT8 = f"""\
`{LITERT_INT8}` runs in the same way, with the signature `serving_default`. Its weights and what
lies between its layers are int8; what it takes and gives is float32."""

_IMAGE_LINES = {
    SAVED_MODEL: """\
import numpy as np
import tensorflow as tf

pixels = np.load("digit.npy")[np.newaxis]
network = tf.saved_model.load(".")
found = network.signatures["pixels"](pixels=tf.constant(pixels))
print(found["classes"][0].numpy(), found["probabilities"][0].numpy().max())
""",
    LITERT: f"""\
import numpy as np
from ai_edge_litert.interpreter import Interpreter

pixels = np.load("digit.npy")[np.newaxis]
network = Interpreter("{LITERT}").get_signature_runner("pixels")
found = network(pixels=pixels)
print(found["classes"][0], found["probabilities"][0].max())
""",
    ONNX: f"""\
import numpy as np
import onnxruntime

images = np.load("digit.npy").reshape(1, -1) / np.float32(255)
network = onnxruntime.InferenceSession("{ONNX}")
classes, probabilities = network.run(["classes", "probabilities"], {{"images": images}})
print(classes[0], probabilities[0].max())
""",
}

_DECODE = """\
digits = [now for before, now in zip([{blank}, *classes], classes) if now not in (before, {blank})]
print(*digits)
"""

_STRIP_LINES = {
    SAVED_MODEL: """\
import numpy as np
import tensorflow as tf

pixels = np.load("strip.npy")[np.newaxis]
widths = np.array([pixels.shape[2]], np.int32)
network = tf.saved_model.load(".").signatures["pixels"]
found = network(pixels=tf.constant(pixels), widths=tf.constant(widths))
classes = found["classes"][0].numpy()
""",
    LITERT: f"""\
import numpy as np
from ai_edge_litert.interpreter import Interpreter

pixels = np.load("strip.npy")[np.newaxis]
widths = np.array([pixels.shape[2]], np.int32)
network = Interpreter("{LITERT}").get_signature_runner("pixels")
classes = network(pixels=pixels, widths=widths)["classes"][0]
""",
    ONNX: f"""\
import numpy as np
import onnxruntime

images = np.load("strip.npy")[np.newaxis] / np.float32(255)
widths = np.array([images.shape[2]], np.int32)
network = onnxruntime.InferenceSession("{ONNX}")
(classes,) = network.run(["classes"], {{"images": images, "widths": widths}})[0]
""",
}


def _lines(name: str, run: Run) -> str:
    """Return the lines of Python that run the file `name`."""
    if run.recipe.reads_strips:
        return _STRIP_LINES[name] + _DECODE.format(blank=run.classes)
    lines = _IMAGE_LINES[name]
    return lines.replace("digit.npy", "picture.npy") if run.reads_whole else lines


def _checked(run: Run, checks: list[Check]) -> str:
    strips = run.recipe.reads_strips
    what = "strips of test digits" if strips else "test images"
    return (
        f"Each file was run by its own runtime, in a process of its own, on all {what}, and\n"
        "compared with the TensorFlow session that it came from (float32, on a CPU):\n\n"
        + _markdown(table(checks, strips))
    )


def _files(folder: Path) -> str:
    rows: list[tuple[str, ...]] = [("file", "bytes", "SHA-256")]
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            name = path.relative_to(folder).as_posix()
            rows.append((name, f"{path.stat().st_size:,}", f"`{file_sha256(path)}`"))
    return f"{_markdown(rows)}\n\nMade with {runtime_of(SAVED_MODEL)}."


def _markdown(rows: list[tuple[str, ...]]) -> str:
    heading, *others = (f"| {' | '.join(row)} |" for row in rows)
    rule = "| " + " | ".join("---" for _ in rows[0]) + " |"
    return "\n".join([heading, rule, *others])
