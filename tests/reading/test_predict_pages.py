"""--predict on pages: the rows, probabilities, JSON and drawings that it prints and saves."""

import json

import pytest
from helpers import TEST_IMAGE, run_main
from pages import ROWS, paint, write_digits
from PIL import Image


@pytest.fixture
def predict(trained, digits, tmp_path):
    """A function that runs --predict with a short run of cnn, in a folder with page.png and
    blank.png.
    """
    run = trained("cnn")
    paint(write_digits(digits)[0]).save(tmp_path / "page.png")
    Image.new("L", (300, 200), "white").save(tmp_path / "blank.png")
    words = (*run.words, "--run-dir", run.directory, "--predict")
    return lambda *more: run_main(tmp_path, *words, *more)


def test_a_page_is_printed_row_by_row(predict):
    outcome = predict("page.png", "--min-probability", "0")
    assert outcome.code == 0
    rows = [line.removeprefix("page.png: ").split() for line in outcome.out.splitlines()]
    assert [len(row) for row in rows] == [len(row) for row in ROWS]
    printed = [int(label) for row in rows for label in row]
    labels = [label for row in ROWS for label in row]
    assert sum(one == other for one, other in zip(printed, labels, strict=True)) >= 8


def test_unsure_digits_of_a_page_are_question_marks(predict):
    outcome = predict("page.png", "--min-probability", "1")
    assert set(outcome.out.replace("page.png:", "").split()) == {"?"}


def test_a_single_digit_is_printed_even_if_it_is_unsure(predict):
    outcome = predict(TEST_IMAGE, "--min-probability", "1")
    assert outcome.out == "Prediction for test image: 2\n"


def test_probabilities_prints_all_ten_of_each_digit(predict):
    lines = predict("page.png", "--probabilities").out.splitlines()[len(ROWS) :]
    assert len(lines) == sum(len(row) for row in ROWS)
    assert lines[3].startswith("row 2, column 1: 0:")
    probabilities = [float(cell.split(":")[1]) for cell in lines[3].split(": ", 1)[1].split()]
    assert len(probabilities) == 10
    assert sum(probabilities) == pytest.approx(1, abs=1e-3)


def test_json_prints_every_digit_with_all_its_fields(predict):
    outcome = predict("page.png", "blank.png", "--json")
    page, blank = json.loads(outcome.out)
    assert outcome.code == 1
    assert blank == {"file": "blank.png", "digits": []}
    places = [(digit["row"], digit["column"]) for digit in page["digits"]]
    expected = [(r, c) for r, row in enumerate(ROWS, 1) for c in range(1, len(row) + 1)]
    assert places == expected
    for digit in page["digits"]:
        assert set(digit) >= {"box", "digit", "probability", "sure"}
        assert len(digit["probabilities"]) == 10
        assert digit["probability"] == max(digit["probabilities"])


def test_a_page_without_digits_is_reported(predict):
    outcome = predict("blank.png")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err == "mnist-graph: blank.png: no digit found\n"


def test_annotate_saves_drawings_and_overwrites_none(predict, tmp_path):
    for name in ("page-read.png", "page-read-2.png"):
        outcome = predict("page.png", "--annotate", "out")
        assert outcome.code == 0
        assert f"drawing saved to out/{name}" in outcome.err
    drawing = Image.open(tmp_path / "out" / "page-read.png")
    with Image.open(tmp_path / "page.png") as page:
        assert drawing.size == page.size
    colours = {colour for _, colour in drawing.getcolors(2**20)}
    assert (10, 125, 51) in colours  # the green of a sure digit


def test_annotate_reports_a_folder_that_cannot_be_written(predict, tmp_path):
    (tmp_path / "out").write_text("a file")
    outcome = predict("page.png", "--annotate", "out")
    assert outcome.code == 1
    assert outcome.err.startswith("mnist-graph: error: cannot write to out: ")
    assert len(outcome.out.splitlines()) == len(ROWS)


def test_json_output_has_nothing_else_even_if_training_comes_first(command):
    words = ("--model", "softmax", "--iterations", 3, "--json", "--predict", TEST_IMAGE)
    outcome = command(*words)
    assert outcome.code == 0
    assert json.loads(outcome.out)[0]["file"] == str(TEST_IMAGE)
    assert "Accuracy on test set: 0." in outcome.err
