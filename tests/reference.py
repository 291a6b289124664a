"""The classic networks in NumPy and float64: logits from images and named variables."""

import numpy as np

ACTIVATIONS = {
    "relu": lambda x: np.where(x > 0, x, 0),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "linear": lambda x: x,
}


def convolve(images, weights, stride=1):
    """Convolve [n, h, w, c] with [k, k, c, channels]: [n, ceil(h / s), ceil(w / s), channels].

    Pads with zeros as TensorFlow's SAME does: an odd one goes below and to the right.
    """
    size = weights.shape[0]
    sides = images.shape[1:3]
    outputs = [-(-side // stride) for side in sides]
    padding = [
        max(0, (o - 1) * stride + size - side) for o, side in zip(outputs, sides, strict=True)
    ]
    before_and_after = [(p // 2, p - p // 2) for p in padding]
    padded = np.pad(images.astype(np.float64), [(0, 0), *before_and_after, (0, 0)])
    patches = np.lib.stride_tricks.sliding_window_view(padded, (size, size), axis=(1, 2))
    kernel = weights.astype(np.float64).transpose(2, 0, 1, 3)
    return np.tensordot(patches[:, ::stride, ::stride], kernel, axes=3)


def pool(images):
    """Return the maximum of each 2x2; at an odd edge, of the pixels that exist."""
    n, height, width, channels = images.shape
    padding = [(0, 0), (0, height % 2), (0, width % 2), (0, 0)]
    padded = np.pad(images, padding, constant_values=-np.inf)
    squares = padded.reshape(n, (height + 1) // 2, 2, (width + 1) // 2, 2, channels)
    return squares.max(axis=(2, 4))


def dense(inputs, values, name):
    return inputs @ values[f"{name}/weights"].astype(np.float64) + values[f"{name}/biases"]


def softmax_logits(images, values, recipe):
    return dense(images.reshape(len(images), -1), values, "output")


def mlp_logits(images, values, recipe):
    hidden = images.reshape(len(images), -1)
    for number in range(1, len(recipe.hidden) + 1):
        hidden = ACTIVATIONS[recipe.activation](dense(hidden, values, f"dense{number}"))
    return dense(hidden, values, "output")


def cnn_logits(images, values, recipe):
    activation = ACTIVATIONS[recipe.activation]
    hidden = images
    for name in ("conv1", "conv2"):
        hidden = convolve(hidden, values[f"{name}/weights"]) + values[f"{name}/biases"]
        hidden = pool(activation(hidden))
    return mlp_logits(hidden, values, recipe)


def overlapping_pool(images):
    """Return the maximum of each 3x3, every two pixels, padded as TensorFlow's SAME does."""
    sides = images.shape[1:3]
    padding = [max(0, (-(-side // 2) - 1) * 2 + 3 - side) for side in sides]
    before_and_after = [(p // 2, p - p // 2) for p in padding]
    padded = np.pad(images, [(0, 0), *before_and_after, (0, 0)], constant_values=-np.inf)
    patches = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    return patches[:, ::2, ::2].max(axis=(4, 5))


def local_response_normalization(images):
    """Divide by (1 + 0.001 / 9 * the sum of squares of the nine channels around) ** 0.75."""
    padded = np.pad(np.square(images), [(0, 0)] * 3 + [(4, 4)])
    around = np.lib.stride_tricks.sliding_window_view(padded, 9, axis=3).sum(axis=4)
    return images / (1 + 0.001 / 9 * around) ** 0.75


def cifar10_logits(images, values, recipe):
    activation = ACTIVATIONS[recipe.activation]
    hidden = images[:, 4:-4, 4:-4]
    axes = (1, 2, 3)
    deviation = np.maximum(hidden.std(axis=axes, keepdims=True), hidden[0].size ** -0.5)
    hidden = (hidden - hidden.mean(axis=axes, keepdims=True)) / deviation
    hidden = convolve(hidden, values["conv1/weights"]) + values["conv1/biases"]
    hidden = local_response_normalization(overlapping_pool(activation(hidden)))
    hidden = convolve(hidden, values["conv2/weights"]) + values["conv2/biases"]
    hidden = overlapping_pool(local_response_normalization(activation(hidden)))
    return mlp_logits(hidden, values, recipe)


LOGITS = {
    "softmax": softmax_logits,
    "mlp": mlp_logits,
    "cnn": cnn_logits,
    "cifar10": cifar10_logits,
}
"""The function of each network, (images [n, h, w, c], variables by name, recipe) -> logits."""
