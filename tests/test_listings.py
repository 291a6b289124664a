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
WORDS = {
    "fully_connected_feed": "--input_data_dir data --log_dir logs",
    "mnist_with_summaries": "--data_dir data --log_dir logs",
}
"""The flags for the folders of a listing; the others take --data_dir or no flags."""
BOUNDS = {
    "mnist_softmax": ("", ("", ""), r"^(0\.\d+)$", 0.9),
    "mnist_softmax_xla": ("", ("= 1000", "= 500"), r"^(0\.\d+)$", 0.88),
    "mnist_deep": ("", ("20000", "60"), r"test accuracy (\S+)", 0.6),
    "fully_connected_feed": ("--max_steps 800", ("", ""), r"Precision @ 1: (\S+)", 0.75),
    "mnist_with_summaries": ("--max_steps 51", ("", ""), r"Accuracy at step 50: (\S+)", 0.8),
    "handwritten_digits": ("", ("= 1000", "= 300"), r"Accuracy on test set: (\S+)", 0.8),
    "mnist_1_0_softmax": ("", ("2000+1", "200+1"), r"max test accuracy: (\S+)", 0.85),
    "mnist_2_2_dropout": ("", ("10000+1", "200+1"), r"max test accuracy: (\S+)", 0.8),
    "mnist_3_0_convolutional": ("", ("10000+1", "100+1"), r"max test accuracy: (\S+)", 0.8),
}
"""How to shorten each listing, by flags or by replacing text; the accuracy that it must exceed."""
FAKE = {
    "fully_connected_feed": ("--max_steps 30 --fake_data", r"Precision @ 1: (\S+)"),
    "mnist_with_summaries": ("--max_steps 21 --fake_data", r"Accuracy at step 20: (\S+)"),
}

pytestmark = pytest.mark.slow


def run_listing(folder, name, flags, shorter=("", "")):
    """Run a listing in `folder`, with the first text of `shorter` replaced by the second; return
    what it prints.
    """
    words = f"{WORDS.get(name, '--data_dir data')} {flags}".split()
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


def last_number(said, printed):
    return float(re.findall(said, printed, flags=re.MULTILINE)[-1])


def test_every_listing_is_run():
    assert {path.stem for path in LISTINGS.glob("*.py")} == {*BOUNDS, "mnist"}


@pytest.mark.parametrize("name", BOUNDS)
def test_listing_trains(tmp_path, name):
    flags, shorter, said, least = BOUNDS[name]
    printed = run_listing(tmp_path, name, flags, shorter)
    assert least < last_number(said, printed) < 1
    if name == "handwritten_digits":
        assert re.search(r"^Prediction for test image: \d$", printed, flags=re.MULTILINE)


@pytest.mark.parametrize("name", FAKE)
def test_listing_learns_its_fake_data(tmp_path, name):
    flags, said = FAKE[name]
    assert last_number(said, run_listing(tmp_path, name, flags)) == 1
