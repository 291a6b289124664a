"""The network of the recipe `reader`: from strips, rows of digits [n, 32, width, 1], to logits for
each column, [n, width / 4, classes + 1].

The last class is the blank of connectionist temporal classification (CTC; Graves et al. 2006): a
column that adds no digit. `ctc.py` has the loss and the decoding.
"""

from mnist_graph.graph.network import Layers, Tensor, network
from mnist_graph.graph.recipe import Recipe

POOLS = {3: (2, 2), 5: (2, 1), 7: (2, 1)}
"""The max pool, height by width, after each convolution of this number. Together with the stride of
the first they leave 2 of 32 rows, and a column for every 4 pixels.
"""


@network(
    "channels",
    "activation",
    "bias",
    "keep_prob",
    "batch_normalization",
    convolutions=11,
    reads_strips=True,
)
def reader(layers: Layers[Tensor], strips: Tensor, recipe: Recipe) -> Tensor:
    """Eleven convolutions: one 5x5 that halves both sides, seven 3x3, pooled to 2 rows, one 2x3
    that joins the two rows, dropout, and two 1x5 along the row, which see how the neighbours are
    written. No layer depends on the width, so a strip can be of any.
    """
    first, *channels, joined, before, last = recipe.channels or ()
    hidden = layers.conv2d(strips, 5, first, "conv1", stride=2)
    for number, count in enumerate(channels, start=2):
        pool = POOLS.get(number, False)
        hidden = layers.conv2d(hidden, 3, count, f"conv{number}", pool=pool)
    # Stride 2 takes both rows at once; the width is padded, so that no column is lost.
    hidden = layers.conv2d(hidden, (2, 3), joined, "conv9", stride=(2, 1))
    hidden = layers.dropout(hidden, layers.keep_prob, "dropout9")
    hidden = layers.conv2d(hidden, (1, 5), before, "conv10")
    hidden = layers.conv2d(hidden, (1, 5), last, "conv11")
    return layers.logits(layers.columns(hidden))
