"""The rooms of the package and the direction of its imports; see docs/architecture.md."""

import ast
import subprocess
import sys

import pytest
from helpers import ROOT

PACKAGE = ROOT / "mnist_graph"
ORDER = (
    "errors",
    "data",
    "graph",
    "runs",
    "training",
    "cluster",
    "reading",
    "exports",
    "serving",
    "panels",
    "cluster",
    "experiments",
    "cli",
)
"""A room imports only from rooms before it."""
SIDE_BY_SIDE = {
    ("training", "reading"),
    ("cluster", "reading"),
    ("cluster", "exports"),
    ("cluster", "serving"),
    ("cluster", "panels"),
    ("training", "exports"),
    ("reading", "exports"),
    ("reading", "panels"),
    ("exports", "panels"),
    ("training", "serving"),
    ("exports", "serving"),
    ("serving", "panels"),
    ("reading", "experiments"),
    ("exports", "experiments"),
    ("serving", "experiments"),
}
"""Pairs of rooms that do not import each other at all."""
PUBLIC = ("__init__", "input_data")
"""The modules in front of the rooms, which may import from any of them."""
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in PACKAGE.rglob("*.py")
}


def imported_modules(module):
    """The package's own modules that `module` imports: anywhere in it, for type hints too."""
    found = set()
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} has a relative import"
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in MODULES else node.module for name in names}
    return found & set(MODULES)


def room(module):
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


IMPORTS = {module: imported_modules(module) for module in MODULES}


def test_every_module_is_in_a_known_room():
    assert {room(module) for module in MODULES} == {*ORDER, *PUBLIC}


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_point_in_one_direction(module):
    if room(module) in PUBLIC:
        return
    own = ORDER.index(room(module))
    for other in IMPORTS[module]:
        assert room(other) not in PUBLIC, f"{module} imports {other}"
        assert ORDER.index(room(other)) <= own, f"{module} imports {other}"
        assert (room(other), room(module)) not in SIDE_BY_SIDE, f"{module} imports {other}"


def test_no_imports_form_a_circle():
    left = {module: set(imported) for module, imported in IMPORTS.items()}
    while free := [module for module, imported in left.items() if not imported & set(left)]:
        for module in free:
            del left[module]
    assert sorted(left) == []


def test_every_room_says_what_it_is_and_which_file_to_open_first():
    for name in ORDER[1:]:
        text = ast.get_docstring(ast.parse((PACKAGE / name / "__init__.py").read_text("utf-8")))
        assert "Open `" in text, name
        modules = [p.stem for p in (PACKAGE / name).glob("*.py") if not p.stem.startswith("_")]
        unknown = [module for module in modules if f"{module} " not in text and name != "reading"]
        assert unknown == [], name


def loaded_with(module):
    """The package's own modules that are loaded with `module`, if every import is executed."""
    found, waiting = set(), {module}
    while waiting:
        found |= waiting
        waiting = set().union(*(IMPORTS[each] for each in waiting)) - found
    return found


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("reading.classifier", "training"),
        ("panels.__main__", "training.loop"),
        ("training.loop", "reading"),
        ("training.loop", "training.saving"),
        ("training.loop", "cluster"),
        ("runs.predictor", "training"),
        ("runs.predictor", "reading"),
    ],
)
def test_one_part_does_not_need_another(module, absent):
    loaded = loaded_with(f"mnist_graph.{module}")
    assert len(loaded) > 5
    unwanted = f"mnist_graph.{absent}"
    assert [name for name in loaded if f"{name}.".startswith(f"{unwanted}.")] == []


LOADED = """
import sys
import {module}
print(sorted(name for name in {names} if name in sys.modules))
"""


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("mnist_graph.cli", ["tensorflow", "numpy", "PIL", "cv2", "filelock", "asyncio"]),
        ("mnist_graph.panels.__main__", ["tensorflow"]),
        ("mnist_graph.cli.task", ["tensorflow", "numpy"]),
    ],
)
def test_a_part_starts_without_slow_packages(module, absent):
    words = [sys.executable, "-c", LOADED.format(module=module, names=absent)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
