"""The tutorials' building blocks, under the tutorials' names.

Everything random in them follows from the graph's seed, the layer's place in the graph and, for
dropout, the iteration. So two graphs with the same seed start from the same weights, and a
resumed run drops the units that the uninterrupted run would have dropped.

Where a layer takes a `dtype`, float32 or bfloat16, it multiplies in it and returns it, biases
included. Variables are always float32.
"""

import math
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import tensorflow as tf
import tensorflow.compat.v1 as tf1

from mnist_graph.graph.network import LRN, Size, pair, pool_size
from mnist_graph.graph.share import Share

ACTIVATIONS: dict[str, Callable[[tf.Tensor], tf.Tensor]] = {
    "relu": tf.nn.relu,
    "sigmoid": tf.sigmoid,
    "tanh": tf.tanh,
    "linear": tf.identity,
}

BATCH_NORM_EPSILON = 1e-5
"""Added to the variance, against division by zero."""
FUSED_EPSILON = 1.001e-5
"""What TensorFlow's fused operation makes of it: it raises it to the least that cuDNN takes."""


@contextmanager
def scope(name: str) -> Iterator[None]:
    """Create operations under `name`, also when it is entered again, so that the graph reads
    like the network.
    """
    outer = tf1.get_default_graph().get_name_scope()
    with tf1.name_scope(f"{outer}/{name}/" if outer else f"{name}/"):
        yield


@contextmanager
def layer(name: str) -> Iterator[None]:
    """Create variables and operations under `name`."""
    with tf1.variable_scope(name, auxiliary_name_scope=False), scope(name):
        yield


def weight_variable(shape: Sequence[int], weights: str) -> tf.Variable:
    """Create a float32 variable "weights" of `shape`, [..., inputs, outputs].

    `weights` names the initial values: zeros; truncated-normal with standard deviation 0.1
    (the tutorials'); glorot-uniform, within +-sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio
    2010); he, normal with variance 2 / fan_in (He et al. 2015). Raises ValueError for others.
    """
    shape = tf.TensorShape(shape).as_list()
    *receptive, inputs, outputs = shape
    fan_in, fan_out = math.prod(receptive) * inputs, math.prod(receptive) * outputs

    def seed() -> tf.Tensor:
        # With a constant seed, constant folding would draw the weights a second time.
        return tf1.placeholder_with_default([stream_seed("weights"), 0], [2], name="seed")

    if weights == "zeros":
        initial = tf.zeros(shape)
    elif weights == "truncated-normal":
        initial = tf.random.stateless_truncated_normal(shape, seed(), stddev=0.1)
    elif weights == "glorot-uniform":
        limit = math.sqrt(6 / (fan_in + fan_out))
        initial = tf.random.stateless_uniform(shape, seed(), -limit, limit)
    elif weights == "he":
        initial = tf.random.stateless_normal(shape, seed(), stddev=math.sqrt(2 / fan_in))
    else:
        raise ValueError(f"unknown initial weights {weights!r}")
    return tf1.get_variable("weights", initializer=initial, use_resource=True)


def decayed_weights() -> list[tf.Variable]:
    """Return the weights of the hidden dense layers in the default graph."""
    weights = [v for v in tf1.trainable_variables() if v.op.name.endswith("/weights")]
    return [v for v in weights if v.shape.rank == 2 and v.op.name != "output/weights"]


def bias_variable(units: int, bias: float) -> tf.Variable:
    """Create a float32 variable "biases" [units] that starts at `bias`."""
    return tf1.get_variable("biases", initializer=tf.fill([units], bias), use_resource=True)


def dense(
    inputs: tf.Tensor,
    units: int,
    name: str,
    *,
    weights: str,
    bias: float | None,
    dtype: tf.DType = tf.float32,
    share: Share | None = None,
) -> tf.Tensor:
    """Return inputs x W + b: [..., features] -> [..., units]; without b if `bias` is None. With a
    `share`, W's gradient is later found for the batch of all processes.
    """
    with layer(name):
        w = weight_variable([inputs.shape[-1], units], weights)
        factors = tf.cast(inputs, dtype), tf.cast(w, dtype)
        product = tf.matmul(*factors) if share is None else share.multiply(*factors, w.name)
        return _add_bias(product, bias)


def conv2d(
    inputs: tf.Tensor,
    size: Size,
    channels: int,
    name: str,
    *,
    stride: Size = 1,
    padding: str = "SAME",
    pool: bool | tuple[int, int] = False,
    weights: str,
    bias: float | None,
    dtype: tf.DType = tf.float32,
) -> tf.Tensor:
    """Apply a convolution with a filter of `size`, with biases unless `bias` is None:
    [n, h, w, c] -> [n, ceil(h / stride), ceil(w / stride), channels]. With padding "VALID", h
    and w first shrink by size - 1. Size and stride are numbers, or tuples of height and width.

    With `pool`, apply a max pool over this height and width too (True: `max_pool_2x2`), before the
    biases. The result is the same, since max commutes with adding a constant and with every
    activation here (all of them increase), and leaves these a quarter of the work.
    """
    with layer(name):
        w = weight_variable([*pair(size), inputs.shape[3], channels], weights)
        product = tf.nn.conv2d(
            tf.cast(inputs, dtype), tf.cast(w, dtype), strides=stride, padding=padding
        )
        if pool:
            product = max_pool(product, *pool_size(pool))
        return _add_bias(product, bias)


def _add_bias(product: tf.Tensor, bias: float | None) -> tf.Tensor:
    if bias is None:
        return product
    return tf.nn.bias_add(product, tf.cast(bias_variable(product.shape[-1], bias), product.dtype))


def max_pool_2x2(inputs: tf.Tensor) -> tf.Tensor:
    """Return the maximum of each 2x2: [n, h, w, c] -> [n, ceil(h / 2), ceil(w / 2), c]."""
    return max_pool(inputs, 2, 2)


def max_pool(inputs: tf.Tensor, height: int, width: int, stride: int | None = None) -> tf.Tensor:
    """Return the maximum of each `height` x `width`, every `stride` pixels (default: side by side):
    [n, h, w, c] -> [n, ceil(h / height), ceil(w / width), c].
    """
    strides = [height, width] if stride is None else [stride, stride]
    return tf.nn.max_pool2d(inputs, ksize=[height, width], strides=strides, padding="SAME")


def crop(inputs: tf.Tensor, margin: int) -> tf.Tensor:
    """Leave out `margin` pixels at each edge: [n, h, w, c] -> [n, h - 2 m, w - 2 m, c]."""
    return inputs[:, margin:-margin, margin:-margin, :]


def standardize(inputs: tf.Tensor) -> tf.Tensor:
    """Bring each image of [n, h, w, c] to mean 0 and variance 1; one of a single colour to 0."""
    axes = [1, 2, 3]
    centred = inputs - tf.reduce_mean(inputs, axes, keepdims=True)
    deviation = tf.sqrt(tf.reduce_mean(tf.square(centred), axes, keepdims=True))
    return centred / tf.maximum(deviation, 1 / math.sqrt(math.prod(inputs.shape[1:])))


def local_response_normalization(inputs: tf.Tensor) -> tf.Tensor:
    """Divide each value x of [n, h, w, c] by (1 + 0.001 / 9 * s) ** 0.75, where s is the sum of
    the squares of the nine channels around it (Krizhevsky et al. 2012, with the numbers of
    TensorFlow's CIFAR-10 tutorial). Returns float32.
    """
    return tf.nn.lrn(tf.cast(inputs, tf.float32), **LRN)


def flatten(inputs: tf.Tensor) -> tf.Tensor:
    """[n, ...] -> [n, features]."""
    return tf.reshape(inputs, [-1, math.prod(inputs.shape[1:])], name="flatten")


def batch_normalization(
    inputs: tf.Tensor, is_training: bool, name: str, decay: float, share: Share | None = None
) -> tf.Tensor:
    """Normalize each channel of [n, h, w, c] or [n, c] to mean 0 and variance 1 and add a learned
    offset (Ioffe and Szegedy 2015); the result has the dtype of `inputs`. A learned scale would be
    redundant before ReLU.

    With `is_training`, use the batch's own mean and variance, and update their moving averages
    through tf.GraphKeys.UPDATE_OPS; else use the averages. `decay` is their decay, which is
    lower in the first iterations. With a `share`, the batch is that of all processes.
    """
    channels = inputs.shape[-1]
    with layer(name):
        offset = tf1.get_variable("offset", initializer=tf.zeros([channels]), use_resource=True)
        averages = [
            tf1.get_variable(key, initializer=start, trainable=False, use_resource=True)
            for key, start in (
                ("moving_mean", tf.zeros([channels])),
                ("moving_variance", tf.ones([channels])),
            )
        ]
        framed = inputs if len(inputs.shape) == 4 else inputs[:, tf.newaxis, tf.newaxis, :]
        if share is not None and is_training:
            output, *moments = _normalize_together(framed, offset, averages[0], share)
        else:
            output, *moments = tf1.nn.fused_batch_norm(
                framed,
                tf.ones([channels]),
                offset,
                *([] if is_training else averages),
                epsilon=BATCH_NORM_EPSILON,
                is_training=is_training,
            )
        if is_training:
            iteration = tf.cast(tf1.train.get_or_create_global_step(), tf.float32)
            pace = 1 - tf.minimum(decay, (1 + iteration) / (10 + iteration))
            for average, moment in zip(averages, moments, strict=True):
                update = average.assign_add(pace * (moment - average))
                tf1.add_to_collection(tf1.GraphKeys.UPDATE_OPS, update)
        if inputs.shape[1:].is_fully_defined():
            return tf.reshape(output, [-1, *inputs.shape[1:]])
        return output


def _normalize_together(
    inputs: tf.Tensor, offset: tf.Tensor, centre: tf.Tensor, share: Share
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Normalize [n, h, w, c] by the batch of all processes, as `fused_batch_norm` does with the
    rows of one. Returns the output, and the mean and the unbiased variance, float32 [c].

    One sum over all processes gives both moments, as sums of differences from `centre`, a value
    near the mean that is the same on all of them: squares of these differences lose few digits.
    """
    frames = tf.cast(inputs, tf.float32)
    near = tf.identity(centre)
    differences = frames - near
    sums = [tf.reduce_sum(part, [0, 1, 2]) for part in (differences, tf.square(differences))]
    count = tf.cast(share.batch_size * tf.reduce_prod(tf.shape(inputs)[1:3]), tf.float32)
    distance, square = tf.split(share.total(tf.concat(sums, axis=0)) / count, 2)
    mean, variance = near + distance, tf.maximum(square - tf.square(distance), 0.0)
    output = tf.nn.batch_normalization(frames, mean, variance, offset, None, FUSED_EPSILON)
    unbiased = variance * count / tf.maximum(count - 1, 1.0)
    return tf.cast(output, inputs.dtype), mean, unbiased


def dropout(
    inputs: tf.Tensor,
    keep_prob: tf.Tensor | float,
    name: str = "dropout",
    share: Share | None = None,
) -> tf.Tensor:
    """Keep each unit with probability `keep_prob` and scale it by 1 / keep_prob; set the others
    to 0. Returns float32 of the same shape. With the number 1 it adds no dropout to the graph.
    With a `share`, keep what one process would keep in these rows of the batch.
    """
    if isinstance(keep_prob, float) and keep_prob == 1:
        return tf.cast(inputs, tf.float32)
    with tf1.name_scope(name):
        iteration = tf.cast(tf1.train.get_or_create_global_step(), tf.int32)
        inputs, rate = tf.cast(inputs, tf.float32), 1 - keep_prob
        seed = [stream_seed(name), iteration]
        if share is not None:
            is_kept = share.uniform(tf.shape(inputs), seed) >= rate
            return tf.where(is_kept, inputs / (1 - rate), 0.0)
        return tf.nn.experimental.stateless_dropout(inputs, rate, seed, rng_alg="philox")


def stream_seed(name: str) -> int:
    """Return a random seed of 31 bits: a hash of the graph's seed and the place of `name`."""
    scope = tf1.get_variable_scope().name
    place = f"{tf1.get_default_graph().seed}/{scope}/{scope or name}/{name}"
    return zlib.crc32(place.encode()) & 0x7FFFFFFF
