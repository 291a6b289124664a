"""Three hidden layers with dropout: the loop of "How To Build a Neural Network to Recognize
Handwritten Digits with TensorFlow".

    python -m examples.mlp

Prints what `python main.py --model mlp --precision float32` prints.
"""

import tensorflow as tf

from mnist_graph import input_data
from mnist_graph.graph.layers import dense, dropout

tf1 = tf.compat.v1
START = {"weights": "truncated-normal", "bias": 0.1}


def main(iterations: int = 1000) -> None:
    mnist = input_data.read_data_sets(seed=0)
    with tf.Graph().as_default(), tf1.Session() as session:
        tf1.set_random_seed(0)
        x = tf1.placeholder(tf.float32, [None, 784])
        y_ = tf1.placeholder(tf.int32, [None])
        keep_prob = tf1.placeholder(tf.float32)

        layer = tf.nn.relu(dense(x, 512, "dense1", **START))
        layer = tf.nn.relu(dense(layer, 256, "dense2", **START))
        layer = tf.nn.relu(dense(layer, 128, "dense3", **START))
        layer = dropout(layer, keep_prob, "dropout3")
        y = dense(layer, 10, "output", **START)

        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y_, logits=y)
        cross_entropy = tf.reduce_mean(losses)
        step = tf1.train.get_or_create_global_step()  # dropout depends on the iteration
        train_step = tf1.train.AdamOptimizer(1e-4).minimize(cross_entropy, step)
        correct_prediction = tf.equal(tf.argmax(y, 1, output_type=tf.int32), y_)
        accuracy = tf.reduce_mean(tf.cast(correct_prediction, tf.float32))

        session.run(tf1.global_variables_initializer())
        for i in range(iterations):
            images, labels = mnist.train.next_batch(128)
            feed = {x: images, y_: labels, keep_prob: 0.5}
            session.run(train_step, feed)
            if i % 100 == 0 or i == iterations - 1:
                loss, share = session.run([cross_entropy, accuracy], {**feed, keep_prob: 1.0})
                print(f"Iteration {i:<6}| Loss = {loss:<15.6g}| Accuracy = {share:.6g}")
        test = {x: mnist.test.images, y_: mnist.test.labels, keep_prob: 1.0}
        print(f"Accuracy on test set: {session.run(accuracy, test):.4g}")


if __name__ == "__main__":
    main()
