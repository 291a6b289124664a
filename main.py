"""`python main.py` is the command `mnist-graph`, without installing it."""

from mnist_graph.cli import run

if __name__ == "__main__":
    run()
