"""Which code a benchmark measures: the commit, and whether files differ from it."""

import subprocess

from benchmarks.reproduce import ROOT

MEASURED = (
    *("mnist_graph", "benchmarks", "main.py", "requirements.txt", "setup.py"),
    ":(exclude)benchmarks/results",
)
"""The files that can change a figure. Results and docs are written from figures: committing those
does not make a new state to measure."""


def find_commit() -> str:
    """Return the last commit that changed measured files, in 12 digits; with "+" if files differ
    from it. Empty outside a repository.
    """
    commit = _git("log", "-1", "--format=%h", "--abbrev=12", "--", *MEASURED)
    return commit + "+" if commit and changed_files() else commit


def is_exact(commit: str) -> bool:
    """Return whether what `find_commit` returned says exactly which code was measured."""
    return bool(commit) and not commit.endswith("+")


def changed_files() -> list[str]:
    """Return the measured files that differ from the commit, or are not in it."""
    lines = _git("status", "--porcelain", "--", *MEASURED).splitlines()
    return [line.split(maxsplit=1)[-1] for line in lines]


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip()
