"""The network of the recipe `reader`: from strips, rows of digits [n, 32, width, 1], to logits for
each column, [n, width / 4, classes + 1].

The last class is the blank of connectionist temporal classification (CTC; Graves et al. 2006): a
column that adds no digit. `ctc.py` has the loss and the decoding.
"""

from mnist_graph.graph.network import Layers, Tensor, network
from mnist_graph.graph.recipe import Recipe

POOLS = {2: (2, 2), 4: (2, 2), 6: (2, 1), 8: (2, 1)}
"""The max pool, height by width, after each convolution of this number. Together they leave 2 of
32 rows, and a column for every 4 pixels.
"""


@network(
    "channels",
    "activation",
    "bias",
    "keep_prob",
    "batch_normalization",
    convolutions=10,
    reads_strips=True,
)
def reader(layers: Layers[Tensor], strips: Tensor, recipe: Recipe) -> Tensor:
    """Ten convolutions: eight 3x3, pooled to 2 rows, one 2x3 that joins the two rows, dropout, and
    one 1x3 along the row. No layer depends on the width, so a strip can be of any.
    """
    *channels, joined, last = recipe.channels or ()
    hidden = strips
    for number, count in enumerate(channels, start=1):
        pool = POOLS.get(number, False)
        hidden = layers.conv2d(hidden, 3, count, f"conv{number}", pool=pool)
    # Stride 2 takes both rows at once; the width is padded, so that no column is lost.
    hidden = layers.conv2d(hidden, (2, 3), joined, "conv9", stride=(2, 1))
    hidden = layers.dropout(hidden, layers.keep_prob, "dropout9")
    hidden = layers.conv2d(hidden, (1, 3), last, "conv10")
    return layers.logits(layers.columns(hidden))
