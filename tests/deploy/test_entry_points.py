"""The command of each container, run here as its platform would; see `containers`."""

import json
import os
import re
import subprocess
import sys

import pytest
from containers import (
    DEPLOY,
    add_command,
    document,
    documents,
    has_namespaces,
    install,
    lint,
    replica,
    run_container,
)
from helpers import ROOT, printed

from mnist_graph.cli.parser import parse

SBATCH = DEPLOY / "slurm" / "train.sbatch"
SRUN = """#!/usr/bin/env python3
import os, subprocess, sys
command = sys.argv[1:]
while command[0].startswith("--"):
    del command[0]
tasks = int(os.environ["SLURM_NTASKS"])
on_each = int(os.environ["SLURM_TASKS_PER_NODE"].partition("(")[0])
print("srun", file=sys.stderr)
started = [
    subprocess.Popen(
        command,
        env={
            **os.environ,
            "SLURM_STEP_ID": "0",
            "SLURM_PROCID": str(rank),
            "SLURM_NODEID": str(rank // on_each),
            "SLURM_LOCALID": str(rank % on_each),
        },
    )
    for rank in range(tasks)
]
sys.exit(max(each.wait() for each in started))
"""
"""Starts the tasks with the variables that srun sets, equally many on each node."""
ENDING = """#!/usr/bin/env python3
import os, pathlib, sys
codes = pathlib.Path(os.environ["CODES"])
if os.environ["SLURM_PROCID"] == "0":
    first, *others = codes.read_text().split()
    codes.write_text(" ".join(others))
    sys.exit(int(first))
"""
"""In place of mnist-graph: the first task exits with the next of several codes."""
needs_namespaces = pytest.mark.skipif(
    not has_namespaces(), reason="no mount namespaces here, for names of one's own"
)


def given(cluster, kind, index):
    return {"cluster": cluster, "task": {"type": kind, "index": index}}


@needs_namespaces
def test_kubernetes(tmp_path):
    job, service = document("Job"), document("Service")
    (container,) = job["spec"]["template"]["spec"]["containers"]
    names = [
        f"{job['metadata']['name']}-{index}.{service['metadata']['name']}"
        for index in range(job["spec"]["completions"])
    ]
    cluster = {"worker": [f"{name}:2222" for name in names]}
    # What the Job's controller adds to each pod.
    labels = {"batch.kubernetes.io/job-name": job["metadata"]["name"]}
    variables = {}
    for each in container["env"]:
        field = each.get("valueFrom", {}).get("fieldRef", {}).get("fieldPath", "")
        found = re.fullmatch(r"metadata\.labels\['(.*)'\]", field)
        variables[each["name"]] = labels[found[1]] if found else each["value"]
    for index in range(len(names)):
        of_pod = {**variables, "JOB_COMPLETION_INDEX": str(index)}
        outcome = run_container(tmp_path, container["args"], of_pod, names)
        assert outcome["words"] == container["args"]
        assert outcome["tf_config"] == given(cluster, "worker", index)


@needs_namespaces
@pytest.mark.parametrize(("role", "index"), [("Chief", 0), ("Worker", 0), ("Worker", 2)])
def test_kubeflow(tmp_path, role, index):
    (job,) = documents("kubeflow", "tfjob.yaml")
    (container,) = replica(role)["spec"]["containers"]
    names = {
        each.lower(): [
            f"mnist-graph-{each.lower()}-{n}.default.svc" for n in range(spec["replicas"])
        ]
        for each, spec in job["spec"]["tfReplicaSpecs"].items()
    }
    cluster = {each: [f"{name}:2222" for name in of_role] for each, of_role in names.items()}
    config = {**given(cluster, role.lower(), index), "environment": "cloud"}
    variables = {"TF_CONFIG": json.dumps(config)}
    outcome = run_container(
        tmp_path, container["args"], variables, [*names["chief"], *names["worker"]]
    )
    assert outcome == {"words": container["args"], "tf_config": config}


@needs_namespaces
@pytest.mark.parametrize("variable", ["TF_CONFIG", "CLUSTER_SPEC"])
@pytest.mark.parametrize(("pool", "index"), [(0, 0), (1, 2)])
def test_vertex(tmp_path, variable, pool, index):
    (job,) = documents("vertex", "custom-job.yaml")
    pools = job["workerPoolSpecs"]
    args = pools[pool]["containerSpec"]["args"]
    names = [
        [f"cmle-training-workerpool{pool}-ab-{n}" for n in range(spec["replicaCount"])]
        for pool, spec in enumerate(pools)
    ]
    chief, worker = ([f"{name}:2222" for name in of_pool] for of_pool in names)
    cluster = {"chief": chief, "worker": worker}
    config = given(cluster, ["chief", "worker"][pool], index)
    if variable == "TF_CONFIG":
        set_by_vertex = {**config, "environment": "cloud", "job": job}
    else:
        pools = {"workerpool0": chief, "workerpool1": worker}
        set_by_vertex = {**given(pools, f"workerpool{pool}", index), "environment": "cloud"}
    outcome = run_container(
        tmp_path, args, {variable: json.dumps(set_by_vertex)}, [*names[0], *names[1]]
    )
    assert outcome["words"] == args
    assert {name: outcome["tf_config"][name] for name in config} == config


def slurm(folder, nodes, *words, mnist_graph=None, **variables):
    """Run the batch script on loopback addresses as nodes; return the finished process."""
    path = install(folder / "bin", *([] if mnist_graph is None else [mnist_graph]))
    add_command(folder / "bin", "srun", SRUN)
    add_command(folder / "bin", "scontrol", "#!/bin/sh\necho scontrol $* >&2\n")
    return subprocess.run(
        ["bash", SBATCH, *words],
        cwd=folder,
        env={
            "PATH": path,
            "SLURM_JOB_ID": str(os.getpid()),
            "SLURM_NTASKS": str(nodes),
            "SLURM_JOB_NODELIST": f"127.0.0.[1-{nodes}]",
            "SLURM_TASKS_PER_NODE": f"1(x{nodes})",
            **variables,
        },
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_slurm(tmp_path):
    done = slurm(tmp_path, 3, "--model", "cnn", MNIST_GRAPH_PORT="2222")
    assert (done.returncode, done.stderr) == (0, "srun\n")
    shown = sorted(
        map(json.loads, done.stdout.splitlines()), key=lambda o: o["tf_config"]["task"]["index"]
    )
    cluster = {"worker": ["127.0.0.1:2222", "127.0.0.2:2222", "127.0.0.3:2222"]}
    assert [each["tf_config"] for each in shown] == [given(cluster, "worker", n) for n in range(3)]
    run = f"runs/slurm-{os.getpid()}"
    assert {tuple(each["words"]) for each in shown} == {
        ("--model", "cnn", "--run-dir", run, "--resume")
    }


@pytest.mark.parametrize(
    ("codes", "code", "starts", "is_requeued"),
    [
        ("1 1 0", 0, 3, False),
        ("2 0", 2, 1, False),
        ("1 143 0", 143, 2, True),
        ("1 1 1 1 1 1 0", 1, 6, False),
    ],
)
def test_slurm_starts_all_again_after_a_failure(tmp_path, codes, code, starts, is_requeued):
    (tmp_path / "codes").write_text(codes)
    done = slurm(tmp_path, 2, mnist_graph=ENDING, CODES=str(tmp_path / "codes"))
    assert done.returncode == code
    requeue = [f"scontrol requeue {os.getpid()}"] if is_requeued else []
    assert done.stderr.splitlines() == ["srun"] * starts + requeue


def test_shellcheck_has_nothing_to_say():
    assert lint("shellcheck", SBATCH) == (0, "", "")


def arguments():
    (of_job,) = document("Job")["spec"]["template"]["spec"]["containers"]
    (of_tfjob,) = replica("Worker")["spec"]["containers"]
    (vertex,) = documents("vertex", "custom-job.yaml")
    return [of_job["args"], of_tfjob["args"], vertex["workerPoolSpecs"][0]["containerSpec"]["args"]]


@pytest.mark.parametrize("words", arguments(), ids=["kubernetes", "kubeflow", "vertex"])
def test_the_flags_exist_and_are_safe_to_repeat(words):
    options = parse(words)
    assert options.resume
    assert options.run_dir is not None


@pytest.mark.slow
def test_two_tasks_train_and_a_repeated_command_keeps_the_run(tmp_path):
    """The command starts a run that does not exist, and leaves alone one that is finished."""
    real = f'#!/bin/sh\nexec {sys.executable} {ROOT / "main.py"} "$@"\n'
    words = ("--model", "softmax", "--iterations", "200")
    # On one node: TensorFlow's servers listen on every address, so their ports have to differ.
    node = {"SLURM_JOB_NODELIST": "127.0.0.1", "SLURM_TASKS_PER_NODE": "2"}
    done = slurm(tmp_path, 2, *words, mnist_graph=real, **node)
    assert done.returncode == 0, done.stderr
    assert len(printed(done.stdout)) == 3  # iterations 0, 100 and 199, of the first worker alone
    run = tmp_path / "runs" / f"slurm-{os.getpid()}"
    result = (run / "result.json").read_bytes()
    assert json.loads(result)["test_accuracy"] > 0.85
    assert slurm(tmp_path, 2, *words, mnist_graph=real, **node).returncode == 0
    assert (run / "result.json").read_bytes() == result
