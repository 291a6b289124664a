"""What Python processes are started with that run parts of this package."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
"""The folder that the package is in."""
WITHOUT_CURRENT_FOLDER = """
import sys
sys.path = [folder for folder in sys.path if folder]
"""
"""The first lines for `python -c`: a random.py in the current folder would be imported instead of
Python's. For Python 3.11 and newer, -P would do."""


def child_environment() -> dict[str, str]:
    """Return the environment of this process, in which the package is found, installed or not."""
    places = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, places))}
