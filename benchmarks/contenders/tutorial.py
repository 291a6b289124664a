"""The tutorials' plain loop: float32 images and one-hot labels fed through `feed_dict`."""

import numpy as np
import tensorflow as tf

from benchmarks.contenders import Timing, time_training
from mnist_graph import recipes

tf1 = tf.compat.v1


def weight_variable(shape: list[int]) -> tf.Variable:
    return tf1.Variable(tf1.truncated_normal(shape, stddev=0.1, seed=0))


def bias_variable(shape: list[int]) -> tf.Variable:
    return tf1.Variable(tf.constant(0.1, shape=shape))


def dense(x: tf.Tensor, units: int) -> tf.Tensor:
    return tf.matmul(x, weight_variable([x.shape[1], units])) + bias_variable([units])


def softmax(x: tf.Tensor, keep_prob: tf.Tensor) -> tf.Tensor:
    return tf.matmul(x, tf1.Variable(tf.zeros([784, 10]))) + tf1.Variable(tf.zeros([10]))


def mlp(x: tf.Tensor, keep_prob: tf.Tensor) -> tf.Tensor:
    for units in (512, 256, 128):
        x = tf.nn.relu(dense(x, units))
    return dense(tf1.nn.dropout(x, keep_prob), 10)


def cnn(x: tf.Tensor, keep_prob: tf.Tensor) -> tf.Tensor:
    x = tf.reshape(x, [-1, 28, 28, 1])
    for inputs, channels in ((1, 32), (32, 64)):
        x = tf.nn.conv2d(x, weight_variable([5, 5, inputs, channels]), 1, "SAME")
        x = tf.nn.max_pool2d(tf.nn.relu(x + bias_variable([channels])), 2, 2, "SAME")
    x = tf.nn.relu(dense(tf.reshape(x, [-1, 7 * 7 * 64]), 1024))
    return dense(tf1.nn.dropout(x, keep_prob), 10)


def measure_speed(model: str, precision: str, iterations: int) -> Timing:
    recipe = recipes[model]
    with tf.Graph().as_default(), tf1.Session() as session:
        x = tf1.placeholder(tf.float32, [None, 784])
        y_ = tf1.placeholder(tf.float32, [None, 10])
        keep_prob = tf1.placeholder(tf.float32)
        y = globals()[model](x, keep_prob)
        cross_entropy = tf.reduce_mean(
            tf1.nn.softmax_cross_entropy_with_logits_v2(labels=y_, logits=y)
        )
        if recipe.optimizer == "adam":
            optimizer = tf1.train.AdamOptimizer(recipe.learning_rate)
        else:
            optimizer = tf1.train.GradientDescentOptimizer(recipe.learning_rate)
        train_step = optimizer.minimize(cross_entropy)
        session.run(tf1.global_variables_initializer())

        def scale_pixels(pixels: np.ndarray) -> np.ndarray:
            return np.multiply(pixels.reshape(-1, 784), np.float32(1 / 255), dtype=np.float32)

        one_hot = np.eye(10, dtype=np.float32)

        def step(pixels: np.ndarray, labels: np.ndarray) -> None:
            feed = {x: scale_pixels(pixels), y_: one_hot[labels], keep_prob: recipe.fed_keep_prob}
            session.run(train_step, feed_dict=feed)

        def predict_logits(pixels: np.ndarray) -> np.ndarray:
            return session.run(y, {x: scale_pixels(pixels), keep_prob: 1})

        return time_training(model, iterations, step, lambda: None, predict_logits)
