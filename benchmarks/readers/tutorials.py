"""The tutorials' way to read a picture: shrunk to 28x28 as a whole, and inverted.

The network is that of the newest finished run of cnn-fast. It sees one digit in every picture.
"""

import cv2
import numpy as np

from benchmarks.readers import Kind, Read, Row, Setting, ours

MODEL = "cnn-fast"


def missing(name: str) -> str:
    return ours.missing(MODEL)


def candidates(kind: Kind) -> list[Setting]:
    return [Setting()]


def open_reader(name: str, one_core: bool) -> Read:
    from mnist_graph import Classifier

    classifier = Classifier.from_model(MODEL)

    def read(picture: np.ndarray, setting: Setting) -> list[Row]:
        grey = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        small = 255 - cv2.resize(grey, (28, 28), interpolation=cv2.INTER_AREA)
        (probabilities,) = classifier.predict(small[np.newaxis])
        return [Row(str(probabilities.argmax()), (float(probabilities.max()),))]

    return read
