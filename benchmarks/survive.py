"""Kills a training at random moments, goes on with it each time, and compares how it ends.

    python -m benchmarks.survive --kills 200

A real process is killed by SIGKILL, which no program can see coming; a checkpoint is written
after every iteration, so that most kills fall into the writing of one. Each run is killed
twenty times; its history and its last checkpoint must then be those of a run that was let be,
bit for bit.
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
RESULTS = Path(__file__).parent / "results" / "survive.json"
KILLS_A_RUN = 20
WORDS = ("--model", "mlp", "--hidden", "64,32", "--iterations", "600", "--log-every", "50")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    kills = runs = identical = 0
    with tempfile.TemporaryDirectory() as folder:
        start_up = let_be(Path(folder) / "whole")
        while kills < options.kills:
            survived = Path(folder) / str(runs)
            moments = random.Random(f"{options.seed}/{runs}")
            kills += kill_and_go_on(survived, KILLS_A_RUN, moments, start_up)
            runs += 1
            identical += same_end(survived, Path(folder) / "whole")
            print(f"{kills} kills, {runs} runs, {identical} identical", flush=True)
    result = {"machine": describe(), "kills": kills, "runs": runs, "identical": identical}
    RESULTS.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def let_be(run_directory: Path) -> float:
    """The run that nobody kills; the seconds from its start to its first line."""
    started = time.perf_counter()
    with _start(run_directory) as process:
        process.stdout.readline()
        seconds = time.perf_counter() - started
        process.communicate()
    return seconds


def kill_and_go_on(run_directory: Path, kills: int, moments: random.Random, start_up: float) -> int:
    """Have the run killed so many times, each at any moment until a second after it has
    begun to train, `start_up` seconds after its start, and then go on to its end; returns how
    many kills it came to, as it may end before the last.
    """
    done = 0
    while True:
        process = _start(run_directory)
        try:
            wait = moments.uniform(0, start_up + 1) if done < kills else None
            _, said = process.communicate(timeout=wait)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            done += 1
            continue
        if process.returncode:
            raise SystemExit(f"after {done} kills: {said}")
        return done


def same_end(one: Path, other: Path) -> bool:
    """Whether the two runs have the same history and checkpoint."""
    files = ["history.csv"]
    for path in sorted(other.glob("checkpoint-*"))[-1:]:
        files += [f"{path.name}/model.index", f"{path.name}/model.data-00000-of-00001"]
    return len(files) == 3 and all(
        (one / name).is_file() and (one / name).read_bytes() == (other / name).read_bytes()
        for name in files
    )


def _start(run_directory: Path) -> subprocess.Popen:
    words = [*WORDS, "--save-every", "0", "--run-dir", str(run_directory)]
    if (run_directory / "recipe.json").exists():
        words.append("--resume")
    command = [sys.executable, str(ROOT / "main.py"), *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


if __name__ == "__main__":
    main()
