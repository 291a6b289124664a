"""The installed package: without the checkout, with its data and its command."""

import os
import shutil
import site
import subprocess
import sysconfig
import venv
from pathlib import Path

import pytest
from helpers import ROOT, printed

GENERATED = shutil.ignore_patterns(".*", "build", "dist", "__pycache__", "*.egg-info")
RUNS = ROOT / "runs"
"""Runs that were trained in the checkout; not part of the source."""


def skip_generated(folder, names):
    """Return the names that are not part of the source, as `shutil.copytree` asks for them."""
    return GENERATED(folder, names) | ({RUNS.name} if Path(folder) == RUNS.parent else set())


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The command in a fresh environment. Nothing is downloaded: the dependencies are borrowed."""
    folder = tmp_path_factory.mktemp("install")
    venv.create(folder / "venv", symlinks=os.name != "nt")
    python = folder / "venv" / "bin" / "python"
    (packages,) = (folder / "venv").glob("lib/python*/site-packages")
    own = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *site.getsitepackages()}
    (packages / "borrowed.pth").write_text("\n".join(sorted(own)))
    shutil.copytree(ROOT, folder / "checkout", ignore=skip_generated)
    pip = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    done = subprocess.run(
        [*pip, "--no-index", folder / "checkout"], capture_output=True, text=True, cwd=folder
    )
    assert done.returncode == 0, done.stderr
    shutil.rmtree(folder / "checkout")
    return python.parent / "mnist-graph"


def run_installed(command, cwd, *words):
    """Run an installed command with no path to the checkout."""
    environment = {n: v for n, v in os.environ.items() if not n.startswith("PYTHON")}
    return subprocess.run(
        [command, *words], cwd=cwd, env=environment, capture_output=True, text=True
    )


def test_the_installed_command_lists_the_models(installed, tmp_path):
    done = run_installed(installed, tmp_path, "--list-models")
    assert done.returncode == 0, done.stderr
    assert "softmax" in done.stdout


def test_the_installed_command_trains_on_the_installed_mnist(installed, tmp_path):
    done = run_installed(installed, tmp_path, "--model", "softmax", "--iterations", "20")
    assert done.returncode == 0, done.stderr
    assert [int(number) for number, _, _ in printed(done.stdout)] == [0, 19]
    assert done.stdout.splitlines()[-1].startswith("Accuracy on test set: 0.")
    assert (tmp_path / "runs" / "softmax" / "1" / "result.json").is_file()


def test_the_installed_command_for_clusters_starts_the_other(installed, tmp_path):
    task = installed.with_name("mnist-graph-task")
    done = run_installed(task, tmp_path, installed, "--list-models")
    assert done.returncode == 0, done.stderr
    assert "softmax" in done.stdout


def test_the_data_is_installed_with_its_licence(installed):
    data = next(installed.parent.parent.rglob("mnist_graph/data/mnist"))
    assert sorted(path.name for path in data.iterdir()) == [
        "README.md",
        "t10k-images-idx3-ubyte.gz",
        "t10k-labels-idx1-ubyte.gz",
        "train-images-idx3-ubyte.gz",
        "train-labels-idx1-ubyte.gz",
    ]


def test_the_page_of_serve_is_installed(installed):
    page = next(installed.parent.parent.rglob("mnist_graph/serving/page"))
    of_source = {path.name for path in (ROOT / "mnist_graph" / "serving" / "page").iterdir()}
    assert {path.name for path in page.iterdir()} == of_source
    assert "index.html" in of_source


def test_the_package_is_imported_from_the_environment(installed, tmp_path):
    words = ["-c", "import mnist_graph; print(mnist_graph.__file__)"]
    done = run_installed(installed.parent / "python", tmp_path, *words)
    assert Path(done.stdout.strip()).is_relative_to(installed.parent.parent)
