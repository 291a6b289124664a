"""The files of deploy/, read; and the command of each container, run here with the environment that
its platform gives it.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import yaml
from helpers import ROOT, Outcome

DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
IN_NAMESPACES = ["unshare", "--map-root-user", "--mount"]
STAND_IN = """#!/usr/bin/env python3
import json, os, sys
print(json.dumps({"words": sys.argv[1:], "tf_config": json.loads(os.environ["TF_CONFIG"])}))
"""
"""Shows what it was given, in place of mnist-graph."""
TASK = f"""#!{sys.executable}
import sys
sys.path.insert(0, {str(ROOT)!r})
from mnist_graph.cli.task import run
run()
"""
"""What pip installs as mnist-graph-task."""


def stage(name):
    """Return the instructions of a stage of the Dockerfile, after those of what it is based on: a
    list of (instruction, what it says).
    """
    lines = [line for line in DOCKERFILE.splitlines() if not line.startswith("#")]
    steps = [
        line.split(None, 1) for line in "\n".join(lines).replace("\\\n", " ").splitlines() if line
    ]
    starts = [n for n, (word, _) in enumerate(steps) if word == "FROM"]
    for start, end in zip(starts, [*starts[1:], len(steps)], strict=True):
        base, _, own = steps[start][1].partition(" AS ")
        if own == name:
            return [*stage(base), *steps[start + 1 : end]]
    return []  # an image from elsewhere


def instruction(stage_name, name):
    """Return what the last instruction of this name says, in a stage."""
    return [said for word, said in stage(stage_name) if word == name][-1]


def documents(*path):
    """Return the documents of a YAML file of deploy/."""
    return list(yaml.safe_load_all(DEPLOY.joinpath(*path).read_text(encoding="utf-8")))


def document(kind):
    """Return the only document of this kind in deploy/kubernetes."""
    files = sorted((DEPLOY / "kubernetes").iterdir())
    (found,) = [d for f in files for d in documents(f) if d["kind"] == kind]
    return found


def replica(role):
    """Return the pod of a role, Chief or Worker, of the TFJob."""
    (job,) = documents("kubeflow", "tfjob.yaml")
    return job["spec"]["tfReplicaSpecs"][role]["template"]


def lint(program, path):
    """Return the exit code and the output of a linter for a file. The linters are among
    requirements-dev.txt: next to this Python, if not on the PATH.
    """
    places = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    words = [shutil.which(program, path=places) or program, path]
    done = subprocess.run(words, capture_output=True, text=True)
    return Outcome(done.returncode, done.stdout, done.stderr)


def install(folder, mnist_graph=STAND_IN):
    """Create the folder of commands of a container: mnist-graph-task, and a script as mnist-graph.
    Return the PATH with it.
    """
    folder.mkdir(exist_ok=True)
    for name, text in (("mnist-graph-task", TASK), ("mnist-graph", mnist_graph)):
        add_command(folder, name, text)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


def add_command(folder, name, text):
    """Create an executable script."""
    (folder / name).write_text(text)
    (folder / name).chmod(0o755)


def run_container(folder, args, variables, names=()):
    """Run the entry point of the image with `args`, where a name service knows `names`. Return what
    the stand-in was given.
    """
    command = [*json.loads(instruction("train", "ENTRYPOINT")), *args]
    environment = {"PATH": install(folder / "bin"), "MNIST_GRAPH_WAIT": "5"}
    done = subprocess.run(
        [*with_names(folder, names), *command],
        env={**environment, **variables},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def with_names(folder, names):
    """Return the start of a command that has its own /etc/hosts, in which `names` are loopback
    addresses.
    """
    if not names:
        return []
    hosts = "".join(f"127.0.0.{2 + n} {name}\n" for n, name in enumerate(names))
    (folder / "hosts").write_text(f"127.0.0.1 localhost\n{hosts}")
    mount = f'mount --bind {folder / "hosts"} /etc/hosts && exec "$@"'
    return [*IN_NAMESPACES, "sh", "-c", mount, "sh"]


def has_namespaces():
    """Whether mounts of one's own are possible here."""
    if shutil.which("unshare") is None:
        return False
    words = [*IN_NAMESPACES, "mount", "--bind", "/etc/hosts", "/etc/hosts"]
    return subprocess.run(words, capture_output=True).returncode == 0
