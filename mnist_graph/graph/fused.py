"""Convolution, bias, ReLU and max pool as one operation with a gradient of its own.

It replaces the separate layers of `layers.py` in bfloat16, where it saves passes over the frame
forwards and backwards. In float32 it would gain nothing: there the products take nearly all of
the time. The results are the same up to rounding.
"""

from collections.abc import Callable

import tensorflow as tf

from mnist_graph.graph.layers import bias_variable, layer, max_pool_2x2, weight_variable

CONVOLUTION = {"strides": [1, 1, 1, 1], "padding": "SAME"}
POOL = {"ksize": [1, 2, 2, 1], "strides": [1, 2, 2, 1], "padding": "SAME"}


def conv_relu_pool(
    inputs: tf.Tensor, size: int, channels: int, name: str, *, weights: str, bias: float
) -> tf.Tensor:
    """Apply a padded `size` x `size` convolution with bias, ReLU and `max_pool_2x2`:
    [n, h, w, c] -> bfloat16 [n, ceil(h / 2), ceil(w / 2), channels]. Its variables are float32.
    """
    with layer(name):
        w = weight_variable([size, size, inputs.shape[3], channels], weights)
        b = bias_variable(channels, bias)
        return _block(*(tf.cast(tensor, tf.bfloat16) for tensor in (inputs, w, b)))


@tf.custom_gradient
def _block(inputs: tf.Tensor, w: tf.Tensor, b: tf.Tensor) -> tuple[tf.Tensor, Callable]:
    """Apply convolution, bias, ReLU and pooling.

    The forward pass pools last, so that TensorFlow fuses convolution, bias and ReLU. The
    backward pass treats pooling as if it came before bias and ReLU; that is equivalent, since
    max commutes with both, and leaves their gradients a quarter of the work.
    """
    raw = tf.raw_ops
    frame = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(inputs, w, **CONVOLUTION), b))
    pooled = max_pool_2x2(frame)

    def gradients(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        of_pooled = raw.ReluGrad(gradients=upstream, features=pooled)
        of_frame = raw.MaxPoolGrad(orig_input=frame, orig_output=pooled, grad=of_pooled, **POOL)
        of_inputs = raw.Conv2DBackpropInput(
            input_sizes=tf.shape(inputs), filter=w, out_backprop=of_frame, **CONVOLUTION
        )
        of_w = raw.Conv2DBackpropFilter(
            input=inputs, filter_sizes=w.shape.as_list(), out_backprop=of_frame, **CONVOLUTION
        )
        return of_inputs, of_w, raw.BiasAddGrad(out_backprop=of_pooled)

    return pooled, gradients
