"""Measure the page in a browser: from the pointer's move to the new bars, and the first paint.

    python -m benchmarks.page [--moves 200] [--loads 10]

Serves the reader in the package and the newest finished runs, and draws with the mouse in Debian's
Chromium, a move every 200 ms: the page has answered the one before. Counted are moves that change
the bars. Writes benchmarks/results/page.json and .md.
"""

import argparse
import json
import shutil
from statistics import median, quantiles

from playwright.sync_api import Browser, sync_playwright

from benchmarks import machine
from benchmarks.reproduce import RESULTS
from benchmarks.serving import BATCHED, start_server
from mnist_graph.serving.app import PAGE

PAUSE = 200
"""Milliseconds between two moves."""
STROKES = 10
"""How many strokes the moves make; the drawing is cleared after each."""
RECORD = """() => {
    let moved = null;
    window.took = [];
    document.getElementById("pad").addEventListener("pointermove", () => {
        moved = performance.now();
    }, { capture: true });
    new MutationObserver(() => {
        if (moved !== null) took.push(performance.now() - moved);
        moved = null;
    }).observe(document.getElementById("bars"), { subtree: true, attributes: true });
}"""
"""Records in the page how long after a move the bars change."""


def main() -> None:
    """Measure, and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--moves", type=int, default=200)
    parser.add_argument("--loads", type=int, default=10)
    options = parser.parse_args()
    process, url = start_server(None, BATCHED)
    try:
        with sync_playwright() as playwright:
            flags = ["--no-sandbox", "--disable-gpu"]
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=flags
            )
            paints = [measure_paint(browser, url) for _ in range(options.loads)]
            names, moves = measure_moves(browser, url, options.moves)
            chromium = browser.version
    finally:
        process.terminate()
        process.wait()
    results = {
        "machine": machine.describe(),
        "chromium": chromium,
        "networks": names,
        "moves_ms": moves,
        "paints_ms": paints,
        "page_bytes": sum(path.stat().st_size for path in PAGE.iterdir()),
    }
    (RESULTS / "page.json").write_text(json.dumps(results, indent=2) + "\n")
    report = format_report(results)
    (RESULTS / "page.md").write_text(report)
    print(report)


def measure_paint(browser: Browser, url: str) -> float:
    """Return the milliseconds until the first paint with content, with an empty cache."""
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(url)
        page.wait_for_selector(".card")
        entry = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
        return page.evaluate(entry)


def measure_moves(browser: Browser, url: str, moves: int) -> tuple[list[str], list[float]]:
    """Return the networks that are compared, and the milliseconds from moves to new bars."""
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        page = context.new_page()
        page.goto(url)
        page.wait_for_selector(".card")
        names = page.locator(".card h3").all_inner_texts()
        page.evaluate(RECORD)
        box = page.locator("#pad").bounding_box()
        assert box is not None
        in_stroke = moves // STROKES
        for _ in range(STROKES):
            x, y = box["x"] + 0.3 * box["width"], box["y"] + 0.15 * box["height"]
            page.mouse.move(x, y)
            page.mouse.down()
            for step in range(in_stroke):
                share = step / in_stroke  # a 7: a bar, then down
                right = min(share, 0.4) - max(share - 0.4, 0) / 2
                page.mouse.move(
                    x + 0.4 * right * box["width"], y + max(share - 0.4, 0) * box["height"]
                )
                page.wait_for_timeout(PAUSE)
            page.mouse.up()
            page.click("#clear")
            page.wait_for_timeout(PAUSE)
        return names, page.evaluate("took")


def format_report(results: dict) -> str:
    """Return the report of `results`, in Markdown."""
    moves, paints = results["moves_ms"], results["paints_ms"]
    p95 = quantiles(moves, n=20)[18]
    return "\n".join(
        [
            "# The page",
            "",
            f"Chromium {results['chromium']} on {machine.summarize(results['machine'])}; browser "
            f"and server share the cores. Networks: {', '.join(results['networks'])}.",
            "Reproduce: `python -m benchmarks.page`.",
            "",
            f"- From the pointer's move to new bars: {median(moves):.0f} ms in the median, "
            f"{p95:.0f} ms at the 95th percentile, {max(moves):.0f} ms at most "
            f"({len(moves)} moves)",
            f"- First paint: {median(paints):.0f} ms in the median, {min(paints):.0f} to "
            f"{max(paints):.0f} ({len(paints)} loads, nothing cached)",
            f"- The page in all: {results['page_bytes'] / 1000:.0f} kB",
            "",
        ]
    )


if __name__ == "__main__":
    main()
