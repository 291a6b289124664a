"""The Dockerfile, read: no image is built here."""

import json
import re

import pytest
from containers import DEPLOY, DOCKERFILE, instruction, lint, stage
from helpers import ROOT, run_python

from mnist_graph.cli.parser import PROGRAM, parse
from mnist_graph.cluster.environment import PORT

SETUP = (ROOT / "setup.py").read_text(encoding="utf-8")


def test_hadolint_has_nothing_to_say():
    assert lint("hadolint", DEPLOY / "Dockerfile") == (0, "", "")


def test_serving_serves_on_the_port_that_it_exposes():
    program, *words = json.loads(instruction("serve", "ENTRYPOINT"))
    assert program == PROGRAM
    options = parse([*words, "--token", "a-token-that-is-given"])
    assert (options.serve, options.host) == (True, "0.0.0.0")
    assert str(options.port) == instruction("serve", "EXPOSE")


def test_serving_is_what_is_built_by_default():
    assert [line for line in DOCKERFILE.splitlines() if line.startswith("FROM")][-1] == (
        "FROM base AS serve"
    )


def test_a_training_task_runs_installed_commands():
    words = json.loads(instruction("train", "ENTRYPOINT"))
    assert words == ["mnist-graph-task", PROGRAM]
    assert all(f'"{word} = mnist_graph' in SETUP for word in words)
    assert instruction("train", "EXPOSE") == str(PORT)


@pytest.mark.parametrize("name", ["train", "serve"])
def test_it_runs_as_a_user_without_rights(name):
    user = instruction(name, "USER")
    assert re.fullmatch("[1-9][0-9]*", user)  # a number, so that it is known not to be root
    assert f"useradd --uid {user} " in instruction(name, "RUN")


def test_the_extras_exist():
    extras = set(re.findall(r'^        "(\w+)": \[', SETUP, flags=re.MULTILINE))
    default = instruction("build", "ARG").removeprefix("EXTRAS=")
    assert {default, "gpu"} <= extras
    assert '".[${EXTRAS}]"' in instruction("build", "RUN")


def test_the_health_check_fails_without_a_server():
    python, flag, code = json.loads(instruction("serve", "HEALTHCHECK").partition("CMD ")[2])
    assert (python, flag) == ("python", "-c")
    assert instruction("serve", "EXPOSE") in code
    outcome = run_python(code.replace("8000", "9"))  # where nobody listens
    assert outcome.code == 1
    assert "ConnectionRefusedError" in outcome.err
    assert "HEALTHCHECK" not in [word for word, _ in stage("train")]


def test_what_is_installed_is_not_ignored():
    rules = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    read = re.findall(r'here / "([^"]+)"', SETUP)
    assert len(read) == 2
    for name in ("mnist_graph", "setup.py", *read):
        assert f"!{name}" in rules
