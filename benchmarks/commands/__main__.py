"""Time whole commands, from the shell's Enter to the last line, and measure their memory.

    python -m benchmarks.commands --before DIR [--rounds 7] [--only mnist-99]

Each command takes turns with the same command of an earlier checkout, DIR, and with a PyTorch
script that does the same (torch_script.py); ten photos are also read by RapidOCR, as PyTorch has
nothing that finds digits. Trained networks are there before the first round; every command runs in
a folder of its own. Before each, the machine must be idle. Writes commands.json and commands.md, in
which the jobs that are not measured stay as they are.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from benchmarks import machine
from benchmarks.checkout import find_commit
from benchmarks.commands.report import NOW, Measured, format_report
from benchmarks.idle import add_patience, wait_until_idle
from benchmarks.picture_sets import make_sets
from benchmarks.reproduce import RESULTS, ROOT
from benchmarks.speed.run import rotate

SCRIPT = Path(__file__).with_name("torch_script.py")
PHOTOS = 10
TRAININGS = ("mnist-99", "mlp", "cnn-fast")
RAPIDOCR = """
import sys
from rapidocr import RapidOCR
read = RapidOCR()
for path in sys.argv[1:]:
    print(path, *(read(path).txts or ()))
"""


class Contender(NamedTuple):
    """One way to do a job."""

    name: str
    words: list[str]
    """The command, after the name of Python."""


def main() -> None:
    """Measure all jobs, and write the report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--before", type=Path, metavar="DIR", help="an earlier checkout")
    parser.add_argument("--rounds", type=int, default=7, help="(default: %(default)s)")
    parser.add_argument("--only", metavar="TEXT", default="", help="jobs with this in their names")
    add_patience(parser)
    options = parser.parse_args()
    mains = {NOW: ROOT / "main.py"}
    if options.before:
        mains["before"] = options.before.resolve() / "main.py"
    jobs = {job: found for job, found in list_jobs(mains).items() if options.only in job}
    if not jobs:
        parser.error(f"no job has {options.only!r} in its name")
    if options.before and not mains["before"].exists():
        parser.error(f"{options.before} has no main.py")
    commit = find_commit()  # not at the end: files may be edited meanwhile
    measured: dict[str, Measured] = {
        job: {contender.name: [] for contender in contenders} for job, contenders in jobs.items()
    }
    with tempfile.TemporaryDirectory() as place:
        folders = prepare(Path(place), mains)
        for number in range(options.rounds):
            for job, contenders in jobs.items():
                for name, words in rotate(contenders, number):
                    busy = wait_until_idle(patience=options.patience)
                    found = {**run(words, folders[name]), "busy_before": round(busy, 4)}
                    measured[job][name].append(found)
                    print(job, name, found, flush=True)
    save({job: {"commit": commit, "measured": found} for job, found in measured.items()})


def save(jobs: dict[str, dict[str, Any]]) -> None:
    """Write what was measured of `jobs`, and the report, beside what is there of other jobs on the
    same machine.
    """
    path, found = RESULTS / "commands.json", {"machine": machine.describe(), "jobs": jobs}
    if path.exists():
        earlier = json.loads(path.read_text())
        if earlier["machine"] == found["machine"]:
            found["jobs"] = {**earlier["jobs"], **jobs}
    path.write_text(json.dumps(found, indent=2) + "\n")
    path.with_suffix(".md").write_text(format_report(found))


def list_jobs(mains: dict[str, Path]) -> dict[str, list[Contender]]:
    """Return the contenders of each job by its name; `mains` are the main.py of each state."""
    photos = [f"photo-{number}.jpg" for number in range(PHOTOS)]
    picture = str(ROOT / "test_img.png")
    flags = {
        **{f"--model {name}": ["--model", name] for name in TRAININGS},
        "--model mlp --predict test_img.png": ["--model", "mlp", "--predict", picture],
        f"--predict of {PHOTOS} photos": ["--predict", *photos],
    }
    script = {
        **{f"--model {name}": [str(SCRIPT), name] for name in TRAININGS},
        "--model mlp --predict test_img.png": [str(SCRIPT), "mlp", "--predict", picture],
    }
    jobs = {}
    for job, words in flags.items():
        contenders = [Contender(name, [str(main), *words]) for name, main in mains.items()]
        if job in script:
            contenders.append(Contender("PyTorch", script[job]))
        else:
            contenders.append(Contender("RapidOCR", ["-c", RAPIDOCR, *photos]))
        jobs[job] = contenders
    return jobs


def prepare(place: Path, mains: dict[str, Path]) -> dict[str, Path]:
    """Return a folder for each contender, with a trained mlp and the photos in it."""
    trainings = {name: [str(main), "--model", "mlp"] for name, main in mains.items()}
    folders = {name: place / name for name in (*mains, "PyTorch", "RapidOCR")}
    samples = make_sets(strings=None)["pages of ten"].make(PHOTOS)
    photos = [Image.fromarray(sample.picture) for sample in samples]
    for name, folder in folders.items():
        folder.mkdir()
        if name != "RapidOCR":
            run(trainings.get(name, [str(SCRIPT), "mlp"]), folder)
        for number, photo in enumerate(photos):
            photo.save(folder / f"photo-{number}.jpg", quality=92)
    return folders


def run(words: list[str], folder: Path) -> dict[str, float]:
    """Run a command of Python; return its seconds, the CPU's, and its peak memory in MiB. Raises
    RuntimeError if it fails.
    """
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *words], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)  # Popen need not wait any more
    if process.returncode:
        raise RuntimeError(f"{' '.join(words)} ended with exit code {process.returncode}")
    return {
        "seconds": round(seconds, 3),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 3),
        "mebibytes": round(usage.ru_maxrss / 1024, 1),
    }


if __name__ == "__main__":
    main()
