"""Side-by-side measurements. All contenders that use TensorFlow have oneDNN, as the command has."""

from mnist_graph.cli.quiet import use_onednn

use_onednn()
