"""The tutorials' own listings run with their import lines changed, and nothing else, as
docs/from-your-listing.md says. tests/listings/ has them, written anew in the tutorials' form.

Each test shortens the training, with a flag of the listing or in its text.
"""

import re
import shutil
import subprocess
import sys

import pytest
from helpers import ROOT, TEST_IMAGE

LISTINGS = ROOT / "tests" / "listings"
FEED = "fully_connected_feed --input_data_dir data --log_dir logs"
SUMMARIES = "mnist_with_summaries --data_dir data --log_dir logs"

pytestmark = pytest.mark.slow


def run_listing(folder, command, shorter=("", "")):
    """Run a listing in `folder`, with the first text of `shorter` replaced by the second; return
    what it prints.
    """
    name, *words = command.split()
    for path in LISTINGS.glob("*.py"):
        shutil.copy(path, folder)
    listing = folder / f"{name}.py"
    text = listing.read_text(encoding="utf-8")
    assert shorter[0] in text
    listing.write_text(text.replace(*shorter), encoding="utf-8")
    shutil.copy(TEST_IMAGE, folder)
    process = subprocess.run(
        [sys.executable, listing.name, *words],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3", "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert process.returncode == 0, process.stderr
    return process.stdout


@pytest.mark.parametrize(
    ("command", "shorter", "said", "least"),
    [
        ("mnist_softmax --data_dir data", ("", ""), r"^(0\.\d+)$", 0.9),
        ("mnist_deep --data_dir data", ("20000", "60"), r"test accuracy (\S+)", 0.6),
        (f"{FEED} --max_steps 800", ("", ""), r"Precision @ 1: (\S+)", 0.75),
        (f"{SUMMARIES} --max_steps 51", ("", ""), r"Accuracy at step 50: (\S+)", 0.8),
        ("handwritten_digits", ("= 1000", "= 300"), r"Accuracy on test set: (\S+)", 0.8),
        ("mnist_1_0_softmax", ("2000+1", "200+1"), r"max test accuracy: (\S+)", 0.85),
        ("mnist_2_2_dropout", ("10000+1", "200+1"), r"max test accuracy: (\S+)", 0.8),
        ("mnist_3_0_convolutional", ("10000+1", "100+1"), r"max test accuracy: (\S+)", 0.8),
    ],
    ids=lambda value: value.split()[0] if isinstance(value, str) and "mnist" in value else "",
)
def test_listing_trains(tmp_path, command, shorter, said, least):
    printed = run_listing(tmp_path, command, shorter)
    accuracy = float(re.findall(said, printed, flags=re.MULTILINE)[-1])
    assert least < accuracy < 1
    if command == "handwritten_digits":
        assert re.search(r"^Prediction for test image: \d$", printed, flags=re.MULTILINE)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (f"{FEED} --max_steps 30 --fake_data", r"Precision @ 1: (\S+)"),
        (f"{SUMMARIES} --max_steps 21 --fake_data", r"Accuracy at step 20: (\S+)"),
    ],
    ids=["feed", "summaries"],
)
def test_listing_learns_its_fake_data(tmp_path, command, said):
    assert float(re.findall(said, run_listing(tmp_path, command))[-1]) == 1
