"""A network and a recipe of your own, trained from Python without editing the package.

    python -m examples.your_network

The run lands in runs/one-conv/, with checkpoints, curves and panel data, like any other run.
"""

from mnist_graph import Classifier, Recipe, network, read_data_sets, train


@network("activation", "bias", "keep_prob")  # the optional hyperparameters that it uses
def one_conv(layers, images, recipe):
    """One convolution, one dense layer: images [n, 28, 28, 1] -> logits [n, 10]."""
    hidden = layers.conv2d(images, 5, 16, "conv1", pool=True)
    hidden = layers.dense(layers.flatten(hidden), 100, "dense1")
    hidden = layers.dropout(hidden, layers.keep_prob, "dropout1")
    return layers.logits(hidden)


MY_RECIPE = Recipe(
    model="one-conv",
    network="one_conv",
    iterations=500,
    batch_size=100,
    learning_rate=0.001,
    activation="relu",
    keep_prob=0.75,
)


def main(iterations: int = MY_RECIPE.iterations) -> None:
    recipe = MY_RECIPE.override(iterations=iterations)
    run = train(recipe, read_data_sets(validation_size=recipe.validation_size))
    for iteration, loss, accuracy in run.history:
        print(f"Iteration {iteration}: loss {loss}, accuracy {accuracy}")
    print(f"Accuracy on test set: {run.result.test_accuracy}")
    with Classifier.restore(run.directory) as reader:
        print(f"test_img.png shows a {reader.read('test_img.png')[0].label}")


if __name__ == "__main__":
    main()
