"""TF_CONFIG: what it may say, and what is wrong with it."""

import json

import pytest
from helpers import assert_refused

from mnist_graph.cluster.tf_config import read_tf_config
from mnist_graph.errors import UsageError

A, B, C = "10.0.0.1:2222", "10.0.0.2:2222", "worker-2.example:2222"


def config(jobs, job="worker", index=0, **more):
    return json.dumps({"cluster": jobs, "task": {"type": job, "index": index}, **more})


@pytest.mark.parametrize(
    ("text", "rank", "names"),
    [
        (
            config({"worker": [B, C], "chief": [A]}, "worker", 1),
            2,
            [f"the chief ({A})", f"worker 0 ({B})", f"worker 1 ({C})"],
        ),
        (
            config({"master": [A], "worker": [B]}, "master"),
            0,
            [f"the master ({A})", f"worker 0 ({B})"],
        ),
        (config({"worker": [A, B]}, "worker", "1"), 1, [f"worker 0 ({A})", f"worker 1 ({B})"]),
        (
            config({"chief": [A], "worker": ["[::1]:1"], "evaluator": [C], "ps": []}, "chief"),
            0,
            [f"the chief ({A})", "worker 0 ([::1]:1)"],
        ),
    ],
)
def test_a_cluster_is_read_as_tensorflow_reads_it(text, rank, names):
    cluster = read_tf_config(text)
    assert cluster.rank == rank
    assert [str(task) for task in cluster.tasks] == names


def test_the_tasks_of_a_host_are_neighbours():
    jobs = {"worker": ["a:1", "b:1", "a:2", "b:2"]}
    assert read_tf_config(config(jobs, index=2)).neighbours == [0, 2]
    assert read_tf_config(config(jobs, index=3)).neighbours == [1, 3]


@pytest.mark.parametrize(
    "text", ["{}", '{"environment": "cloud"}', config({"chief": [A]}, "chief"), config({})]
)
def test_a_process_alone_is_no_cluster(text):
    assert read_tf_config(text) is None


def test_an_evaluator_does_not_train():
    assert read_tf_config(config({"chief": [A], "worker": [B]}, "evaluator")).rank is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "TF_CONFIG is not JSON"),
        ("[]", "must be a table"),
        (config([A, B]), "its cluster must be a table"),
        (config({"worker": A}), "its 'worker' must be a list of addresses"),
        (json.dumps({"cluster": {"worker": [A, B]}}), "no task"),
        (json.dumps({"cluster": {"worker": [A, B]}, "task": [0]}), "a type and an index"),
        (config({"worker": [A, B]}, "chief"), "its task is a 'chief', but its cluster has only"),
        (config({"worker": [A, B]}, "worker", 2), "worker 2, but there are 2, from 0"),
        (config({"worker": [A, B]}, "worker", -1), "worker -1"),
        (config({"worker": [A, B]}, "worker", "one"), "must be a whole number, not 'one'"),
        (config({"worker": [A, B]}, "worker", True), "must be a whole number"),
        (config({"worker": [A, A]}), f"two tasks have the address {A}"),
        (config({"chief": [A], "worker": [A]}), f"two tasks have the address {A}"),
        (config({"worker": ["10.0.0.1", B]}), "'10.0.0.1' is not an address"),
        (config({"worker": ["10.0.0.1:0", B]}), "is not an address"),
        (config({"worker": ["10.0.0.1:65536", B]}), "is not an address"),
        (config({"worker": ["http://a:1", B]}), "is not an address"),
        (config({"worker": [None, B]}), "None is not an address"),
        (config({"chief": [A, B]}, "chief"), "only one chief"),
        (config({"chief": [A], "master": [B]}, "chief"), "only one chief"),
        (config({"worker": [A], "ps": [B]}), "parameter servers (ps), which are not supported"),
        (config({"worker": [A, B]}, "ps"), "parameter servers"),
        (config({"gpu": [A, B]}, "gpu"), "a job 'gpu'; the jobs are chief"),
    ],
)
def test_a_wrong_tf_config_is_refused_in_one_line(command, monkeypatch, text, said):
    with pytest.raises(UsageError):
        read_tf_config(text)
    monkeypatch.setenv("TF_CONFIG", text)
    assert_refused(command("--model", "softmax"), 2, said)


def test_an_evaluator_says_that_it_has_nothing_to_do(command, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", config({"chief": [A], "worker": [B]}, "evaluator"))
    outcome = command("--model", "softmax")
    assert (outcome.code, outcome.out) == (0, "")
    assert "nothing to do for an evaluator" in outcome.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--scale-batch",), "--scale-batch needs --workers, or a cluster"),
        (("--restarts", 2), "--restarts needs --workers"),
        (("--timeout", 5), "--timeout needs --workers, or a cluster"),
        (("--workers", 0), "--workers must be between 1 and"),
        (("--workers", 9, "--batch-size", 8), "9 workers cannot share a batch of 8"),
        (("--workers", 2, "--timeout", 0), "--timeout must be at least 1 second"),
        (("--workers", 2, "--restarts", -1), "--restarts must be at least 0"),
        (("--workers", 2, "--batch-size", 0), "batch_size must be at least 1"),
    ],
)
def test_flags_that_do_not_fit_are_refused(command, words, said):
    assert_refused(command("--model", "softmax", *words), 2, said)


def test_workers_within_a_cluster_are_refused(command, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", config({"worker": [A, B]}))
    outcome = command("--model", "softmax", "--workers", 2)
    assert_refused(outcome, 2, "--workers starts a cluster of its own, but TF_CONFIG")
