"""Kill training runs at random moments, resume them, and compare the results.

    python -m benchmarks.survive --kills 200

Processes are killed by SIGKILL, which no program can intercept. They save a checkpoint after
every iteration, so most kills interrupt the writing of one. Each run is killed up to twenty
times. Its history and its last checkpoint must then equal those of an uninterrupted run, bit
for bit. Writes benchmarks/results/survive.json.
"""

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.machine import describe

ROOT = Path(__file__).parent.parent
RESULT_FILE = Path(__file__).parent / "results" / "survive.json"
KILLS_PER_RUN = 20
FLAGS = ("--model", "mlp", "--hidden", "64,32", "--iterations", "600", "--log-every", "50")
"""Flags of every run: a small network, since a checkpoint is saved after every iteration."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--kills", type=int, default=200, help="kills in total (default: %(default)s)"
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="seed of the random moments (default: %(default)s)"
    )
    options = parser.parse_args()
    kills = runs = identical = 0
    with tempfile.TemporaryDirectory() as folder:
        uninterrupted = Path(folder) / "uninterrupted"
        start_up = let_be(uninterrupted)
        while kills < options.kills:
            killed = Path(folder) / str(runs)
            moments = random.Random(f"{options.seed}/{runs}")
            kills += kill_and_go_on(killed, KILLS_PER_RUN, moments, start_up)
            runs += 1
            identical += same_end(killed, uninterrupted)
            print(f"{kills} kills, {runs} runs, {identical} identical", flush=True)
    result = {"machine": describe(), "kills": kills, "runs": runs, "identical": identical}
    RESULT_FILE.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def let_be(run_directory: Path) -> float:
    """Train a run without interruption; return the seconds until its first line of output."""
    start = time.perf_counter()
    with _start_or_resume(run_directory) as process:
        process.stdout.readline()
        seconds = time.perf_counter() - start
        process.communicate()
    return seconds


def kill_and_go_on(run_directory: Path, kills: int, moments: random.Random, start_up: float) -> int:
    """Train a run, killing and resuming it up to `kills` times, then let it finish.

    Each kill comes at a random moment in the first `start_up` + 1 seconds of a process, where
    `start_up` is the time it takes until training begins. Returns the number of kills, which is
    lower if the run finishes early.
    """
    done = 0
    while True:
        process = _start_or_resume(run_directory)
        try:
            timeout = moments.uniform(0, start_up + 1) if done < kills else None
            _, errors = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            done += 1
            continue
        if process.returncode:
            raise SystemExit(f"the run failed after {done} kills: {errors}")
        return done


def same_end(one: Path, other: Path) -> bool:
    """Tell whether two runs have identical histories and last checkpoints."""
    files = ["history.csv"]
    for path in sorted(other.glob("checkpoint-*"))[-1:]:
        files += [f"{path.name}/model.index", f"{path.name}/model.data-00000-of-00001"]
    return len(files) == 3 and all(
        (one / name).is_file() and (one / name).read_bytes() == (other / name).read_bytes()
        for name in files
    )


def _start_or_resume(run_directory: Path) -> subprocess.Popen:
    flags = [*FLAGS, "--save-every", "0", "--run-dir", str(run_directory)]
    if (run_directory / "recipe.json").exists():
        flags.append("--resume")
    command = [sys.executable, str(ROOT / "main.py"), *flags]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


if __name__ == "__main__":
    main()
