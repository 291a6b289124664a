"""The tutorials' loops. They round as the command does, which uses oneDNN."""

from mnist_graph.cli.quiet import use_onednn

use_onednn()
