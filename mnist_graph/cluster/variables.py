"""All tasks have the same variables: given by the first at the start, compared at checkpoints."""

import hashlib
import math
from typing import Any

import tensorflow as tf
import tensorflow.compat.v1 as tf1

GROUP, NUMBER = 2, 2**20
"""TensorFlow's numbers for these processes and this message, apart from those of a step
(graph/collectives.py).
"""


def add_broadcast(graph: tf.Graph, rank: int, count: int) -> tf.Operation:
    """Add an operation to `graph` that gives all `count` tasks the variables of task 0, bit for
    bit.
    """
    with graph.as_default(), tf.device("/cpu:0"):  # the collectives of a GPU have no integers
        variables = tf1.global_variables()
        words = [math.prod(v.shape) * v.dtype.size // 4 for v in variables]
        meeting = {"group_size": count, "group_key": GROUP, "instance_key": NUMBER}
        if rank == 0:
            bits = [tf.reshape(tf.bitcast(v, tf.int32), [-1]) for v in variables]
            vector = tf.concat(bits, axis=0)
            return tf.raw_ops.CollectiveBcastSend(input=vector, shape=[sum(words)], **meeting).op
        vector = tf.raw_ops.CollectiveBcastRecv(T=tf.int32, shape=[sum(words)], **meeting)
        assignments = [
            variable.assign(_from_words(part, variable))
            for variable, part in zip(variables, tf.split(vector, words), strict=True)
        ]
        return tf.group(*assignments)


def _from_words(words: tf.Tensor, variable: tf.Variable) -> tf.Tensor:
    """Return the value of `variable` that has these bits, int32 [n]."""
    pair = [2] if variable.dtype.size == 8 else []
    return tf.bitcast(tf.reshape(words, [*variable.shape, *pair]), variable.dtype)


def list_variables(graph: tf.Graph) -> list[tf.Variable]:
    """Return all variables of `graph`, ordered by their names."""
    with graph.as_default():
        return sorted(tf1.global_variables(), key=lambda variable: variable.name)


def digest(session: Any, variables: list[tf.Variable]) -> str:
    """Return the SHA-256 of the bits of all `variables`."""
    found = hashlib.sha256()
    for variable, value in zip(variables, session.run(variables), strict=True):
        found.update(variable.name.encode())
        found.update(value.tobytes())
    return found.hexdigest()
