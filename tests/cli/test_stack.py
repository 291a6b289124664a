"""--predict of a stack of scans: folders, pages, --csv, broken files, signals."""

import csv
import fcntl
import io
import json
import os
import resource
import shutil
import signal
import struct
import subprocess
import sys
import termios
from contextlib import suppress

import pytest
from helpers import ROOT, TEST_IMAGE, assert_refused, run_main, start_command
from PIL import Image

MLP = ("--model", "mlp")
HEADER = "file,page,row,column,digit,probability,left,top,right,bottom"


@pytest.fixture
def words(trained):
    run = trained("mlp")
    return (*run.words, "--run-dir", run.directory)


@pytest.fixture
def predict(words, tmp_path):
    """A function that runs --predict with a short run of mlp, in an empty folder."""
    return lambda *more: run_main(tmp_path, *words, "--predict", *more)


@pytest.fixture
def digit():
    """test_img.png on white paper, which every file format can hold."""
    with Image.open(TEST_IMAGE) as image:
        paper = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(paper, image.convert("RGBA")).convert("L")


@pytest.fixture
def scans(tmp_path, digit):
    """A folder with a picture, a page of text, a TIFF file of three pages whose second is blank,
    and a PDF file of two pages, in the folder `in`.
    """
    folder = tmp_path / "scans"
    (folder / "in").mkdir(parents=True)
    digit.save(folder / "2.png")
    (folder / "notes.txt").write_text("no picture")
    blank = Image.new("L", digit.size, 255)
    digit.save(folder / "10.tif", save_all=True, append_images=[blank, digit])
    large = digit.resize((280, 280))
    large.save(folder / "in" / "a.pdf", save_all=True, append_images=[large], resolution=200)
    return folder


NAMES = ["2.png", "10.tif page 1", "10.tif page 3", "in/a.pdf page 1", "in/a.pdf page 2"]


def test_all_pages_of_all_files_of_a_folder_are_read_in_order(predict, scans):
    outcome = predict("scans")
    assert outcome.out.splitlines() == [f"scans/{name}: 2" for name in NAMES]
    assert outcome.err == "mnist-graph: scans/10.tif page 2: no digit found\n"
    assert outcome.code == 1


def test_json_csv_and_drawings_have_the_numbers_of_the_pages(predict, scans, tmp_path):
    outcome = predict("scans", "--json", "--csv", "a.csv", "--annotate", "scans/out", "--quiet")
    assert outcome.out == json.dumps(json.loads(outcome.out), indent=2) + "\n"
    entries = [
        (page["file"], page.get("page"), len(page["digits"])) for page in json.loads(outcome.out)
    ]
    tif, pdf = "scans/10.tif", "scans/in/a.pdf"
    assert entries == [
        ("scans/2.png", None, 1),
        (tif, 1, 1),
        (tif, 2, 0),
        (tif, 3, 1),
        (pdf, 1, 1),
        (pdf, 2, 1),
    ]
    lines = (tmp_path / "a.csv").read_text().splitlines()
    assert lines[0] == HEADER
    digits = {
        (page["file"], page.get("page", 1)): page["digits"] for page in json.loads(outcome.out)
    }
    for line, (file, page) in zip(
        csv.reader(lines[1:]), [e for e in digits if digits[e]], strict=True
    ):
        (digit,) = digits[file, page]
        assert line == [
            file,
            str(page),
            "1",
            "1",
            "2",
            str(digit["probability"]),
            *map(str, digit["box"]),
        ]
    stems = ["2", "10-page-1", "10-page-2", "10-page-3", "a-page-1", "a-page-2"]
    assert {path.name for path in (scans / "out").iterdir()} == {f"{s}-read.png" for s in stems}
    with Image.open(scans / "out" / "a-page-2-read.png") as drawing:
        assert (drawing.size, drawing.mode) == ((280, 280), "RGB")
    again = predict("scans", "--json", "--csv", "a.csv", "--annotate", "scans/out", "--quiet")
    assert again.out == outcome.out  # the drawings are not read
    assert (tmp_path / "a.csv").read_text().splitlines() == lines


def test_a_pdf_and_a_tiff_file_are_read_from_standard_input(predict, scans, monkeypatch, tmp_path):
    for name, count in (("10.tif", 3), ("in/a.pdf", 2)):
        content = (scans / name).read_bytes()
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
        outcome = predict("-", "--annotate", "out", "--quiet")
        assert outcome.out.splitlines()[-1] == f"- page {count}: 2"
        assert (tmp_path / "out" / f"stdin-page-{count}-read.png").exists()


def test_broken_files_and_pages_are_a_line_each_and_the_rest_is_read(predict, scans):
    (scans / "1.jpg").write_bytes(b"text")
    (scans / "3.pdf").write_bytes(b"%PDF-1.4 text")
    (scans / "11.png").symlink_to("missing.png")
    outcome = predict("scans", "nothing.png")
    assert outcome.out.splitlines() == [f"scans/{name}: 2" for name in NAMES]
    said = [line.removeprefix("mnist-graph: error: ") for line in outcome.err.splitlines()]
    assert said[0] == "scans/1.jpg is not a picture that can be read"
    assert said[1].startswith("scans/3.pdf is damaged (")
    assert said[3:] == [
        "cannot read scans/11.png: No such file or directory",
        "cannot read nothing.png: No such file or directory",
    ]
    assert outcome.code == 1


def test_a_folder_without_pictures_is_an_error(command, tmp_path):
    (tmp_path / "notes.txt").touch()
    assert_refused(command(*MLP, "--predict", "."), 1, "error: . has no pictures")
    assert not (tmp_path / "runs").exists()


def test_names_with_commas_quotes_and_line_breaks_are_one_field_of_the_csv(predict, tmp_path):
    names = ['a,"b".png', "line\nbreak.png", os.fsdecode(b"bad\xff.png"), "=1+1.png", "ü.png"]
    for name in names:
        shutil.copy(TEST_IMAGE, tmp_path / name)
    assert predict(*names, "--csv", "a.csv").code == 0
    with open(tmp_path / "a.csv", encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert ",".join(header) == HEADER
    assert [row[0] for row in rows] == [*names[:2], r"bad\udcff.png", *names[3:]]
    assert {len(row) for row in rows} == {10}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("mine.csv", "--csv did not write mine.csv and will not overwrite it"),
        (".", "--csv cannot write .: it is a folder"),
        ("missing/a.csv", "--csv cannot write missing/a.csv: its folder does not exist"),
        ("pipe", "--csv cannot write pipe: it is not a regular file"),
        ("n" * 300, "File name too long"),
    ],
)
def test_a_csv_file_that_cannot_be_written_is_refused_first(command, tmp_path, name, said):
    (tmp_path / "mine.csv").write_text("file,page\n")
    os.mkfifo(tmp_path / "pipe")
    assert_refused(command(*MLP, "--predict", TEST_IMAGE, "--csv", name), 2, said)
    assert (tmp_path / "mine.csv").read_text() == "file,page\n"


def test_the_csv_of_before_is_kept_if_nothing_can_be_read(command, tmp_path):
    (tmp_path / "a.csv").write_text(f"{HEADER}\na.png,1,1,1,2,0.9,1,2,3,4\n")
    words = (*MLP, "--run-dir", "missing", "--csv", "a.csv", "--json", "--predict", TEST_IMAGE)
    assert_refused(command(*words), 1, "missing")
    assert (tmp_path / "a.csv").read_text().count("\n") == 2


def test_a_full_disk_ends_the_csv_with_a_whole_line(predict, tmp_path):
    names = [f"{number}.png" for number in range(6)]
    for name in names:
        shutil.copy(TEST_IMAGE, tmp_path / name)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (130, before[1]))
    try:
        outcome = predict(*names, "--csv", "a.csv", "--json")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert outcome.code == 1
    assert outcome.err == "mnist-graph: error: cannot write a.csv: File too large\n"
    header, *rows = (tmp_path / "a.csv").read_text().split("\n")
    assert (header, rows[-1]) == (HEADER, "")
    assert 1 <= len(rows[:-1]) < 6
    assert len(json.loads(outcome.out)) == len(rows[:-1])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_was_read_before_a_signal_is_kept(words, tmp_path, number):
    """The command waits for standard input, which stays open, after it has read two files."""
    more = ("--csv", "a.csv", "--json", "--predict", TEST_IMAGE, TEST_IMAGE, "-")
    process = start_command(tmp_path, *words, *more, stdin=subprocess.PIPE)
    with process:
        first = process.stdout.readline()
        process.send_signal(number)
        entries = json.loads(first + process.stdout.read())
        err = process.stderr.read()
    assert process.returncode == 128 + number
    assert err.splitlines()[-1].startswith("mnist-graph: interrupted after ")
    assert "Traceback" not in err
    lines = (tmp_path / "a.csv").read_text().splitlines()
    assert len(lines) == 1 + len(entries) > 1


def test_the_first_answer_comes_before_later_pictures_are_there(words, tmp_path):
    """Standard input is the last picture, and has not come yet."""
    process = start_command(tmp_path, *words, "--predict", TEST_IMAGE, "-", stdin=subprocess.PIPE)
    with process:
        assert process.stdout.readline() == f"{TEST_IMAGE}: 2\n"
        process.stdin.buffer.write(TEST_IMAGE.read_bytes())
        process.stdin.close()
        assert process.stdout.read() == "-: 2\n"
    assert process.returncode == 0


def test_a_progress_bar_is_shown_on_a_terminal_and_lines_stay_whole(words, tmp_path):
    """Both standard streams are the same terminal, as a user has them."""
    names = [str(TEST_IMAGE)] * 4 + ["missing.png"]
    # In its value, which this process may have set, the command would see the user's wish.
    environment = {**os.environ}
    environment.pop("TF_CPP_MIN_LOG_LEVEL", None)
    shown = {}
    for more in ((), ("--quiet",)):
        terminal, own = os.openpty()
        fcntl.ioctl(own, termios.TIOCSWINSZ, struct.pack("4H", 24, 100, 0, 0))  # lines, columns
        line = [sys.executable, str(ROOT / "main.py"), *map(str, words), *more]
        streams = {"stdout": own, "stderr": own, "env": environment, "cwd": tmp_path}
        with subprocess.Popen([*line, "--predict", *names], **streams):
            os.close(own)
            shown[more] = b""
            with suppress(OSError):  # the end of a terminal
                while piece := os.read(terminal, 10_000):
                    shown[more] += piece
        os.close(terminal)
    lines = [f"{TEST_IMAGE}: 2".encode()] * 4
    error = b"mnist-graph: error: cannot read missing.png: No such file or directory"
    quiet = shown[("--quiet",)].split(b"\r\n")
    assert quiet == [*lines, error, b""]
    assert b"reading:" in shown[()]
    assert b"/5 [" in shown[()]
    # A bar is wiped out before a line is written: what follows the last return of the carriage.
    written = [line.rsplit(b"\r", 1)[-1].strip() for line in shown[()].split(b"\r\n")]
    assert [line for line in written if line] == [*lines, error]
