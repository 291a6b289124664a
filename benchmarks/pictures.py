"""How long a folder of many pictures takes to read, and how much memory.

    python -m benchmarks.pictures            1,000, 10,000 and 100,000 JPEG files of 64x64
    python -m benchmarks.pictures --counts 1000

The pictures are crops of the two photographs that scikit-learn has, in ten classes. Each is read
twice, in a process of its own: decoded, and from the cache.
"""

import argparse
import json
import multiprocessing
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks import machine
from benchmarks.reproduce import RESULTS

SIDE, CLASSES = 64, 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--counts", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    options = parser.parse_args()
    rows = []
    for count in options.counts:
        with tempfile.TemporaryDirectory() as scratch:
            folder, cache = Path(scratch, "pictures"), Path(scratch, "cache")
            write_pictures(folder, count)
            for way in ("decoded", "from the cache"):
                with multiprocessing.get_context("spawn").Pool(1) as pool:
                    seconds, megabytes = pool.apply(measure, (folder, cache))
                rows.append((count, way, seconds, megabytes))
                print(f"{count:>9,} {way:<15}{seconds:7.1f} s {megabytes:6.0f} MB", flush=True)
    results: dict[str, Any] = {"machine": machine.describe(), "rows": rows}
    (RESULTS / "pictures.json").write_text(json.dumps(results, indent=2) + "\n")
    (RESULTS / "pictures.md").write_text(format_report(results))


def write_pictures(folder: Path, count: int) -> None:
    """Write `count` crops of photographs, as JPEG files in ten folders."""
    import sklearn

    images = Path(sklearn.__file__).parent / "datasets" / "images"
    photos = [np.asarray(Image.open(images / f"{name}.jpg")) for name in ("china", "flower")]
    random = np.random.default_rng(0)
    for number in range(CLASSES):
        (folder / f"class{number}").mkdir(parents=True)
    for number in range(count):
        photo = photos[number % 2]
        y, x = (int(random.integers(side - SIDE)) for side in photo.shape[:2])
        path = folder / f"class{number % CLASSES}" / f"{number}.jpg"
        Image.fromarray(photo[y : y + SIDE, x : x + SIDE]).save(path, quality=85)


def measure(folder: Path, cache: Path) -> tuple[float, float]:
    """Read the pictures; return the seconds and the peak memory of this process in MB."""
    from mnist_graph import read_data_sets

    start = time.perf_counter()
    read_data_sets(folder, or_bundled=False, cache_dir=cache)
    seconds = time.perf_counter() - start
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def format_report(results: dict[str, Any]) -> str:
    """Return the report in Markdown."""
    rows = [
        f"| {count:,} | {way} | {seconds:.1f} | {megabytes:.0f} |"
        for count, way, seconds, megabytes in results["rows"]
    ]
    return "\n".join(
        [
            "# Reading folders of pictures",
            "",
            f"JPEG files of {SIDE}x{SIDE} in colour, by `python -m benchmarks.pictures`, once on",
            f"{machine.summarize(results['machine'])}.",
            "",
            "| pictures | read | s | peak memory, MB |",
            "| --- | --- | --- | --- |",
            *rows,
            "",
        ]
    )


if __name__ == "__main__":
    main()
