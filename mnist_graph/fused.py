"""Convolution, bias, ReLU and max pool as one, in bfloat16: what `layers` has apart, faster.

In float32 nothing is gained so: there the products take nearly all of the time.
"""

from collections.abc import Callable

import tensorflow as tf

from mnist_graph.layers import bias_variable, layer, max_pool_2x2, weight_variable

CONVOLUTION = {"strides": [1, 1, 1, 1], "padding": "SAME"}
POOL = {"ksize": [1, 2, 2, 1], "strides": [1, 2, 2, 1], "padding": "SAME"}


def conv_relu_pool(
    inputs: tf.Tensor, size: int, channels: int, name: str, *, weights: str, bias: float
) -> tf.Tensor:
    """A `size` x `size` convolution, padded to keep the frame, with bias, ReLU and
    `max_pool_2x2`: [n, h, w, c] -> bfloat16 [n, ceil(h / 2), ceil(w / 2), channels]. Its
    variables are float32.
    """
    with layer(name):
        w = weight_variable([size, size, inputs.shape[3], channels], weights)
        b = bias_variable(channels, bias)
        return _block(*(tf.cast(tensor, tf.bfloat16) for tensor in (inputs, w, b)))


@tf.custom_gradient
def _block(inputs: tf.Tensor, w: tf.Tensor, b: tf.Tensor) -> tuple[tf.Tensor, Callable]:
    """Forwards, the pool is last: convolution, bias and ReLU then are one pass over the frame.
    Backwards, it is taken for the first behind the convolution, which is the same, as a
    maximum commutes with bias and ReLU: their gradients have a quarter of the work so.
    """
    raw = tf.raw_ops
    frame = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(inputs, w, **CONVOLUTION), b))
    pooled = max_pool_2x2(frame)

    def gradients(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        of_sums = raw.ReluGrad(gradients=upstream, features=pooled)
        of_products = raw.MaxPoolGrad(orig_input=frame, orig_output=pooled, grad=of_sums, **POOL)
        of_inputs = raw.Conv2DBackpropInput(
            input_sizes=tf.shape(inputs), filter=w, out_backprop=of_products, **CONVOLUTION
        )
        of_w = raw.Conv2DBackpropFilter(
            input=inputs, filter_sizes=w.shape.as_list(), out_backprop=of_products, **CONVOLUTION
        )
        return of_inputs, of_w, raw.BiasAddGrad(out_backprop=of_sums)

    return pooled, gradients
