"""The Dockerfile, read: no image is built here."""

import json
import re

from helpers import ROOT, run_python

from mnist_graph.cli.parser import PROGRAM, parse

TEXT = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def instruction(name):
    """Return what the last instruction of this name says."""
    lines = TEXT.replace("\\\n", " ").splitlines()
    return [line.partition(" ")[2] for line in lines if line.startswith(f"{name} ")][-1]


def test_its_command_serves_on_the_port_that_it_exposes():
    program, *words = json.loads(instruction("ENTRYPOINT"))
    assert program == PROGRAM
    options = parse([*words, "--token", "a-token-that-is-given"])
    assert (options.serve, options.host) == (True, "0.0.0.0")
    assert str(options.port) == instruction("EXPOSE")


def test_it_runs_as_a_user_without_rights():
    user = instruction("USER")
    assert re.fullmatch("[1-9][0-9]*", user)  # a number, so that it is known not to be root
    assert f"useradd --uid {user} " in TEXT


def test_the_health_check_fails_without_a_server():
    python, flag, code = json.loads(instruction("HEALTHCHECK").partition("CMD ")[2])
    assert (python, flag) == ("python", "-c")
    assert instruction("EXPOSE") in code
    outcome = run_python(code.replace("8000", "9"))  # where nobody listens
    assert outcome.code == 1
    assert "ConnectionRefusedError" in outcome.err


def test_what_is_installed_is_not_ignored():
    rules = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    read = re.findall(r'here / "([^"]+)"', (ROOT / "setup.py").read_text(encoding="utf-8"))
    assert len(read) == 2
    for name in ("mnist_graph", "setup.py", *read):
        assert f"!{name}" in rules
