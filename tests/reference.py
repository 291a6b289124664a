"""The networks once more, in NumPy alone: what TensorFlow's are held against."""

import numpy as np

ACTIVATIONS = {
    "relu": lambda x: np.where(x > 0, x, 0),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "linear": lambda x: x,
}


def convolve(images, weights, stride=1):
    """[n, h, w, c] and [k, k, c, channels] -> [n, ceil(h / s), ceil(w / s), channels].

    SAME padding as TensorFlow documents it: zeros, the odd one below and to the right.
    """
    size = weights.shape[0]
    sides = images.shape[1:3]
    outputs = [-(-side // stride) for side in sides]
    missing = [
        max(0, (o - 1) * stride + size - side) for o, side in zip(outputs, sides, strict=True)
    ]
    around = [(m // 2, m - m // 2) for m in missing]
    padded = np.pad(images.astype(np.float64), [(0, 0), *around, (0, 0)])
    patches = np.lib.stride_tricks.sliding_window_view(padded, (size, size), axis=(1, 2))
    kernel = weights.astype(np.float64).transpose(2, 0, 1, 3)
    return np.tensordot(patches[:, ::stride, ::stride], kernel, axes=3)


def pool(images):
    """The largest of each 2x2; beyond an odd edge there is nothing."""
    n, height, width, channels = images.shape
    around = [(0, 0), (0, height % 2), (0, width % 2), (0, 0)]
    padded = np.pad(images, around, constant_values=-np.inf)
    squares = padded.reshape(n, (height + 1) // 2, 2, (width + 1) // 2, 2, channels)
    return squares.max(axis=(2, 4))


def dense(inputs, values, name):
    return inputs @ values[f"{name}/weights"].astype(np.float64) + values[f"{name}/biases"]


def softmax_logits(images, values, recipe):
    return dense(images.reshape(len(images), -1), values, "output")


def mlp_logits(images, values, recipe):
    layer = images.reshape(len(images), -1)
    for number in range(1, len(recipe.hidden) + 1):
        layer = ACTIVATIONS[recipe.activation](dense(layer, values, f"dense{number}"))
    last = list(values)[-1].split("/")[0]
    return dense(layer, values, last)


def cnn_logits(images, values, recipe):
    activation = ACTIVATIONS[recipe.activation]
    layer = images
    for name in ("conv1", "conv2"):
        layer = convolve(layer, values[f"{name}/weights"]) + values[f"{name}/biases"]
        layer = pool(activation(layer))
    return mlp_logits(layer, values, recipe)


LOGITS = {"softmax": softmax_logits, "mlp": mlp_logits, "cnn": cnn_logits}
