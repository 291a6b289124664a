"""What the command says of pages."""

import json

import pytest
from helpers import TEST_IMAGE, run_main
from PIL import Image
from test_handwriting import ROWS, picture, write


@pytest.fixture
def predict(trained, digits, tmp_path):
    """The command with the short run of cnn, a page and a blank sheet at hand."""
    run = trained("cnn")
    picture(write(digits)[0]).save(tmp_path / "page.png")
    Image.new("L", (300, 200), "white").save(tmp_path / "blank.png")
    words = (*run.words, "--run-dir", run.directory, "--predict")
    return lambda *more: run_main(tmp_path, *words, *more)


def test_a_page_is_read_row_by_row(predict):
    outcome = predict("page.png", "--min-probability", "0")
    assert outcome.code == 0
    rows = [line.removeprefix("page.png: ").split() for line in outcome.out.splitlines()]
    assert [len(row) for row in rows] == [len(row) for row in ROWS]
    read = [int(label) for row in rows for label in row]
    assert (
        sum(a == b for a, b in zip(read, [label for row in ROWS for label in row], strict=True))
        >= 8
    )


def test_a_digit_that_is_not_sure_is_a_question_mark(predict):
    outcome = predict("page.png", "--min-probability", "1")
    assert set(outcome.out.replace("page.png:", "").split()) == {"?"}
    alone = predict(TEST_IMAGE, "--min-probability", "1")
    assert alone.out == "Prediction for test image: 2\n"


def test_all_probabilities_are_printed(predict):
    lines = predict("page.png", "--probabilities").out.splitlines()[len(ROWS) :]
    assert len(lines) == sum(len(row) for row in ROWS)
    assert lines[3].startswith("row 2, column 1: 0:")
    shares = [float(cell.split(":")[1]) for cell in lines[3].split(": ", 1)[1].split()]
    assert len(shares) == 10
    assert sum(shares) == pytest.approx(1, abs=1e-3)


def test_json_says_everything_and_nothing_else(predict):
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


def test_a_page_without_a_digit_says_so(predict):
    outcome = predict("blank.png")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err == "mnist-graph: blank.png: no digit found\n"


def test_the_picture_is_drawn_on_and_never_over(predict, tmp_path):
    for name in ("page-read.png", "page-read-2.png"):
        outcome = predict("page.png", "--annotate", "out")
        assert outcome.code == 0
        assert name in outcome.err
    drawn = Image.open(tmp_path / "out" / "page-read.png")
    with Image.open(tmp_path / "page.png") as page:
        assert drawn.size == page.size
    colours = {colour for _, colour in drawn.getcolors(2**20)}
    assert (10, 125, 51) in colours


def test_a_folder_that_cannot_be_written_is_one_line(predict, tmp_path):
    (tmp_path / "out").write_text("a file")
    outcome = predict("page.png", "--annotate", "out")
    assert outcome.code == 1
    assert outcome.err.startswith("mnist-graph: error: cannot write to out: ")
    assert len(outcome.out.splitlines()) == len(ROWS)


def test_json_stays_json_where_the_recipe_is_trained_first(command):
    words = ("--model", "softmax", "--iterations", 3, "--json", "--predict", TEST_IMAGE)
    outcome = command(*words)
    assert outcome.code == 0
    assert json.loads(outcome.out)[0]["file"] == str(TEST_IMAGE)
    assert "Accuracy on test set: 0." in outcome.err
