"""Training on pictures of one's own, as a user does it: folders and files of other formats."""

import json
import re

import numpy as np
import pytest
from helpers import TEST_IMAGE, assert_refused, run_main
from photos import crop, crops, photo, write_cifar, write_npz, write_photos
from PIL import Image

from mnist_graph import Classifier, read_data_sets, recipes, train
from mnist_graph.errors import UsageError
from mnist_graph.reading.prepare import prepare
from mnist_graph.runs.find import load_run

MLP = ("--model", "mlp", "--iterations", 60, "--batch-size", 20, "--hidden", "32")
MLP += ("--learning-rate", "0.002", "--seed", 1)
ON_PHOTOS = (*MLP, "--data-dir", "photos")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with photographs and a run that was trained on them, and what training printed."""
    cwd = tmp_path_factory.mktemp("own")
    write_photos(cwd / "photos", 80)
    crop("flower", 1001, size=150).save(cwd / "new.jpg")
    photo("china").save(cwd / "other.png")
    return cwd, run_main(cwd, *ON_PHOTOS)


def test_training_on_a_folder_tests_and_saves(trained):
    cwd, outcome = trained
    assert outcome.code == 0, outcome.err
    accuracy = float(re.search(r"Accuracy on test set: (\S+)", outcome.out)[1])
    assert accuracy > 0.7
    run = load_run(cwd / "runs" / "mlp" / "1")
    assert (run.image_shape, run.classes) == ((32, 32, 3), 2)
    assert run.class_names == ("china", "flower")
    assert run.result.test_accuracy == pytest.approx(accuracy, abs=1e-6)
    assert len(list((cwd / "runs" / "cache").iterdir())) == 1


def test_a_picture_is_classified_as_a_whole(trained):
    cwd, _ = trained
    words = ("--model", "mlp", "--run-dir", "runs/mlp/1", "--predict")
    for by in ((*ON_PHOTOS, "--predict"), words[2:]):
        outcome = run_main(cwd, *by, "new.jpg")
        assert outcome.out == "Prediction for test image: flower\n", outcome.err
        assert outcome.code == 0
    several = run_main(cwd, *words, "new.jpg", "other.png", "--probabilities")
    lines = several.out.splitlines()
    assert lines[0] == "new.jpg: flower"
    assert re.fullmatch(r"row 1, column 1: china:0\.\d+ flower:[01]\.\d+", lines[1])
    assert lines[2].startswith("other.png: ")


def test_results_name_the_class(trained):
    cwd, _ = trained
    words = ("--run-dir", "runs/mlp/1", "--predict", "new.jpg")
    (page,) = json.loads(run_main(cwd, *words, "--json").out)
    (digit,) = page["digits"]
    assert (digit["digit"], digit["class"], digit["box"]) == (1, "flower", [0, 0, 150, 150])
    assert run_main(cwd, *words, "--csv", "a.csv", "--annotate", "drawn").code == 0
    assert re.search(r"new.jpg,1,1,1,flower,0\.\d+,0,0,150,150", (cwd / "a.csv").read_text())
    assert Image.open(cwd / "drawn" / "new-read.png").size == (150, 150)


def test_from_python_too(trained):
    cwd, _ = trained
    with Classifier.restore(cwd / "runs" / "mlp" / "1") as reader:
        (found,) = reader.read(cwd / "new.jpg")
        assert (found.name, found.label, found.row, found.column) == ("flower", 1, 0, 0)
        pixels = np.asarray(crop("flower", 3))
        assert reader.read(pixels)[0].probabilities == pytest.approx(
            reader.predict(pixels[np.newaxis])[0], abs=1e-6
        )
        prepared = prepare(TEST_IMAGE)
        with pytest.raises(UsageError, match="reads whole pictures"):
            reader.read_prepared(prepared)


def test_evaluation_names_the_classes_and_draws_the_mistakes(trained):
    cwd, _ = trained
    outcome = run_main(cwd, *ON_PHOTOS, "--evaluate")
    assert outcome.code == 0, outcome.err
    lines = outcome.out.splitlines()
    assert lines[3].split() == ["china", "flower", "recall"]
    assert [line.split()[0] for line in lines[4:]] == ["china", "flower", "precision"]
    if "mistakes drawn" in outcome.err:
        assert Image.open(cwd / "runs" / "mlp" / "1" / "mistakes.png").mode == "RGB"


def test_panels_show_pictures(trained):
    cwd, _ = trained
    outcome = run_main(cwd, "--plot", "runs/mlp/1", "--watch", "panels.png")
    assert outcome.code == 0, outcome.err
    drawn = np.asarray(Image.open(cwd / "panels.png").convert("RGB")).astype(int)
    assert (np.ptp(drawn, axis=2) > 60).sum() > 10_000  # flowers are colourful


def test_the_same_data_are_needed_again(trained):
    cwd, _ = trained
    grey = run_main(cwd, *ON_PHOTOS, "--grey", "--evaluate", "--run-dir", "runs/mlp/1")
    assert_refused(grey, 2, "was trained on other data")
    mnist = run_main(cwd, *MLP, "--evaluate", "--run-dir", "runs/mlp/1")
    assert_refused(mnist, 2, "was trained on other data")


def test_describe_shows_the_pictures_shape(trained):
    cwd, _ = trained
    words = ("--model", "cifar10", "--data-dir", "photos", "--image-size", "40x32", "--describe")
    rows = [line.split()[:2] for line in run_main(cwd, *words).out.splitlines()]
    assert rows[1:4] == [
        ["images", "40x32x3"],
        ["crop", "32x24x3"],
        ["standardize", "32x24x3"],
    ]


@pytest.mark.slow
def test_the_two_recipes_for_colour_train(trained):
    cwd, _ = trained
    for model in ("cifar10", "colour-fast"):
        words = ("--model", model, "--iterations", 2, "--batch-size", 8, "--image-size", "16x16")
        outcome = run_main(cwd, *words, "--data-dir", "photos", "--predict", "new.jpg")
        assert outcome.code == 0, outcome.err
        assert re.search(r"^Prediction for test image: (china|flower)$", outcome.out, re.M)


def test_resume_repeats_the_flags_of_the_data(tmp_path):
    write_photos(tmp_path / "photos", 30)
    words = ("--model", "softmax", "--data-dir", "photos", "--image-size", "8x9", "--grey")
    words += ("--batch-size", 20)
    assert run_main(tmp_path, *words, "--iterations", 3).code == 0
    run = load_run(tmp_path / "runs" / "softmax" / "1")
    assert run.image_shape == (8, 9)
    longer = run_main(tmp_path, *words, "--iterations", 5, "--resume", "--run-dir", run.directory)
    assert longer.code == 0, longer.err


@pytest.mark.slow
def test_a_sweep_on_a_folder_leaves_the_test_pictures_alone(tmp_path):
    write_photos(tmp_path / "photos", 60)
    words = ("--model", "softmax", "--data-dir", "photos", "--iterations", 20)
    words += ("--batch-size", 20, "--image-size", "8x8", "--sweep", "learning_rate=0.01,0.1")
    outcome = run_main(tmp_path, *words, "--at-a-time", 1)
    assert outcome.code == 0, outcome.err
    assert outcome.out.count("validation accuracy") == 3
    assert "--data-dir photos --image-size 8x8" in outcome.out.splitlines()[-1]


@pytest.mark.parametrize(
    "make", [write_cifar, lambda folder, photos: write_npz(folder / "mnist.npz", photos)]
)
def test_other_formats_train(tmp_path, make):
    make(tmp_path / "data", np.concatenate([crops("china", 60), crops("flower", 60)]))
    words = ("--model", "softmax", "--data-dir", "data", "--validation-size", 10)
    outcome = run_main(tmp_path, *words, "--iterations", 2, "--batch-size", 20)
    assert outcome.code == 0, outcome.err
    assert load_run(tmp_path / "runs" / "softmax" / "1").image_shape == (32, 32, 3)


@pytest.mark.slow
def test_a_network_for_colour_is_exported_and_answers_in_litert(tmp_path):
    write_photos(tmp_path / "photos", 60)
    crop("flower", 1001, size=150).save(tmp_path / "new.jpg")
    words = ("--model", "cifar10", "--data-dir", "photos", "--hidden", "16", "--batch-size", 20)
    words += ("--iterations", 30)
    exported = run_main(tmp_path, *words, "--export", "exported")
    assert exported.code == 0, exported.err
    assert {"saved_model.pb", "model.tflite", "model.onnx"} < set(exported.out.split())
    text = (tmp_path / "exported" / "cifar10" / "1" / "README.md").read_text()
    assert "classifies pictures as china, flower" in text
    assert "| uint8 | [n, 32, 32, 3] |" in text
    read = ("--run-dir", "runs/cifar10/1", "--predict", "new.jpg", "--json", "--runtime")
    one, other = (
        json.loads(run_main(tmp_path, *read, runtime).out)[0]["digits"][0]
        for runtime in ("litert", "tensorflow")
    )
    assert one["class"] == other["class"]
    assert one["probabilities"] == pytest.approx(other["probabilities"], abs=1e-4)


BAD_WORDS = {
    "form without data": (("--model", "mlp", "--grey"), 2, "--grey needs --data-dir"),
    "size without data": (("--model", "mlp", "--image-size", "8x8"), 2, "--image-size needs --da"),
    "grey and colour": ((*ON_PHOTOS, "--grey", "--colour"), 2, "--colour and --grey cannot be"),
    "no size": ((*ON_PHOTOS, "--image-size", "32"), 2, "'32' is not a size like 32x32"),
    "no pixels": ((*ON_PHOTOS, "--image-size", "0x9"), 2, "image_size must be at least 1, not 0"),
    "too large": ((*ON_PHOTOS, "--image-size", "999x999"), 1, "the limit is 65,536 pixels"),
    "too small": (
        ("--model", "cifar10", "--data-dir", "photos", "--image-size", "8x8", "--batch-size", 9),
        2,
        "images of 8x8 are too small for cifar10",
    ),
    "validation size": ((*ON_PHOTOS, "--validation-size", 7), 2, "--validation-size has no effect"),
    "ink": (
        ("--model", "cnn-best", "--data-dir", "photos", "--batch-size", 9),
        2,
        "distorts ink on an empty background, and these pictures are in colour; use colour-fast",
    ),
    "strips": (("--model", "reader", "--data-dir", "photos"), 2, "2 classes of 32x32 in colour"),
    "batch": (("--model", "mlp", "--data-dir", "photos", "--batch-size", 999), 2, "there are only"),
    "serve": (("--run-dir", "runs/mlp/1", "--serve"), 2, "--serve is for digits; use --predict"),
    "no picture": (("--run-dir", "runs/mlp/1", "--predict", "runs/mlp/1/recipe.json"), 1, ""),
}


@pytest.mark.parametrize("name", BAD_WORDS)
def test_wrong_words_are_answered_in_one_line(trained, name):
    words, code, said = BAD_WORDS[name]
    assert_refused(run_main(trained[0], *words), code, said)


def test_train_from_python_checks_that_data_were_read_for_the_recipe(tmp_path):
    data = read_data_sets(write_photos(tmp_path / "photos", 30), validation_size=0)
    with pytest.raises(UsageError, match=r"read_data_sets\(validation_size=5000\)"):
        train(recipes["mlp"], data, tmp_path / "run")
