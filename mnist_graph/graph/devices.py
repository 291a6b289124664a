"""The devices that a caller can ask for. Imports nothing heavy, for the command line's help."""

from mnist_graph.data.arguments import wrong_type

DEVICES = ("auto", "cpu", "gpu")


def check_device(device: str) -> None:
    """Raise UsageError unless `device` is one of DEVICES."""
    if not isinstance(device, str) or device not in DEVICES:
        raise wrong_type("device", f"one of {', '.join(DEVICES)}", device)
