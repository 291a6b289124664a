"""`from mnist_graph import input_data`, where an old listing says
`from tensorflow.examples.tutorials.mnist import input_data`.
"""

from mnist_graph.datasets import read_data_sets

__all__ = ["read_data_sets"]
