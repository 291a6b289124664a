"""Measure everything that benchmarks/ measures, in pieces, at one commit.

    python -m benchmarks.all --list                    the pieces, and which are finished
    python -m benchmarks.all --strings DIR             what is missing; stop it and start it again
    python -m benchmarks.all --only serving soak       some of them

Finished pieces are noted, with the commit, in benchmarks/results/all.json; those of this commit are
not run again. Results and docs that are committed meanwhile do not count as another commit. Before
each piece, the machine must be idle. What a piece prints is in runs/benchmarks/. A piece that fails
is a line, the others go on, and the exit code is 1. A piece that lacks root, for hosts of network
namespaces, or --strings is skipped.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.checkout import changed_files, find_commit, is_exact
from benchmarks.idle import add_patience, wait_until_idle
from benchmarks.pieces import Piece, list_pieces
from benchmarks.reproduce import RESULTS, ROOT

LOGS = ROOT / "runs" / "benchmarks"


def main() -> int:
    """Run what is missing; return the exit code."""
    pieces = list_pieces()
    options = parse_options([piece.name for piece in pieces])
    if changed_files() and not (options.allow_dirty or options.list):
        changed = ", ".join(changed_files()[:3])
        print(f"commit first, or use --allow-dirty; changed: {changed}", file=sys.stderr)
        return 2
    chosen = [piece for piece in pieces if piece.name in (options.only or [piece.name])]
    work = Work(options)
    if options.list:
        for piece in chosen:
            print(work.describe(piece))
        return 0
    ends = [work.finish(piece) for piece in chosen]
    return int("failed" in ends)


def parse_options(names: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--list", action="store_true", help="list the pieces instead")
    add("--only", nargs="+", choices=names, metavar="NAME", help="only these (default: all)")
    add("--strings", type=Path, metavar="DIR", help="pictures of rows for benchmarks.reading")
    add("--allow-dirty", action="store_true", help="measure code that is not committed")
    add_patience(parser)
    add("--results", type=Path, default=RESULTS, metavar="DIR", help="folder of all.json")
    return parser.parse_args()


class Work:
    """What is finished, and the running of what is not."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.strings = str(options.strings.resolve()) if options.strings else ""
        self.commit = find_commit()
        self.path = options.results / "all.json"
        noted = json.loads(self.path.read_text()) if self.path.exists() else {}
        self.started: dict[str, str] = noted.get("started", {})
        """The commit at which each piece was started last."""
        self.finished: dict[str, dict[str, Any]] = noted.get("finished", {})
        """For each piece: the commit, the minutes it took, and the busy share before it."""

    def is_finished(self, piece: Piece) -> bool:
        noted = self.finished.get(piece.name, {}).get("commit")
        return noted == self.commit and is_exact(self.commit)

    def why_skipped(self, piece: Piece) -> str:
        """Return what it lacks, or nothing."""
        if piece.needs_root and os.geteuid() != 0:
            return "needs root"
        return "needs --strings DIR" if piece.needs_strings and not self.strings else ""

    def describe(self, piece: Piece) -> str:
        """Return its line of the list."""
        state = "finished" if self.is_finished(piece) else self.why_skipped(piece) or "missing"
        command = " ".join(piece.command(self.commit, self.strings or "DIR"))
        return (
            f"{piece.name:<26} {state:<20} about {piece.minutes:>3} min  python {command}\n"
            f"{'':<47} writes {', '.join(piece.results)}"
        )

    def finish(self, piece: Piece) -> str:
        """Run a piece unless it is finished; print a line and return how it ended: finished,
        skipped or failed.
        """
        if self.is_finished(piece):
            print(f"{piece.name}: finished at {self.commit}", flush=True)
            return "finished"
        if reason := self.why_skipped(piece):
            print(f"{piece.name}: skipped, {reason}", flush=True)
            return "skipped"
        self._begin(piece)
        busy, start = wait_until_idle(patience=self.options.patience), time.monotonic()
        log = LOGS / f"{piece.name}.log"
        code = self._run(piece, log)
        minutes = round((time.monotonic() - start) / 60, 1)
        if code:
            lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
            last = lines[-1] if lines else ""
            print(f"{piece.name}: failed with exit code {code}: {last}", flush=True)
            return "failed"
        note = {"commit": self.commit, "minutes": minutes, "busy_before": round(busy, 4)}
        self.finished[piece.name] = note
        self._save()
        print(f"{piece.name}: {minutes} min; {100 * busy:.1f} % busy before", flush=True)
        return "finished"

    def _begin(self, piece: Piece) -> None:
        """Note that it starts, and remove what it would not measure again."""
        if piece.renewed and self.started.get(piece.name) != self.commit:
            (ROOT / piece.renewed).unlink(missing_ok=True)
        self.started[piece.name] = self.commit
        self._save()

    def _run(self, piece: Piece, log: Path) -> int:
        """Run its command; return its exit code."""
        log.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, *piece.command(self.commit, self.strings)]
        with log.open("w", encoding="utf-8") as output:
            done = subprocess.run(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
        return done.returncode

    def _save(self) -> None:
        self.options.results.mkdir(parents=True, exist_ok=True)
        noted = {"started": self.started, "finished": self.finished}
        self.path.write_text(json.dumps(noted, indent=2) + "\n")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
