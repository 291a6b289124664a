"""A Python environment with one runtime and NumPy, and nothing else, made of what is installed."""

import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution


def make_environment(folder, *packages):
    """Fill `folder` with links to these packages and to all that they require."""
    folder.mkdir()
    for name in sorted(_with_required(packages)):
        files = distribution(name).files or ()
        for top in {file.parts[0] for file in files} - {"..", "__pycache__"}:
            source = distribution(name).locate_file(top)
            link = folder / top
            if source.exists() and not link.exists():
                link.symlink_to(source)
    return folder


def _with_required(names):
    found, left = set(), [name.lower() for name in names]
    while left:
        name = left.pop()
        if name in found:
            continue
        try:
            required = distribution(name).requires or ()
        except PackageNotFoundError:  # for another system
            continue
        found.add(name)
        plain = [each for each in required if "extra ==" not in each]
        left += [re.match(r"[\w.-]+", each).group().lower() for each in plain]
    return found


def run_lines(environment, cwd, lines):
    """Run Python `lines` with the packages in `environment` alone; return what they print."""
    code = f"import sys; sys.path.append({str(environment)!r})\n{lines}"
    command = [sys.executable, "-I", "-S", "-c", code]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout
