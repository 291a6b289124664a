"""README and docs: the examples run, links and flags exist, accuracies are the measured ones."""

import re
import shlex

import pytest
from helpers import ROOT, run_example

from mnist_graph.cli.parser import create_parser, parse
from mnist_graph.cli.request import Request

README = ROOT / "README.md"
DOCS = sorted((ROOT / "docs").glob("*.md"))
PAGES = [README, *DOCS, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]
MAX_LINES = 100
"""Lines of text in the README, apart from tables, code blocks, pictures and blank lines."""
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", flags=re.DOTALL | re.MULTILINE)
FLAG = re.compile(r"(?<![-\w])--[a-z][a-z-]*")
MEASURED_ROW = re.compile(r"^\| .*\*\*0\.\d{4}\*\*.*$", flags=re.MULTILINE)
BENCHMARK = re.compile(r"python -m benchmarks\.([a-z]\w*)([^`\n]*)")
OTHER_FLAGS = {
    *("--logdir", "--check", "--model-repository"),
    *("--target", "--build-arg", "--all-pods", "--nodes", "--ntasks-per-node"),
    *("--region", "--display-name", "--config"),
}
"""Flags of TensorBoard, ruff, TensorFlow Serving, docker, kubectl, sbatch and gcloud."""


def read(page):
    return page.read_text(encoding="utf-8")


def python_blocks(page):
    return [code for language, code in FENCE.findall(read(page)) if language == "python"]


def example_with(word):
    """The only example of the README that has `word`."""
    (code,) = [code for code in python_blocks(README) if word in code]
    return code


@pytest.mark.slow
def test_the_plain_loop_of_the_readme_runs(tmp_path):
    printed = run_example(tmp_path, example_with("graph.train_step"))
    assert float(re.search(r"0\.\d+", printed)[0]) > 0.80


@pytest.mark.slow
def test_the_classifier_of_the_readme_reads(tmp_path):
    first, *rest = run_example(tmp_path, example_with("Classifier.restore")).splitlines()
    assert float(re.search(r"0\.\d+", first)[0]) > 0.92
    assert rest == ["[7 2 1 0 4]", "2"]


def test_every_example_of_the_readme_is_run():
    assert len(python_blocks(README)) == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    "code", [code for page in DOCS for code in python_blocks(page) if "Session" in code]
)
def test_loops_of_the_docs_run(tmp_path, code):
    accuracies = re.findall(r"0\.\d+", run_example(tmp_path, code))
    assert float(accuracies[-1]) > 0.88


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_examples_of_the_docs_are_valid_python(page):
    for code in python_blocks(page):
        compile(code, page.name, "exec")


def test_accuracies_are_the_measured_ones():
    measured = MEASURED_ROW.findall(read(ROOT / "benchmarks/results/reproduce.md"))
    assert len(measured) > 10
    assert [row for row in measured if row not in read(ROOT / "docs/results.md")] == []
    shown = MEASURED_ROW.findall(read(README))
    assert shown
    assert [row for row in shown if row not in measured] == []


def test_the_readme_is_short():
    text = FENCE.sub("", read(README))
    lines = [line for line in text.splitlines() if line.strip()]
    prose = [line for line in lines if not line.startswith(("|", "    ", "!["))]
    assert len(prose) <= MAX_LINES


def anchors(page):
    """The anchors that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", read(page)), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title).lower().replace(" ", "-") for title in headings}


def broken_links(page):
    """The relative links and pictures of a page whose file or heading does not exist."""
    for target in re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", read(page))):
        if re.match(r"\w+:", target):
            continue
        name, _, anchor = target.partition("#")
        path = (page.parent / name) if name else page
        if not path.exists() or (anchor and anchor not in anchors(path)):
            yield target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_pictures_exist(page):
    assert list(broken_links(page)) == []


def test_the_readme_shows_a_picture_and_links_to_every_page_of_the_docs():
    text = read(README)
    assert re.search(r"!\[[^]]+\]\([^)]+\)", text)
    assert [page.name for page in DOCS if f"](docs/{page.name}" not in text] == []


def module_file(name):
    """The file that `python -m name` runs."""
    folder = ROOT / name.replace(".", "/")
    return folder / "__main__.py" if folder.is_dir() else folder.with_suffix(".py")


def unknown_flags(page):
    """The flags that a page names and that neither the command nor the named benchmark has."""
    text = read(page)
    for name, words in BENCHMARK.findall(text):
        source = read(module_file(f"benchmarks.{name}"))
        yield from (flag for flag in FLAG.findall(words) if f'"{flag}"' not in source)
    known = {*FLAG.findall(create_parser().format_help()), *OTHER_FLAGS}
    yield from (flag for flag in FLAG.findall(BENCHMARK.sub("", text)) if flag not in known)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_flags_exist(page):
    assert list(unknown_flags(page)) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_modules_and_files_exist(page):
    text = read(page)
    modules = re.findall(r"python -m ((?:benchmarks|examples)\.[a-z]\w*)", text)
    files = {str(module_file(module).relative_to(ROOT)) for module in modules}
    files |= set(re.findall(r"`([a-z_]+/[\w/.]+\.(?:py|md|json))`", text))
    folders = (ROOT, ROOT / "mnist_graph", page.parent)
    assert [name for name in files if not any((f / name).is_file() for f in folders)] == []


def commands(page):
    """The words of every `python main.py ...` on a page; placeholders are filled in."""
    text = read(page).replace("\\\n", " ")
    for line in re.findall(r"python main\.py ([^`|;&\n]*)", text):
        words = line.split("   ")[0]  # what follows is a description
        words = re.sub(r"\bNAME\b", "softmax", words)
        yield shlex.split(re.sub(r"\bN\b", "1", words))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_are_accepted(page):
    for words in commands(page):
        request = Request(parse(words))
        if request.options.model is not None:
            assert request.recipe
