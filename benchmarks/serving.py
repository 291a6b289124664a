"""Measure the prediction service: requests a second, and how long one waits.

    python -m benchmarks.serving [--model cnn] [--clients 1 8 64] [--seconds 10]

Serves the newest finished run of a recipe and has it predict single images, sent by clients in
another process, each of which sends its next request as soon as it has the answer to the last one;
then the same without batching. Writes benchmarks/results/serving.json and .md.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import time
from statistics import quantiles
from urllib.parse import urlsplit

from benchmarks import machine
from benchmarks.reproduce import RESULTS, ROOT
from mnist_graph import read_data_sets

START = """
from mnist_graph.cli import run
from mnist_graph.serving import batching
batching.MAX_BATCH = {most}
run()
"""
BATCHED, UNBATCHED = 256, 1
"""The most images that are run together."""
WARM_UP = 1.0
"""Seconds before anything is measured."""


def main() -> None:
    """Measure with and without batching, and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="cnn")
    parser.add_argument("--clients", nargs="+", type=int, default=[1, 8, 64])
    parser.add_argument("--seconds", type=float, default=10.0)
    options = parser.parse_args()
    image = read_data_sets().test.images[0].round(4).tolist()
    body = json.dumps({"instances": [image]}).encode()
    measured = []
    for most in (BATCHED, UNBATCHED):
        process, url = start_server(options.model, most)
        try:
            for clients in options.clients:
                path = f"/v1/models/{options.model}:predict"
                times = asyncio.run(_load(url, path, body, clients, options.seconds))
                measured.append(_summarize(most, clients, times, options.seconds))
                print(measured[-1], flush=True)
        finally:
            process.terminate()
            process.wait()
    results = {"machine": machine.describe(), "model": options.model, "measured": measured}
    (RESULTS / "serving.json").write_text(json.dumps(results, indent=2) + "\n")
    (RESULTS / "serving.md").write_text(format_report(results))


def start_server(model: str | None, most: int) -> tuple[subprocess.Popen, str]:
    """Start a server of a recipe's newest run, or of the reader and the newest runs; return its
    process and address. A batch has at most `most` images.
    """
    words = ["--serve", "--port", "0", *([] if model is None else ["--model", model])]
    command = [sys.executable, "-c", START.format(most=most), *words]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise SystemExit("the server did not start")
    return process, line.removeprefix("Serving at ").strip()


async def _load(url: str, path: str, body: bytes, clients: int, seconds: float) -> list[float]:
    """Return the seconds that each request took."""
    parts = urlsplit(url)
    head = f"POST {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Length: {len(body)}\r\n\r\n"
    request = head.encode() + body
    start = time.perf_counter() + WARM_UP
    asked = [
        _ask(str(parts.hostname), int(parts.port or 0), request, start, start + seconds)
        for _ in range(clients)
    ]
    return [took for each in await asyncio.gather(*asked) for took in each]


async def _ask(host: str, port: int, request: bytes, start: float, end: float) -> list[float]:
    """Send one request after the other; return how long those took that began in time."""
    reader, writer = await asyncio.open_connection(host, port)
    times = []
    while (now := time.perf_counter()) < end:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise SystemExit(head.decode())
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]
        await reader.readexactly(int(length))
        if now >= start:
            times.append(time.perf_counter() - now)
    writer.close()
    return times


def _summarize(most: int, clients: int, times: list[float], seconds: float) -> dict:
    shares = quantiles(times, n=100)
    return {
        "batched": most > 1,
        "clients": clients,
        "requests": len(times),
        "per_second": len(times) / seconds,
        "median_ms": 1000 * shares[49],
        "p99_ms": 1000 * shares[98],
    }


def format_report(results: dict) -> str:
    """Return the report of `results`, in Markdown."""
    lines = [
        "# Serving",
        "",
        f"Single images, predicted by `{results['model']}`, on "
        f"{machine.summarize(results['machine'])}; clients and server share the cores. One run.",
        f"Reproduce: `python -m benchmarks.serving --model {results['model']}`.",
        "",
        "| clients | batched | requests a second | median, ms | 99th percentile, ms |",
        "| --- | --- | --- | --- | --- |",
    ]
    for each in results["measured"]:
        lines.append(
            f"| {each['clients']} | {'yes' if each['batched'] else 'no'} | "
            f"{each['per_second']:,.0f} | {each['median_ms']:.1f} | {each['p99_ms']:.1f} |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
