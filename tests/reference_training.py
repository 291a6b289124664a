"""A training step once more, in NumPy and float64 alone: forward, gradient and update.

Nothing here is taken from the package but which units dropout drops, which TensorFlow's
generator of random numbers decides; what is done with them is done here.
"""

import numpy as np
from reference import ACTIVATIONS, pool

SLOPES = {
    "relu": lambda x, y: x > 0,
    "sigmoid": lambda x, y: y * (1 - y),
    "tanh": lambda x, y: 1 - y * y,
    "linear": lambda x, y: np.ones_like(x),
}
EPSILON = 1e-5


class Network:
    """The layers of a recipe's network, run forwards and then backwards."""

    def __init__(self, recipe, values, kept):
        """`values` are the variables by name; `kept(name, shape, keep_prob)` says which units
        dropout keeps."""
        self.recipe, self.kept = recipe, kept
        self.values = {name: value.astype(np.float64) for name, value in values.items()}
        self.gradients, self.moments, self.back = {}, {}, []

    def logits(self, images):
        layer = images.astype(np.float64)[..., np.newaxis] / 255
        layer = getattr(self, self.recipe.network)(layer)
        return self.dense(layer, "output", finish=False)

    def softmax(self, layer):
        return self.flatten(layer)

    def mlp(self, layer):
        return self.dense_layers(self.flatten(layer))

    def cnn(self, layer):
        for name in ("conv1", "conv2"):
            layer = self.convolution(layer, name, pooled=True)
        return self.dense_layers(self.flatten(layer))

    def conv2(self, layer):
        layer = self.convolution(layer, "conv1", stride=2, padded=False)
        layer = self.convolution(layer, "conv2", padded=False, pooled=True)
        return self.dense_layers(self.flatten(layer))

    def conv3(self, layer):
        for name, stride in (("conv1", 1), ("conv2", 2), ("conv3", 2)):
            layer = self.convolution(layer, name, stride)
        return self.dense_layers(self.flatten(layer))

    def cnn5(self, layer):
        layer = self.convolution(layer, "conv1", pooled=True)
        layer = self.convolution(layer, "conv2")
        layer = self.convolution(layer, "conv3", pooled=True)
        layer = self.dropout(layer, "dropout3", (1 + self.recipe.keep_prob) / 2)
        layer = self.convolution(layer, "conv4")
        layer = self.convolution(layer, "conv5", pooled=True)
        return self.flatten(self.dropout(layer, "dropout5", self.recipe.keep_prob))

    def dense_layers(self, layer):
        last = len(self.recipe.hidden)
        for number in range(1, last + 1):
            layer = self.dense(layer, f"dense{number}")
            if self.recipe.keep_prob is not None and (
                number == last or self.recipe.dropout == "each"
            ):
                layer = self.dropout(layer, f"dropout{number}", self.recipe.keep_prob)
        return layer

    def flatten(self, layer):
        self.back.append(lambda gradient: gradient.reshape(layer.shape))
        return layer.reshape(len(layer), -1)

    def dense(self, layer, name, finish=True):
        weights = self.values[f"{name}/weights"]

        def back(gradient):
            self.gradients[f"{name}/weights"] = layer.T @ gradient
            return gradient @ weights.T

        self.back.append(back)
        return self.finish(layer @ weights, name, finish)

    def convolution(self, layer, name, stride=1, padded=True, pooled=False):
        weights = self.values[f"{name}/weights"]
        size = len(weights)
        side = -(-(layer.shape[1] - (0 if padded else size - 1)) // stride)
        missing = max(0, (side - 1) * stride + size - layer.shape[1])
        around = (missing // 2, missing - missing // 2)
        framed = np.pad(layer, ((0, 0), around, around, (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(framed, (size, size), axis=(1, 2))
        windows = windows[:, ::stride, ::stride].transpose(0, 1, 2, 4, 5, 3)
        rows = windows.reshape(-1, weights[..., 0].size)
        product = (rows @ weights.reshape(len(rows[0]), -1)).reshape(len(layer), side, side, -1)

        def back(gradient):
            flat = gradient.reshape(-1, gradient.shape[-1])
            self.gradients[f"{name}/weights"] = (rows.T @ flat).reshape(weights.shape)
            into = np.zeros_like(framed)
            for y in range(size):
                for x in range(size):
                    part = into[:, y : y + side * stride : stride, x : x + side * stride : stride]
                    part += (gradient @ weights[y, x].T)[:, : part.shape[1], : part.shape[2]]
            start, end = around[0], around[0] + layer.shape[1]
            return into[:, start:end, start:end]

        self.back.append(back)
        if pooled:
            product = self.pooled(product)
        return self.finish(product, name, True)

    def pooled(self, layer):
        output = pool(layer)

        def back(gradient):
            height, width = layer.shape[1:3]
            high = output.repeat(2, axis=1).repeat(2, axis=2)[:, :height, :width]
            first = layer == high
            # Of equal values the first one counts.
            taken = np.zeros(output.shape, bool)
            into = np.zeros_like(layer)
            for y in (0, 1):
                for x in (0, 1):
                    is_it = first[:, y::2, x::2]
                    rows, columns = is_it.shape[1:3]
                    free = is_it & ~taken[:, :rows, :columns]
                    into[:, y::2, x::2] = np.where(free, gradient[:, :rows, :columns], 0)
                    taken[:, :rows, :columns] |= is_it
            return into

        self.back.append(back)
        return output

    def finish(self, layer, name, activate):
        axes = tuple(range(layer.ndim - 1))
        if f"{name}/offset" in self.values:
            layer = self.normalised(layer, name, axes)
        else:
            layer = layer + self.values[f"{name}/biases"]

            def back(gradient):
                self.gradients[f"{name}/biases"] = gradient.sum(axis=axes)
                return gradient

            self.back.append(back)
        if not activate:
            return layer
        output = ACTIVATIONS[self.recipe.activation](layer)
        slope = SLOPES[self.recipe.activation](layer, output)
        self.back.append(lambda gradient: gradient * slope)
        return output

    def normalised(self, layer, name, axes):
        count = layer[..., 0].size
        mean, variance = layer.mean(axis=axes), layer.var(axis=axes)
        deviation = np.sqrt(variance + EPSILON)
        output = (layer - mean) / deviation
        self.moments[f"{name}/moving_mean"] = mean
        self.moments[f"{name}/moving_variance"] = variance * count / (count - 1)

        def back(gradient):
            self.gradients[f"{name}/offset"] = gradient.sum(axis=axes)
            along = (gradient * output).mean(axis=axes)
            return (gradient - gradient.mean(axis=axes) - output * along) / deviation

        self.back.append(back)
        return output + self.values[f"{name}/offset"]

    def dropout(self, layer, name, keep_prob):
        scale = self.kept(name, layer.shape, keep_prob) / keep_prob
        self.back.append(lambda gradient: gradient * scale)
        return layer * scale


def step(recipe, values, images, labels, iteration, kept):
    """The loss, the gradients and the batch's moments by name, and the learning rate."""
    network = Network(recipe, values, kept)
    logits = network.logits(images)
    shifted = logits - logits.max(axis=1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    classes = logits.shape[1]
    wanted = np.eye(classes)[labels] * (1 - recipe.label_smoothing)
    wanted += recipe.label_smoothing / classes
    share = 1 / len(images) if recipe.loss == "mean" else 1
    gradient = (np.exp(logs) - wanted) * share
    for back in reversed(network.back):
        gradient = back(gradient)
    return network.gradients, network.moments, rate(recipe, iteration)


def rate(recipe, iteration):
    if recipe.schedule == "constant":
        return recipe.learning_rate
    if recipe.schedule == "exponential":
        falling = recipe.learning_rate * np.exp(-iteration / recipe.decay_iterations)
        return recipe.learning_rate_floor + falling
    top = recipe.warmup * recipe.iterations
    if iteration < top:
        return recipe.learning_rate * (0.1 + 0.9 * iteration / top)
    return recipe.learning_rate * (recipe.iterations - iteration) / (recipe.iterations - top)


def adam(recipe, weight, mean, square, learning_rate, iteration):
    """The weight after a step with these moments (Kingma and Ba 2015, as TensorFlow has it)."""
    count = iteration + 1
    correction = np.sqrt(1 - recipe.beta2**count) / (1 - recipe.beta1**count)
    return weight - learning_rate * correction * mean / (np.sqrt(square) + 1e-8)
