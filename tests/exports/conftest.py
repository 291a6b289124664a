"""Exports that several test files share, made once."""

import functools
import os

import pytest
from filelock import FileLock

from mnist_graph import export
from mnist_graph.runs.find import load_run


@pytest.fixture(scope="session")
def exported(trained, tmp_path_factory):
    """A function that returns the folder of the first export of a shared run, in all formats."""
    mine = tmp_path_factory.getbasetemp()
    shared = (mine.parent if "PYTEST_XDIST_WORKER" in os.environ else mine) / "exported"
    shared.mkdir(exist_ok=True)

    @functools.cache
    def export_once(model):
        folder = shared / model / "1"
        with FileLock(shared / f"{model}.lock"):
            if not folder.exists():
                export(load_run(trained(model).directory), shared)
        return folder

    return export_once
