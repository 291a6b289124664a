"""What a run directory shows of its training, and a digit read at every snapshot."""

import asyncio
import shutil

import numpy as np
import pytest

from mnist_graph import MnistGraphError, recipes, train
from mnist_graph.runs.csv_log import CsvLog
from mnist_graph.runs.find import load_run
from mnist_graph.runs.run import Metrics
from mnist_graph.serving.learning import snapshots
from mnist_graph.serving.learning.progress import DIGITS, Progress
from mnist_graph.serving.learning.snapshots import SnapshotNetworks
from mnist_graph.training.snapshots import SaveSnapshots

PIXELS = np.zeros((28, 28), np.uint8)


@pytest.fixture(scope="module")
def run(mnist, tmp_path_factory):
    recipe = recipes["softmax"].override(iterations=9)
    folder = tmp_path_factory.mktemp("run")
    return train(recipe, mnist, folder / "softmax" / "1", hooks=[SaveSnapshots()], device="cpu")


def test_only_new_rows_are_told(tmp_path):
    progress, log = Progress(tmp_path), CsvLog(tmp_path / "history.csv", Metrics)
    assert progress.update(progress.read()) == {}
    log.write([Metrics(0, 2.0, 0.1), Metrics(10, 1.0, 0.5)])
    told = {"from": 0, "rows": [[0, 2.0, 0.1], [10, 1.0, 0.5]]}
    assert progress.update(progress.read()) == {"history": told}
    assert progress.update(progress.read()) == {}
    log.append(Metrics(20, float("nan"), 0.5))
    log.append(Metrics(20, 0.5, 0.6))
    assert progress.update(progress.read())["history"] == {"from": 2, "rows": [[20, 0.5, 0.6]]}
    log.write([Metrics(0, 2.0, 0.1), Metrics(10, 0.9, 0.5)])  # resumed from a checkpoint
    assert progress.update(progress.read())["history"] == {"from": 1, "rows": [[10, 0.9, 0.5]]}
    log.write([])
    assert progress.update(progress.read())["history"] == {"from": 0, "rows": []}
    assert progress.whole() == {
        "history": {"from": 0, "rows": []},
        "test": {"from": 0, "rows": []},
        "digits": None,
    }


def test_digits_are_told_once_they_have_changed(run, tmp_path):
    shutil.copy(run.directory / "batch.npz", tmp_path)
    progress = Progress(tmp_path)
    digits = progress.update(progress.read())["digits"]
    assert len(digits["labels"]) == len(digits["predictions"]) == DIGITS
    assert digits["evaluated"] == 100
    assert progress.update(progress.read()) == {}
    (tmp_path / "batch.npz").write_bytes(b"damaged")
    assert progress.update(progress.read()) == {}
    assert progress.whole()["digits"] == digits


def test_a_few_networks_stay_open(run, tmp_path, monkeypatch):
    monkeypatch.setattr(snapshots, "MAX_OPEN", 2)
    copies = [shutil.copytree(run.directory, tmp_path / str(number)) for number in range(3)]
    networks = SnapshotNetworks("cpu")

    async def read_all():
        return [await networks.read(load_run(copy), PIXELS) for copy in (*copies, copies[0])]

    first, *others = asyncio.run(read_all())
    assert [each["iteration"] for each in first] == list(range(9))
    assert others == [first] * 3
    assert [network.run.directory.name for network in networks._open] == ["0", "2"]


def test_weights_of_another_network(run, tmp_path):
    copy = load_run(shutil.copytree(run.directory, tmp_path / "copy"))
    path = copy.directory / "snapshots" / "000003.npz"
    np.savez(path, weights=np.zeros(3, np.float16))
    with pytest.raises(MnistGraphError, match=r"000003\.npz has the weights of another network"):
        asyncio.run(SnapshotNetworks("cpu").read(copy, PIXELS))
