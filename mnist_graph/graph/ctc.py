"""Connectionist temporal classification (CTC; Graves et al. 2006): labels for a row of columns.

A path gives each column a digit or the blank; it reads as the digits that are left when repeated
ones are merged and blanks are removed. The loss is minus the logarithm of the summed probability
of all paths that read as the labels, so no label needs to say where its digit is.

Labels are int32 [n, longest], padded with PADDING on the right; logits are float32
[n, columns, classes + 1], the last class being the blank.
"""

import tensorflow as tf
import tensorflow.compat.v1 as tf1

from mnist_graph.data.strips.size import PADDING
from mnist_graph.graph.layers import scope


def ctc_loss(logits: tf.Tensor, labels: tf.Tensor, name: str = "loss") -> tf.Tensor:
    """Return minus the log-probability of each strip's labels, float32 [n].

    It is 0 for a strip whose labels do not fit into its columns (one for each label, and one more
    between equal neighbours): no network can read it.
    """
    with scope(name):
        # TensorFlow's operation takes no strip without labels. Its only path is all blanks.
        is_empty = tf.reduce_all(tf.equal(labels, PADDING), axis=1)
        of_blanks = -tf.reduce_sum(tf.nn.log_softmax(logits)[..., -1], axis=1)
        losses = tf1.nn.ctc_loss(
            labels=_as_sparse(tf.where(is_empty[:, tf.newaxis], tf.zeros_like(labels), labels)),
            inputs=tf.transpose(logits, [1, 0, 2]),
            sequence_length=_column_counts(logits),
            ignore_longer_outputs_than_inputs=True,
        )
        return tf.where(is_empty, of_blanks, losses)


def greedy_decode(logits: tf.Tensor) -> tf.Tensor:
    """Return what the most probable path of each strip reads as: int32 [n, columns], padded."""
    with scope("predictions"):
        (decoded,), _ = tf.nn.ctc_greedy_decoder(
            tf.transpose(logits, [1, 0, 2]), _column_counts(logits)
        )
        shape = tf.shape(logits, out_type=tf.int64)[:2]
        padded = tf.SparseTensor(decoded.indices, tf.cast(decoded.values, tf.int32), shape)
    return tf.sparse.to_dense(padded, default_value=PADDING, name="predictions")


def are_equal(predictions: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Return which strips have exactly the same digits in both: bool [n]."""
    width = tf.maximum(tf.shape(predictions)[1], tf.shape(labels)[1])
    one, other = (
        tf.pad(digits, [[0, 0], [0, width - tf.shape(digits)[1]]], constant_values=PADDING)
        for digits in (predictions, labels)
    )
    return tf.reduce_all(tf.equal(one, other), axis=1)


def _as_sparse(labels: tf.Tensor) -> tf.SparseTensor:
    indices = tf.where(tf.not_equal(labels, PADDING))
    shape = tf.shape(labels, out_type=tf.int64)
    return tf.SparseTensor(indices, tf.gather_nd(labels, indices), shape)


def _column_counts(logits: tf.Tensor) -> tf.Tensor:
    """Return the number of columns of each strip, int32 [n]: the same for all."""
    shape = tf.shape(logits)
    return tf.fill([shape[0]], shape[1])
