"""Starting and stopping a server, and what its page sends along."""

import os
import signal

from helpers import start_command

OWN = {"X-Mnist-Graph": "1"}
"""What the page sends along."""


def start_server(cwd, *words):
    """Start a server; return the process and its address."""
    # Set by TensorFlow's import in this process; it would let the child's messages through.
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    words = ("--serve", "--port", "0", "--quiet", *words)
    process = start_command(cwd, *words, env=environment)
    line = process.stdout.readline()
    assert line.startswith("Serving at http://"), line + process.stderr.read()
    return process, line.removeprefix("Serving at ").strip()


def stop_server(process):
    """Stop a server as `kill` does; return its exit code and what it wrote since."""
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=30)
    return process.returncode, out, err
