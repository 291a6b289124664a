"""LiteRT and ONNX Runtime, with the networks that mnist_graph exports."""

from pathlib import Path

from benchmarks.contenders import Timing, time_predictions
from mnist_graph.exports.runtimes import open_exported


def measure_predictions(
    paths: dict[str, str], precision: str, images: int, file: str, threads: int
) -> Timing:
    """Time the exported network in `file`, whose `precision` it has anyway."""
    return time_predictions(open_exported(Path(paths["exported"], file), threads=threads), images)
