"""Compare two finished runs: what differs, whether it is chance, and on which images."""

from typing import TYPE_CHECKING

from mnist_graph.cli.messages import printable
from mnist_graph.cli.output import print_table
from mnist_graph.cli.quiet import import_tensorflow
from mnist_graph.cli.request import Request
from mnist_graph.experiments.knobs import as_text
from mnist_graph.runs.find import load_run

if TYPE_CHECKING:
    from mnist_graph.experiments.compare import Comparison

CHANCE = 0.05
"""A difference less probable than this, by chance alone, is called more than chance."""
IMAGES = {"test": "test images", "validation": "held-out training images"}


def compare(request: Request) -> int:
    """Print what differs between the two runs, and draw the images on which they disagree."""
    options = request.options
    from mnist_graph.experiments.compare import check_comparable
    from mnist_graph.experiments.compare import compare as compare_runs
    from mnist_graph.experiments.sheet import draw_sheet

    one, other = (load_run(directory) for directory in options.compare)
    check_comparable(one, other)
    request.check_data_dir()
    import_tensorflow()
    found = compare_runs(
        one.directory,
        other.directory,
        data_dir=options.data_dir,
        pictures=request.pictures,
        device=options.device,
    )
    print_table(_table(found))
    _print_disagreements(found)
    if found.disagreements:
        folder = other.directory.resolve()
        path = one.directory / f"compared-with-{folder.parent.name}-{folder.name}.png"
        draw_sheet(found, path)
        request.say(f"all {found.disagreements:,} images drawn in {path}")
    return 0


def _table(found: "Comparison") -> list[tuple[str, ...]]:
    """Return the hyperparameters and results that differ."""
    rows: list[tuple[str, ...]] = [("", *(printable(str(run.directory)) for run in found.runs))]
    rows += [(name, *map(_text, values)) for name, values in found.differences.items()]
    starts = [run.start.run if run.start else "-" for run in found.runs]
    if starts != ["-", "-"]:
        rows.append(("started from", *map(printable, starts)))
    on = found.runs[0].tested_on
    rows.append((f"accuracy ({on})", *(f"{accuracy:.4f}" for accuracy in found.accuracies)))
    wrong = (f"{int(each.sum()):,}" for each in found.wrong)
    rows.append(("misclassified", *wrong))
    results = [run.result for run in found.runs]
    rows.append(("training seconds", *(f"{each.seconds:.1f}" for each in results if each)))
    return rows


def _text(value: object) -> str:
    return as_text(tuple(value) if isinstance(value, list) else value, between=",")


def _print_disagreements(found: "Comparison") -> None:
    one, other = (printable(str(run.directory)) for run in found.runs)
    counts = [int(each.sum()) for each in (found.only_one, found.only_other, found.both_wrong)]
    images = IMAGES[found.runs[0].tested_on]
    print(
        f"Of {len(found.labels):,} {images}, only {one} is right on {counts[0]:,}, only {other} "
        f"on {counts[1]:,}; both are wrong in different ways on {counts[2]:,}"
    )
    probability = found.probability
    verdict = "is more than chance" if probability < CHANCE else "may be chance"
    print(f"McNemar's test: p = {probability:.2g}: the difference {verdict}", flush=True)
