"""Starting and stopping a server, and what its page sends along."""

import os
import signal
import subprocess
import sys

from helpers import ROOT

OWN = {"X-Mnist-Graph": "1"}
"""What the page sends along."""


HASTY = """
import sys
sys.path.insert(0, {root!r})
from mnist_graph.serving import bodies, server
bodies.MAX_SECONDS = server.HEAD_SECONDS = 2
from mnist_graph.cli import run
run()
"""
"""The command, with less patience for slow clients."""


def start_server(cwd, *words, is_hasty=False):
    """Start a server; return the process and its address."""
    # Set by TensorFlow's import in this process; it would let the child's messages through.
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    words = ("--serve", "--port", "0", "--quiet", *words)
    program = ["-c", HASTY.format(root=str(ROOT))] if is_hasty else [str(ROOT / "main.py")]
    process = subprocess.Popen(
        [sys.executable, *program, *words],
        cwd=cwd,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    line = process.stdout.readline()
    assert line.startswith("Serving at http://"), line + process.stderr.read()
    return process, line.removeprefix("Serving at ").strip()


def stop_server(process):
    """Stop a server as `kill` does; return its exit code and what it wrote since."""
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=30)
    return process.returncode, out, err
