"""TF_CONFIG from what Kubernetes, Slurm and Vertex AI say in environment variables."""

import json

import pytest

from mnist_graph.cluster.environment import SLURM_PORTS, tf_config
from mnist_graph.cluster.tf_config import read_tf_config
from mnist_graph.errors import UsageError

KUBERNETES = {
    "JOB_COMPLETION_INDEX": "1",
    "MNIST_GRAPH_WORKERS": "2",
    "MNIST_GRAPH_JOB": "digits",
    "MNIST_GRAPH_SERVICE": "net",
}
SLURM = {
    "SLURM_JOB_ID": "1",
    "SLURM_STEP_ID": "0",
    "SLURM_PROCID": "3",
    "SLURM_NTASKS": "5",
    "SLURM_JOB_NODELIST": "n[09-11]",
    "SLURM_TASKS_PER_NODE": "2(x2),1",
    "SLURM_NODEID": "1",
    "SLURM_LOCALID": "1",
    "MNIST_GRAPH_PORT": "5000",
}
VERTEX = {
    "cluster": {"workerpool0": ["a-0:2222"], "workerpool1": ["b-0:2222", "b-1:2222"]},
    "environment": "cloud",
    "task": {"type": "workerpool1", "index": 1, "trial": "7"},
    "job": {"workerPoolSpecs": []},
}


def config_of(environment):
    return json.loads(tf_config(environment))


def vertex(**changes):
    return {"CLUSTER_SPEC": json.dumps({**VERTEX, **changes})}


def test_without_a_cluster_there_is_none():
    assert tf_config({"PATH": "/bin", "TF_CONFIG": "", "SLURM_JOB_ID": "7"}) is None


@pytest.mark.parametrize("text", ['{"cluster": {"master": ["a:1"]}, "x": 1}', "not JSON"])
def test_one_that_is_set_is_passed_on_as_it_is(text):
    assert tf_config({**KUBERNETES, **SLURM, "TF_CONFIG": text}) == text


def test_kubernetes():
    assert config_of(KUBERNETES) == {
        "cluster": {"worker": ["digits-0.net:2222", "digits-1.net:2222"]},
        "task": {"type": "worker", "index": 1},
    }
    with_port = config_of({**KUBERNETES, "MNIST_GRAPH_PORT": "70"})
    assert with_port["cluster"]["worker"] == ["digits-0.net:70", "digits-1.net:70"]


def test_slurm_gives_the_tasks_of_a_node_ports_of_their_own():
    assert config_of(SLURM) == {
        "cluster": {"worker": ["n09:5000", "n09:5001", "n10:5000", "n10:5001", "n11:5000"]},
        "task": {"type": "worker", "index": 3},
    }


def test_slurm_prefers_the_nodes_of_the_step():
    step = {
        **SLURM,
        "SLURM_STEP_NODELIST": "n[10-11]",
        "SLURM_STEP_TASKS_PER_NODE": "3,2",
        "SLURM_NODEID": "1",
        "SLURM_LOCALID": "0",
    }
    workers = config_of(step)["cluster"]["worker"]
    assert workers == ["n10:5000", "n10:5001", "n10:5002", "n11:5000", "n11:5001"]


def test_jobs_of_slurm_that_share_a_node_have_different_ports():
    def ports(job):
        environment = {**SLURM, "SLURM_JOB_ID": str(job), "MNIST_GRAPH_PORT": ""}
        return {
            address.rpartition(":")[2] for address in config_of(environment)["cluster"]["worker"]
        }

    used = [ports(job) for job in (76_541, 76_542, 77_000, 4_294_967_295)]
    assert len(set().union(*used)) == sum(map(len, used))
    assert all(int(port) in SLURM_PORTS for each in used for port in each)


def test_vertex_calls_the_first_pool_chief():
    assert config_of(vertex()) == {
        "cluster": {"chief": ["a-0:2222"], "worker": ["b-0:2222", "b-1:2222"]},
        "task": {"type": "worker", "index": 1},
    }
    chief = config_of(vertex(task={"type": "workerpool0", "index": 0}))
    assert chief["task"] == {"type": "chief", "index": 0}


@pytest.mark.parametrize(
    "environment",
    [
        {**KUBERNETES, "JOB_COMPLETION_INDEX": "0", "MNIST_GRAPH_WORKERS": "1"},
        vertex(
            cluster={"workerpool0": ["a-0:2222"], "workerpool1": []},
            task={"type": "workerpool0", "index": 0},
        ),
        {
            "SLURM_PROCID": "0",
            "SLURM_NTASKS": "1",
            "SLURM_JOB_NODELIST": "n1",
            "SLURM_TASKS_PER_NODE": "1",
        },
    ],
    ids=["kubernetes", "vertex", "slurm"],
)
def test_one_task_alone_has_a_cluster_of_its_own(environment):
    config = json.loads(tf_config(environment))
    assert sum(map(len, config["cluster"].values())) == 1
    assert read_tf_config(json.dumps(config)) is None  # trains like any other process


def without(environment, name):
    return {other: value for other, value in environment.items() if other != name}


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        (without(KUBERNETES, "JOB_COMPLETION_INDEX"), "completionMode: Indexed"),
        (without(KUBERNETES, "MNIST_GRAPH_WORKERS"), "MNIST_GRAPH_WORKERS is not set"),
        (without(KUBERNETES, "MNIST_GRAPH_JOB"), "MNIST_GRAPH_JOB is not set"),
        (without(KUBERNETES, "MNIST_GRAPH_SERVICE"), "MNIST_GRAPH_SERVICE is not set"),
        ({**KUBERNETES, "MNIST_GRAPH_WORKERS": "two"}, "'two', not a whole number"),
        ({**KUBERNETES, "MNIST_GRAPH_WORKERS": "-2"}, "'-2', not a whole number"),
        ({**KUBERNETES, "JOB_COMPLETION_INDEX": "2"}, "completions and parallelism"),
        ({**KUBERNETES, "MNIST_GRAPH_PORT": "65536"}, "between 1 and 65535"),
        (without(SLURM, "SLURM_STEP_ID"), "start it with srun"),
        (without(SLURM, "SLURM_JOB_NODELIST"), "SLURM_JOB_NODELIST is not set"),
        (without(SLURM, "SLURM_TASKS_PER_NODE"), "SLURM_TASKS_PER_NODE is not set"),
        ({**SLURM, "SLURM_JOB_NODELIST": "n[09-"}, "not a list of Slurm's nodes"),
        ({**SLURM, "SLURM_JOB_NODELIST": "n[09-10]"}, "contradict each other"),
        ({**SLURM, "SLURM_TASKS_PER_NODE": "2(x3)"}, "contradict each other"),
        ({**SLURM, "SLURM_PROCID": "5"}, "contradict each other"),
        ({**SLURM, "SLURM_NODEID": "0", "SLURM_LOCALID": "1"}, "--distribution=block"),
        ({"CLUSTER_SPEC": "{"}, "CLUSTER_SPEC"),
        ({"CLUSTER_SPEC": "[]"}, "CLUSTER_SPEC"),
        ({"CLUSTER_SPEC": '{"cluster": 5, "task": {}}'}, "CLUSTER_SPEC"),
        (vertex(cluster={**VERTEX["cluster"], "workerpool2": ["c:1"]}), "workerpool2"),
        (vertex(task={"type": "workerpool3", "index": 0}), "workerpool3"),
    ],
)
def test_what_is_missing_or_contradictory_is_said(environment, said):
    with pytest.raises(UsageError) as refused:
        tf_config(environment)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
