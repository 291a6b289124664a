"""Exports that several test files share, made once."""

import functools
import os
import shutil

import pytest
from filelock import FileLock

from mnist_graph import export
from mnist_graph.runs.find import load_run


@pytest.fixture(scope="session")
def exported(trained, tmp_path_factory):
    """A function that returns the folder of the first export of a shared run, in all formats. The
    run is a copy, since an export leaves its LiteRT model there: see `exported_run`.
    """
    mine = tmp_path_factory.getbasetemp()
    shared = (mine.parent if "PYTEST_XDIST_WORKER" in os.environ else mine) / "exported"
    shared.mkdir(exist_ok=True)

    @functools.cache
    def export_once(model):
        folder = shared / model / "1"
        with FileLock(shared / f"{model}.lock"):
            if not folder.exists():
                run = shutil.copytree(trained(model).directory, shared / f"run-{model}")
                export(load_run(run), shared)
        return folder

    return export_once


@pytest.fixture(scope="session")
def exported_run(exported):
    """A function that returns the run of a model, which has been exported."""

    def find(model):
        return load_run(exported(model).parents[1] / f"run-{model}")

    return find
