"""--collect: pages of known digits become a folder of labelled pictures."""

import numpy as np
import pytest
from helpers import assert_refused
from pages import paint, rotate, write_digits
from PIL import Image

from mnist_graph.errors import UsageError
from mnist_graph.reading.collect import parse_labels

ROWS = [[3, 1, 4], [1, 5, 9, 2], [6, 5]]
LABELS = "314 1592 65"


@pytest.fixture
def page(digits, tmp_path):
    """page.png, with ROWS on it; the ink and where it is written."""
    ink, written = write_digits(digits, ROWS)
    paint(ink).save(tmp_path / "page.png")
    return ink, written


@pytest.fixture
def collect(command):
    return lambda labels, *pages: command("--collect", *pages, "--labels", labels)


def files(folder):
    found = (path for path in folder.rglob("*") if path.is_file())
    return sorted(str(path.relative_to(folder)) for path in found)


def test_each_digit_is_a_picture_in_the_folder_of_its_label(page, digits, collect, tmp_path):
    outcome = collect(LABELS, "page.png")
    assert outcome.code == 0, outcome.err
    assert outcome.out.startswith("9 digits saved to collected/1, ")
    folder = tmp_path / "collected" / "1"
    labels = LABELS.replace(" ", "")
    names = [f"{label}/{number:04}.png" for number, label in enumerate(labels, start=1)]
    assert files(folder) == sorted([*names, "sheet.png"])
    for name, written in zip(names, page[1], strict=True):
        with Image.open(folder / name) as picture:
            assert (picture.mode, picture.size) == ("L", (28, 28))
            pixels = np.asarray(picture)
        original = digits[written.label][written.row + written.column]
        likeness = np.corrcoef(pixels.ravel(), original.ravel())[0, 1]
        assert likeness > 0.8, name
        rows, columns = (pixels.sum(axis=axis) @ np.arange(28) / pixels.sum() for axis in (1, 0))
        assert (rows, columns) == (pytest.approx(14, abs=0.6), pytest.approx(14, abs=0.6))
    again = collect(LABELS, "page.png")
    assert "collected/2" in again.out
    assert files(tmp_path / "collected" / "2") == files(folder)


def test_collected_digits_are_trained_on_together_with_mnist(digits, collect, command, tmp_path):
    rows = [list(range(5)), list(range(5, 10))] * 3
    paint(write_digits(digits, rows)[0]).save(tmp_path / "page.png")
    assert collect(" ".join(["01234 56789"] * 3), "page.png").code == 0
    words = ("--start-from", "cnn-best", "--data-dir", "collected/1", "--mix", 0.5)
    outcome = command(*words, "--batch-size", 8, "--iterations", 2)
    assert outcome.code == 0, outcome.err
    assert "Accuracy on test set: " in outcome.out
    said = command("--predict", "page.png", "--run-dir", "runs/cnn-best/1")
    assert said.out.count("page.png: ") == 6


def test_the_sheet_has_every_digit_and_frames_what_is_read_otherwise(page, collect, tmp_path):
    collect(LABELS, "page.png")
    outcome = collect("314 1598 65", "page.png")  # the 2 is called an 8
    assert outcome.code == 0
    sheets = [Image.open(tmp_path / "collected" / number / "sheet.png") for number in "12"]
    before, after = (
        sum(count for count, colour in sheet.getcolors(2**16) if colour == (200, 30, 30))
        for sheet in sheets
    )
    assert after > before + 300
    doubtful = int(outcome.out.split(", ")[1].split()[0])
    assert doubtful >= 1
    assert "there is no 0, no 2, no 7: to train on, collect all ten digits" in outcome.err
    assert "check them by eye in collected/2/sheet.png" in outcome.err


def test_rows_go_on_from_page_to_page_and_may_slope(digits, collect, tmp_path):
    paint(write_digits(digits, ROWS[:2])[0]).save(tmp_path / "one.png")
    rotate(paint(write_digits(digits, ROWS[2:])[0]), 3).save(tmp_path / "two.png")
    outcome = collect(LABELS, "one.png", "two.png")
    assert outcome.code == 0, outcome.err
    assert (tmp_path / "collected" / "1" / "5" / "0009.png").exists()


WRONG = [
    ("31 1592 65", 1, "row 1 of page.png has 2 labels (31), but 3 digits found"),
    ("314 1592 653", 1, "row 3 of page.png has 3 labels (653), but 2 digits found"),
    ("314 159265", 1, "--labels has 2 rows, but 3 were found, of 3, 4, 2 digits"),
    ("314 1592 6x", 2, "--labels must be the digits of each row, with a space between rows"),
    ("314 1592 6\u0665", 2, "--labels must be the digits of each row"),
    (" ", 2, "--labels must be the digits of each row"),
    ("", 2, "--labels has an empty value"),
]


@pytest.mark.parametrize(("labels", "code", "said"), WRONG)
def test_labels_that_do_not_fit_are_refused(page, collect, tmp_path, labels, code, said):
    assert_refused(collect(labels, "page.png"), code, said)
    assert not (tmp_path / "collected").exists()


def test_pages_that_cannot_be_read_are_refused(page, collect, command, tmp_path):
    Image.new("L", (300, 200), "white").save(tmp_path / "blank.png")
    assert_refused(collect("12", "missing.png"), 1, "cannot read missing.png: No such file")
    assert_refused(collect(LABELS, "page.png", "missing.png"), 1, "cannot read missing.png")
    assert_refused(collect("12", "blank.png"), 1, "--labels has 1 row, but 0 were found")
    assert_refused(command("--collect", "page.png"), 2, "--collect needs --labels")
    assert_refused(command("--labels", "12"), 2, "--labels needs --collect")
    more = ("--collect", "page.png", "--labels", LABELS)
    assert_refused(command(*more, "--model", "mlp"), 2, "--model has no effect with --collect")
    assert_refused(command(*more, "--predict", "page.png"), 2, "cannot be used together")
    (tmp_path / "collected").write_text("a file")
    assert_refused(collect(LABELS, "page.png"), 1, "cannot write to collected")


def test_touching_digits_are_refused(digits, collect, tmp_path):
    paint(write_digits(digits, [[3, 5, 4]], spacing=-12)[0]).save(tmp_path / "page.png")
    assert_refused(collect("354", "page.png"), 1, "row 1 of page.png", "write")
    assert not (tmp_path / "collected").exists()


def test_labels_are_parsed():
    assert parse_labels(" 012  9\n3") == [[0, 1, 2], [9], [3]]
    with pytest.raises(UsageError):
        parse_labels("1,2")
