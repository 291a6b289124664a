"""The command mnist-graph-task, in a process of its own."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from helpers import Outcome, assert_refused, start_python

from mnist_graph.cluster.names import hosts_of
from mnist_graph.runs.children import child_environment

TASK = ["-m", "mnist_graph.cli.task"]
SHOW = [sys.executable, "-c", "import os; print(os.getpid(), os.environ.get('TF_CONFIG'))"]
UNKNOWN = {
    "JOB_COMPLETION_INDEX": "0",
    "MNIST_GRAPH_WORKERS": "5",
    "MNIST_GRAPH_JOB": "digits",
    "MNIST_GRAPH_SERVICE": "net.invalid",  # a name that no name service knows (RFC 2606)
}


def start(folder, *words, **variables):
    return start_python(folder, *TASK, *words, env={**child_environment(), **variables})


def run(folder, *words, **variables):
    process = start(folder, *words, **variables)
    out, err = process.communicate(timeout=60)
    return Outcome(process.returncode, out, err), process.pid


def test_it_becomes_the_command(tmp_path):
    outcome, pid = run(tmp_path, *SHOW)
    assert outcome == (0, f"{pid} None\n", "")  # the same process: signals reach the command
    assert run(tmp_path, "--", *SHOW)[0].code == 0
    assert run(tmp_path, "sh", "-c", "exit 7")[0].code == 7


def test_the_command_gets_tf_config(tmp_path):
    slurm = {
        "SLURM_STEP_ID": "0",
        "SLURM_PROCID": "1",
        "SLURM_NTASKS": "2",
        "SLURM_JOB_NODELIST": "127.0.0.[1-2]",
        "SLURM_TASKS_PER_NODE": "1(x2)",
        "MNIST_GRAPH_PORT": "7000",
    }
    outcome, pid = run(tmp_path, *SHOW, **slurm)
    assert outcome.err == ""
    shown = outcome.out.removeprefix(f"{pid} ")
    assert json.loads(shown) == {
        "cluster": {"worker": ["127.0.0.1:7000", "127.0.0.2:7000"]},
        "task": {"type": "worker", "index": 1},
    }


def test_names_that_stay_unknown_are_an_error(tmp_path):
    outcome, _ = run(tmp_path, *SHOW, **UNKNOWN, MNIST_GRAPH_WAIT="1")
    waiting, error = outcome.err.splitlines()
    assert (outcome.code, outcome.out) == (1, "")
    named = "digits-0.net.invalid, digits-1.net.invalid, digits-2.net.invalid and 2 more"
    assert waiting == f"mnist-graph: waiting up to 1 s for the addresses of {named}"
    assert error.startswith(f"mnist-graph: error: no address for {named} after 1 s")


def test_sigterm_ends_the_wait(tmp_path):
    process = start(tmp_path, *SHOW, **UNKNOWN)
    assert process.stderr.readline().startswith("mnist-graph: waiting")
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (143, "", "")


def test_sigterm_during_the_wait_is_not_lost_to_process_1(tmp_path):
    """In a container the command is process 1, whose default for every signal is to ignore it."""
    inside = ["unshare", "--map-root-user", "--pid", "--fork", "--kill-child"]
    if subprocess.run([*inside, "true"], capture_output=True).returncode != 0:
        pytest.skip("no PID namespaces here")
    process = subprocess.Popen(
        [*inside, sys.executable, *TASK, *SHOW],
        env={**child_environment(), **UNKNOWN},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr.readline().startswith("mnist-graph: waiting")
    (child,) = children(process.pid)
    os.kill(child, signal.SIGTERM)
    assert process.wait(timeout=60) == 143


def children(pid):
    """The processes that process `pid` has started."""
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(number) for number in file.read().split()]


@pytest.mark.parametrize(
    ("words", "variables", "said"),
    [
        ((), {}, "name a command"),
        (("--model", "cnn"), {}, "name a command"),
        (("no-such-command",), {}, "cannot start no-such-command: No such file"),
        (SHOW, {"SLURM_PROCID": "x"}, "SLURM_PROCID is 'x'"),
        (SHOW, {**UNKNOWN, "MNIST_GRAPH_WAIT": "long"}, "MNIST_GRAPH_WAIT is 'long'"),
    ],
)
def test_errors_are_one_line(tmp_path, words, variables, said):
    assert_refused(run(tmp_path, *words, **variables)[0], 2, said)


def test_help(tmp_path):
    outcome, _ = run(tmp_path, "--help")
    assert outcome.code == 0
    assert "JOB_COMPLETION_INDEX" in outcome.out


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ('{"cluster": {"chief": ["a:1"], "worker": ["b:1", "b:2", "[::1]:3"]}}', ["a", "b", "::1"]),
        ("not JSON", []),
        ('{"cluster": {"worker": [5]}}', []),
        ('{"cluster": {"worker": 5}}', []),
        ('{"cluster": ["a:1"]}', []),
        ("{}", []),
        ("[" * 100_000, []),
    ],
)
def test_hosts_of_a_tf_config(text, hosts):
    assert hosts_of(text) == hosts


def test_names_that_appear_end_the_wait(monkeypatch):
    from mnist_graph.cluster import names

    told, looks = [], []

    def is_known(host):
        looks.append(host)
        return looks.count(host) > (2 if host == "late" else 0)

    monkeypatch.setattr(names, "is_known", is_known)
    monkeypatch.setattr(names, "INTERVAL", 0.01)
    before = time.monotonic()
    names.wait_for(["early", "late"], 60, told.append)
    assert looks == ["early", "late", "late", "late"]
    assert told == ["waiting up to 60 s for the addresses of late"]
    assert time.monotonic() - before < 60
