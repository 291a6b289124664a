"""A training step in NumPy and float64: forward pass, gradients, learning rate and Adam.

It uses nothing of the package. Which units dropout keeps is an argument, since TensorFlow's
random generator decides it.
"""

import numpy as np
from reference import ACTIVATIONS, pool

SLOPES = {
    "relu": lambda x, y: x > 0,
    "sigmoid": lambda x, y: y * (1 - y),
    "tanh": lambda x, y: 1 - y * y,
    "linear": lambda x, y: np.ones_like(x),
}
"""The derivative of each activation at x, where its value is y."""
EPSILON = 1e-5
"""What batch normalization adds to the variance."""


class Network:
    """The layers of a recipe's network, run forwards and then backwards.

    Each layer appends to `backward` a function from the gradient of its outputs to that of its
    inputs. These functions also store `gradients`, by variable; batch normalization stores the
    batch's `moments`.
    """

    def __init__(self, recipe, values, kept_units):
        """`values` are the variables by name; `kept_units(name, shape, keep_prob)` returns which
        units the dropout layer `name` keeps.
        """
        self.recipe, self.kept_units = recipe, kept_units
        self.values = {name: value.astype(np.float64) for name, value in values.items()}
        self.gradients, self.moments, self.backward = {}, {}, []

    def logits(self, pixels):
        images = pixels.astype(np.float64)[..., np.newaxis] / 255
        hidden = getattr(self, self.recipe.network)(images)
        return self.dense(hidden, "output", activate=False)

    def softmax(self, images):
        return self.flatten(images)

    def mlp(self, images):
        return self.dense_layers(self.flatten(images))

    def cnn(self, images):
        hidden = images
        for name in ("conv1", "conv2"):
            hidden = self.conv2d(hidden, name, pooled=True)
        return self.dense_layers(self.flatten(hidden))

    def conv2(self, images):
        hidden = self.conv2d(images, "conv1", stride=2, padded=False)
        hidden = self.conv2d(hidden, "conv2", padded=False, pooled=True)
        return self.dense_layers(self.flatten(hidden))

    def conv3(self, images):
        hidden = images
        for name, stride in (("conv1", 1), ("conv2", 2), ("conv3", 2)):
            hidden = self.conv2d(hidden, name, stride)
        return self.dense_layers(self.flatten(hidden))

    def cnn5(self, images):
        hidden = self.conv2d(images, "conv1", pooled=True)
        hidden = self.conv2d(hidden, "conv2")
        hidden = self.conv2d(hidden, "conv3", pooled=True)
        hidden = self.dropout(hidden, "dropout3", (1 + self.recipe.keep_prob) / 2)
        hidden = self.conv2d(hidden, "conv4")
        hidden = self.conv2d(hidden, "conv5", pooled=True)
        return self.flatten(self.dropout(hidden, "dropout5", self.recipe.keep_prob))

    def cnn5_cropped(self, images):
        return self.cnn5(images[:, 2:-2, 2:-2])

    def dense_layers(self, hidden):
        last = len(self.recipe.hidden)
        for number in range(1, last + 1):
            hidden = self.dense(hidden, f"dense{number}")
            if self.recipe.keep_prob is not None and (
                number == last or self.recipe.dropout == "each"
            ):
                hidden = self.dropout(hidden, f"dropout{number}", self.recipe.keep_prob)
        return hidden

    def flatten(self, inputs):
        self.backward.append(lambda gradient: gradient.reshape(inputs.shape))
        return inputs.reshape(len(inputs), -1)

    def dense(self, inputs, name, activate=True):
        weights = self.values[f"{name}/weights"]

        def backward(gradient):
            self.gradients[f"{name}/weights"] = inputs.T @ gradient
            return gradient @ weights.T

        self.backward.append(backward)
        return self.finish(inputs @ weights, name, activate)

    def conv2d(self, inputs, name, stride=1, padded=True, pooled=False):
        """Convolve, as a matrix product: one row per position of the filter."""
        weights = self.values[f"{name}/weights"]
        size = len(weights)
        side = -(-(inputs.shape[1] - (0 if padded else size - 1)) // stride)
        padding = max(0, (side - 1) * stride + size - inputs.shape[1])
        margins = (padding // 2, padding - padding // 2)
        framed = np.pad(inputs, ((0, 0), margins, margins, (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(framed, (size, size), axis=(1, 2))
        windows = windows[:, ::stride, ::stride].transpose(0, 1, 2, 4, 5, 3)
        rows = windows.reshape(-1, weights[..., 0].size)
        product = (rows @ weights.reshape(len(rows[0]), -1)).reshape(len(inputs), side, side, -1)

        def backward(gradient):
            flat = gradient.reshape(-1, gradient.shape[-1])
            self.gradients[f"{name}/weights"] = (rows.T @ flat).reshape(weights.shape)
            of_framed = np.zeros_like(framed)
            span = side * stride
            for y in range(size):
                for x in range(size):
                    part = of_framed[:, y : y + span : stride, x : x + span : stride]
                    part += (gradient @ weights[y, x].T)[:, : part.shape[1], : part.shape[2]]
            start, end = margins[0], margins[0] + inputs.shape[1]
            return of_framed[:, start:end, start:end]

        self.backward.append(backward)
        if pooled:
            product = self.max_pool(product)
        return self.finish(product, name, activate=True)

    def max_pool(self, inputs):
        output = pool(inputs)

        def backward(gradient):
            height, width = inputs.shape[1:3]
            maxima = output.repeat(2, axis=1).repeat(2, axis=2)[:, :height, :width]
            is_maximum = inputs == maxima
            # The gradient goes to the first of equal maxima.
            found = np.zeros(output.shape, bool)
            of_inputs = np.zeros_like(inputs)
            for y in (0, 1):
                for x in (0, 1):
                    here = is_maximum[:, y::2, x::2]
                    rows, columns = here.shape[1:3]
                    is_first = here & ~found[:, :rows, :columns]
                    of_inputs[:, y::2, x::2] = np.where(is_first, gradient[:, :rows, :columns], 0)
                    found[:, :rows, :columns] |= here
            return of_inputs

        self.backward.append(backward)
        return output

    def finish(self, inputs, name, activate):
        """Add biases, or normalize the batch, and apply the activation."""
        axes = tuple(range(inputs.ndim - 1))
        if f"{name}/offset" in self.values:
            sums = self.normalize(inputs, name, axes)
        else:
            sums = inputs + self.values[f"{name}/biases"]

            def backward(gradient):
                self.gradients[f"{name}/biases"] = gradient.sum(axis=axes)
                return gradient

            self.backward.append(backward)
        if not activate:
            return sums
        outputs = ACTIVATIONS[self.recipe.activation](sums)
        slopes = SLOPES[self.recipe.activation](sums, outputs)
        self.backward.append(lambda gradient: gradient * slopes)
        return outputs

    def normalize(self, inputs, name, axes):
        count = inputs[..., 0].size
        mean, variance = inputs.mean(axis=axes), inputs.var(axis=axes)
        deviation = np.sqrt(variance + EPSILON)
        outputs = (inputs - mean) / deviation
        self.moments[f"{name}/moving_mean"] = mean
        self.moments[f"{name}/moving_variance"] = variance * count / (count - 1)

        def backward(gradient):
            self.gradients[f"{name}/offset"] = gradient.sum(axis=axes)
            of_scale = (gradient * outputs).mean(axis=axes)
            return (gradient - gradient.mean(axis=axes) - outputs * of_scale) / deviation

        self.backward.append(backward)
        return outputs + self.values[f"{name}/offset"]

    def dropout(self, inputs, name, keep_prob):
        scale = self.kept_units(name, inputs.shape, keep_prob) / keep_prob
        self.backward.append(lambda gradient: gradient * scale)
        return inputs * scale


def compute_step(recipe, values, pixels, labels, iteration, kept_units):
    """Return the gradients and the batch's moments by name, and the learning rate."""
    network = Network(recipe, values, kept_units)
    logits = network.logits(pixels)
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    classes = logits.shape[1]
    targets = np.eye(classes)[labels] * (1 - recipe.label_smoothing)
    targets += recipe.label_smoothing / classes
    gradient = np.exp(log_probabilities) - targets
    if recipe.loss == "mean":
        gradient /= len(pixels)
    for backward in reversed(network.backward):
        gradient = backward(gradient)
    return network.gradients, network.moments, learning_rate(recipe, iteration)


def learning_rate(recipe, iteration):
    if recipe.schedule == "constant":
        return recipe.learning_rate
    if recipe.schedule == "exponential":
        decayed = recipe.learning_rate * np.exp(-iteration / recipe.decay_iterations)
        return recipe.learning_rate_floor + decayed
    peak = recipe.warmup * recipe.iterations
    if iteration < peak:
        return recipe.learning_rate * (0.1 + 0.9 * iteration / peak)
    return recipe.learning_rate * (recipe.iterations - iteration) / (recipe.iterations - peak)


def adam(recipe, weight, mean, square, rate, iteration):
    """Return the weight after a step, given the moments after it (Kingma and Ba 2015, in
    TensorFlow's form).
    """
    count = iteration + 1
    correction = np.sqrt(1 - recipe.beta2**count) / (1 - recipe.beta1**count)
    return weight - rate * correction * mean / (np.sqrt(square) + 1e-8)
