"""Two convolutions with pooling, then a dense layer with dropout: the loop of "Deep MNIST for
Experts".

    python -m examples.cnn

Prints what `python main.py --model cnn --precision float32` prints.
"""

import numpy as np
import tensorflow as tf

from mnist_graph import input_data
from mnist_graph.graph.layers import conv2d, dense, dropout, flatten

tf1 = tf.compat.v1
START = {"weights": "truncated-normal", "bias": 0.1}


def main(iterations: int = 20_000) -> None:
    mnist = input_data.read_data_sets(seed=0)
    with tf.Graph().as_default(), tf1.Session() as session:
        tf1.set_random_seed(0)
        x = tf1.placeholder(tf.float32, [None, 784])
        y_ = tf1.placeholder(tf.int32, [None])
        keep_prob = tf1.placeholder(tf.float32)

        layer = tf.reshape(x, [-1, 28, 28, 1])
        layer = tf.nn.relu(conv2d(layer, 5, 32, "conv1", pool=True, **START))
        layer = tf.nn.relu(conv2d(layer, 5, 64, "conv2", pool=True, **START))
        layer = tf.nn.relu(dense(flatten(layer), 1024, "dense1", **START))
        layer = dropout(layer, keep_prob, "dropout1")
        y = dense(layer, 10, "output", **START)

        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y_, logits=y)
        cross_entropy = tf.reduce_mean(losses)
        step = tf1.train.get_or_create_global_step()  # dropout depends on the iteration
        train_step = tf1.train.AdamOptimizer(1e-4).minimize(cross_entropy, step)
        correct_prediction = tf.equal(tf.argmax(y, 1, output_type=tf.int32), y_)
        accuracy = tf.reduce_mean(tf.cast(correct_prediction, tf.float32))

        session.run(tf1.global_variables_initializer())
        for i in range(iterations):
            images, labels = mnist.train.next_batch(50)
            feed = {x: images, y_: labels, keep_prob: 0.5}
            session.run(train_step, feed)
            if i % 100 == 0 or i == iterations - 1:
                loss, share = session.run([cross_entropy, accuracy], {**feed, keep_prob: 1.0})
                print(f"Iteration {i:<6}| Loss = {loss:<15.6g}| Accuracy = {share:.6g}")
        shares = []
        for _ in range(40):  # 250 images at a time
            images, labels = mnist.test.next_batch(250)
            shares.append(session.run(accuracy, {x: images, y_: labels, keep_prob: 1.0}))
        print(f"Accuracy on test set: {np.mean(shares):.4g}")


if __name__ == "__main__":
    main()
