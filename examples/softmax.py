"""Softmax regression: the loop of "MNIST for ML Beginners".

    python -m examples.softmax

Prints what `python main.py --model softmax` prints, up to the rounding of sums: that command has
fewer threads.
"""

import tensorflow as tf

from mnist_graph import input_data
from mnist_graph.graph.layers import bias_variable, weight_variable

tf1 = tf.compat.v1


def main(iterations: int = 1000) -> None:
    mnist = input_data.read_data_sets(seed=0)
    with tf.Graph().as_default(), tf1.Session() as session:
        x = tf1.placeholder(tf.float32, [None, 784])
        y_ = tf1.placeholder(tf.int32, [None])

        W = weight_variable([784, 10], "zeros")  # noqa: N806 - the tutorial's name
        b = bias_variable(10, 0.0)
        y = tf.matmul(x, W) + b

        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y_, logits=y)
        cross_entropy = tf.reduce_mean(losses)
        train_step = tf1.train.GradientDescentOptimizer(0.5).minimize(cross_entropy)
        correct_prediction = tf.equal(tf.argmax(y, 1, output_type=tf.int32), y_)
        accuracy = tf.reduce_mean(tf.cast(correct_prediction, tf.float32))

        session.run(tf1.global_variables_initializer())
        for i in range(iterations):
            images, labels = mnist.train.next_batch(100)
            feed = {x: images, y_: labels}
            session.run(train_step, feed)
            if i % 100 == 0 or i == iterations - 1:
                loss, share = session.run([cross_entropy, accuracy], feed)
                print(f"Iteration {i:<6}| Loss = {loss:<15.6g}| Accuracy = {share:.6g}")
        test = {x: mnist.test.images, y_: mnist.test.labels}
        print(f"Accuracy on test set: {session.run(accuracy, test):.4g}")


if __name__ == "__main__":
    main()
