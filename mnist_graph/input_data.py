"""`from mnist_graph import input_data` replaces
`from tensorflow.examples.tutorials.mnist import input_data` in an old listing.
"""

from mnist_graph.data.datasets import read_data_sets

__all__ = ["read_data_sets"]
