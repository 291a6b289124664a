"""The devices that a caller can ask for. Imports nothing heavy, for the command line's help."""

from mnist_graph.errors import UsageError

DEVICES = ("auto", "cpu", "gpu")


def check_device(device: str) -> None:
    """Raise UsageError unless `device` is one of DEVICES."""
    if device not in DEVICES:
        raise UsageError(f"device must be one of {', '.join(DEVICES)}, not {device!r}")
