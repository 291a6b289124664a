"""Measure reading a stack of photos: pictures per second, CPU time and memory.

    python -m benchmarks.stack [--photos 100] [--few 10] [--model mnist-99]

The photos have 12 megapixels: drawn pages of MNIST test digits, enlarged, with sensor noise, as
JPEG. Ten are drawn; the stack repeats them. The same command reads a few and all of them: memory
should be the same, and the difference in CPU time is without the start of TensorFlow. Next to
that, Pillow alone decodes them, which no reader can do without. Writes
benchmarks/results/stack.json and .md.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

from benchmarks import machine
from benchmarks.pages import make_page
from benchmarks.reproduce import RESULTS, ROOT
from mnist_graph import read_data_sets

SIZE = (4000, 3000)
"""Width and height of a photo, as phones take them."""
DRAWN, DIGITS = 10, 20
"""How many photos are drawn, and the digits on each."""
NOISE, QUALITY = 4.0, 95
"""Standard deviation of the sensor noise, of 255, and quality of the JPEG: 3.6 MB a photo."""
DECODE = """
import os, sys
from concurrent.futures import ThreadPoolExecutor
from PIL import Image
def decode(path):
    with Image.open(path) as image:
        return image.convert("L").size
with ThreadPoolExecutor(os.cpu_count()) as threads:
    print(sum(1 for _ in threads.map(decode, sys.argv[1:])))
"""


class Cost(NamedTuple):
    """What a command took."""

    seconds: float
    cpu_seconds: float
    first_line: float
    """Seconds until its first line of output."""
    megabytes: float
    """Its peak resident memory, in MB of 10**6 bytes."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--photos", type=int, default=100, help="photos of the stack (default: %(default)s)")
    add("--few", type=int, default=10, help="photos of the small stack (default: %(default)s)")
    add("--model", default="mnist-99", help="the recipe that reads them (default: %(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        stacks = {count: Path(folder) / str(count) for count in (options.few, options.photos)}
        # In a process of its own: on Linux the peak memory of a command counts that of its parent
        # when it was started.
        with ProcessPoolExecutor(1, get_context("spawn")) as process:
            megabytes = process.submit(_draw, list(stacks.items())).result()
        command = [sys.executable, str(ROOT / "main.py"), "--model", options.model]
        subprocess.run([*command, "--quiet", "--run-dir", "run"], cwd=folder, check=True)
        command += ["--run-dir", "run", "--csv", "digits.csv", "--predict"]
        costs = {}
        for count, stack in stacks.items():
            costs[f"{count} photos"] = _measure([*command, str(stack)], folder)
            photos = [str(photo) for photo in sorted(stack.iterdir())]
            decoding = [sys.executable, "-c", DECODE, *photos]
            costs[f"{count} photos, decoded by Pillow"] = _measure(decoding, folder)
    results = {
        "machine": machine.describe(),
        "load": os.getloadavg()[1],
        "model": options.model,
        "few": options.few,
        "photos": options.photos,
        "megabytes of a photo": megabytes,
        "costs": {name: cost._asdict() for name, cost in costs.items()},
    }
    (RESULTS / "stack.json").write_text(json.dumps(results, indent=2) + "\n")
    (RESULTS / "stack.md").write_text(_format_report(results))


def _draw(stacks: list[tuple[int, Path]]) -> float:
    """Fill each folder with its number of photos; return the mean size of a photo, in MB."""
    data = read_data_sets().test
    drawn = []
    for number in range(DRAWN):
        rng = np.random.default_rng(number)
        chosen = rng.integers(0, len(data.pixels), DIGITS)
        page = make_page(data.pixels[chosen], data.sparse_labels[chosen], rng).picture
        upright = page if page.width > page.height else page.transpose(Image.Transpose.ROTATE_90)
        photo = np.asarray(ImageOps.fit(upright, SIZE), np.float32)
        noisy = photo + NOISE * rng.standard_normal(photo.shape, np.float32)
        drawn.append(Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)))
    for count, folder in stacks:
        folder.mkdir()
        for number in range(count):
            path = folder / f"{number:04}.jpg"
            if number < DRAWN:
                drawn[number].save(path, quality=QUALITY)
            else:
                os.link(folder / f"{number % DRAWN:04}.jpg", path)
    sizes = [path.stat().st_size / 1e6 for path in stacks[0][1].iterdir()]
    return round(sum(sizes) / len(sizes), 2)


def _measure(command: list[str], folder: str) -> Cost:
    start = time.perf_counter()
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, cwd=folder, **streams)
    process.stdout.readline()
    first_line = time.perf_counter() - start
    process.stdout.read()
    _, _, usage = os.wait4(process.pid, 0)
    process.returncode = 0  # tells Popen that wait4 has already collected the process
    seconds, cpu = time.perf_counter() - start, usage.ru_utime + usage.ru_stime
    cost = Cost(seconds, cpu, first_line, usage.ru_maxrss * 1024 / 1e6)
    print(command[-1], cost, flush=True)
    return Cost(*(round(value, 2) for value in cost))


def _format_report(results: dict) -> str:
    few, photos, costs = results["few"], results["photos"], results["costs"]
    lines = [
        "# A stack of photos",
        "",
        f"Photos of 12 megapixels ({results['megabytes of a photo']} MB), read with "
        f"{results['model']}, on {machine.summarize(results['machine'])}.",
        f"Load average of five minutes at the end: {results['load']:.1f}. Where it is above the "
        "number of cores, other processes took part of them, and only CPU time compares.",
        f"Reproduce: `python -m benchmarks.stack --photos {photos} --few {few}`.",
        "",
        "| | seconds | to the first line | CPU seconds | peak MB |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, cost in costs.items():
        lines.append(
            f"| {name} | {cost['seconds']:.1f} | {cost['first_line']:.1f} | "
            f"{cost['cpu_seconds']:.1f} | {cost['megabytes']:.0f} |"
        )
    less, more = costs[f"{few} photos"], costs[f"{photos} photos"]
    rate = (photos - 1) / (more["seconds"] - more["first_line"])
    cpu = (more["cpu_seconds"] - less["cpu_seconds"]) / (photos - few)
    lines += [
        "",
        f"After the first line, {rate:.2f} photos per second. A further photo takes {cpu:.2f} "
        "seconds of CPU time.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
