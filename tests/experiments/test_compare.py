"""`--compare`: two runs on the same images."""

import json
import re
import shutil

import numpy as np
import pytest
from helpers import TINY_READER, assert_refused, run_main, some_mnist, write_data
from PIL import Image

from mnist_graph import compare
from mnist_graph.experiments.mcnemar import exact_binomial
from mnist_graph.panels.montage import RED
from mnist_graph.runs.find import load_run


@pytest.fixture(scope="module")
def compared(trained, tmp_path_factory):
    """The output of a comparison, and its runs' directories."""
    cwd = tmp_path_factory.mktemp("compared")
    for model in ("softmax", "mlp"):
        shutil.copytree(trained(model).directory, cwd / "runs" / model / "1")
    outcome = run_main(cwd, "--compare", "runs/softmax/1", "runs/mlp/1")
    return cwd, outcome


def test_what_differs_is_printed(compared):
    cwd, outcome = compared
    assert outcome.code == 0, outcome.err
    head, *rows, _, _ = outcome.out.splitlines()
    assert head.split() == ["runs/softmax/1", "runs/mlp/1"]
    found = {row[:18].strip(): row[18:].split() for row in rows}
    results = [load_run(cwd / "runs" / name / "1").result for name in ("softmax", "mlp")]
    assert found["learning_rate"] == ["0.5", "0.0001"]
    assert found["hidden"] == ["none", "512,256,128"]
    assert "seed" not in found
    assert found["accuracy (test)"] == [f"{each.test_accuracy:.4f}" for each in results]
    assert found["misclassified"] == [
        f"{10_000 * (1 - each.test_accuracy):,.0f}" for each in results
    ]


def test_the_test_of_the_difference_and_the_sheet_count_the_same_images(compared):
    cwd, outcome = compared
    counts = re.search(
        r"Of 10,000 test images, only runs/softmax/1 is right on (\d+), only runs/mlp/1 on (\d+); "
        r"both are wrong in different ways on (\d+)\n",
        outcome.out,
    )
    one, other, both = map(int, counts.groups())
    results = [load_run(cwd / "runs" / name / "1").result for name in ("softmax", "mlp")]
    assert one - other == round(10_000 * (results[0].accuracy - results[1].accuracy))
    probability = exact_binomial(min(one, other), one + other)
    assert outcome.out.endswith(
        f"McNemar's test: p = {probability:.2g}: the difference is more than chance\n"
    )
    path = "runs/softmax/1/compared-with-mlp-1.png"
    assert outcome.err == f"mnist-graph: all {one + other + both:,} images drawn in {path}\n"
    sheet = np.asarray(Image.open(cwd / path))
    # The upper left corner of a cell is RED, and has white to its left and above it.
    red = (sheet == RED).all(axis=-1)
    shifted = np.pad(red, ((1, 0), (1, 0)))
    corners = red & ~shifted[:-1, 1:] & ~shifted[1:, :-1]
    big = [red[y : y + 5, x : x + 5].all() for y, x in zip(*np.nonzero(corners), strict=True)]
    assert sum(big) >= one + other + both


def test_the_same_from_python(compared, mnist):
    cwd, outcome = compared
    found = compare(cwd / "runs/mlp/1", cwd / "runs/softmax/1")
    assert found.differences["keep_prob"] == (0.5, None)
    assert np.array_equal(found.labels, mnist.test.sparse_labels)
    one, other = found.predictions
    right = (one == found.labels), (other == found.labels)
    assert np.array_equal(found.only_one, right[0] & ~right[1])
    assert np.array_equal(found.only_other, right[1] & ~right[0])
    assert np.array_equal(found.both_wrong, ~right[0] & ~right[1] & (one != other))
    assert found.disagreements == (one != other).sum()
    assert f"{found.disagreements:,} images" in outcome.err


def test_runs_that_never_disagree_need_no_sheet(compared, tmp_path):
    cwd, _ = compared
    shutil.copytree(cwd / "runs/mlp/1", tmp_path / "copy")
    outcome = run_main(tmp_path, "--compare", cwd / "runs/mlp/1", "copy")
    assert outcome.code == 0
    assert outcome.err == ""
    assert outcome.out.endswith("McNemar's test: p = 1: the difference may be chance\n")


@pytest.mark.slow
def test_runs_of_a_sweep_are_compared_on_the_held_out_images(swept, misleading):
    cwd, _, _ = swept
    words = ("--compare", "sweeps/1/runs/1", "sweeps/1/runs/2", "--data-dir", misleading)
    outcome = run_main(cwd, *words)
    assert outcome.code == 0, outcome.err
    assert "\naccuracy (validation)" in outcome.out
    assert "\nOf 300 held-out training images, only " in outcome.out


@pytest.mark.slow
def test_readers_are_compared_on_strips(tmp_path):
    for seed in (0, 1):
        assert run_main(tmp_path, *TINY_READER, "--seed", seed, "--quiet").code == 0
    outcome = run_main(tmp_path, "--compare", "runs/reader/1", "runs/reader/2")
    assert outcome.code == 0, outcome.err
    assert "Of 40 test images, only runs/reader/1 is right on " in outcome.out
    assert (tmp_path / "runs/reader/1/compared-with-reader-2.png").exists()


def test_runs_that_cannot_be_compared_are_refused(compared, trained, swept, tmp_path, mnist):
    cwd, _ = compared
    mlp = cwd / "runs/mlp/1"

    def refuse(other, code, said, *words):
        assert_refused(run_main(tmp_path, "--compare", mlp, other, *words), code, said)

    refuse(mlp, 2, f"{mlp} is compared with itself; name two runs")
    refuse("missing", 1, "missing is not a run directory")
    shutil.copytree(mlp, tmp_path / "begun")
    (tmp_path / "begun/result.json").unlink()
    refuse("begun", 1, "begun is not finished; continue it with --resume")
    refuse(swept[0] / "sweeps/1/runs/1", 2, "is of a sweep, which leaves the test images alone")
    refuse(trained("reader").directory, 2, "only one of")
    shutil.copytree(mlp, tmp_path / "other")
    described = json.loads((tmp_path / "other/recipe.json").read_text())
    described["sha256"]["t10k-images-idx3-ubyte"] = "0" * 64
    (tmp_path / "other/recipe.json").write_text(json.dumps(described))
    refuse("other", 2, "are runs of different data")
    data = write_data(tmp_path / "data", *some_mnist(mnist))
    softmax = cwd / "runs/softmax/1"
    refuse(softmax, 2, "was trained on other data; give its --data-dir", "--data-dir", data)
    refuse(softmax, 1, "nowhere is not a folder", "--data-dir", "nowhere")
    refuse(softmax, 2, "--model has no effect with --compare", "--model", "mlp")


def test_two_runs_are_needed(command):
    assert_refused(command("--compare", "a"), 2, "argument --compare: expected 2 arguments")
