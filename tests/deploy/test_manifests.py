"""The files for Kubernetes, Kubeflow and Vertex AI: valid by the platforms' own schemas, and in
agreement with each other and with the image.
"""

import copy
import json
from types import SimpleNamespace

import kubernetes_validate
import pytest
from containers import DEPLOY, document, documents, instruction, replica
from kubeflow.training import ApiClient

from mnist_graph.cluster.environment import PORT

KUBERNETES = "1.33"
MANIFESTS = [
    pytest.param(each, id=each["kind"])
    for path in sorted((DEPLOY / "kubernetes").iterdir())
    for each in documents(path)
]
JOB = document("Job")
POD = JOB["spec"]["template"]
(TFJOB,) = documents("kubeflow", "tfjob.yaml")
(VERTEX,) = documents("vertex", "custom-job.yaml")
PODS = [
    pytest.param(POD, id="Job"),
    pytest.param(replica("Chief"), id="Chief"),
    pytest.param(replica("Worker"), id="Worker"),
]


def container(pod):
    (only,) = pod["spec"]["containers"]
    return only


@pytest.mark.parametrize("manifest", MANIFESTS)
def test_kubernetes_schema(manifest):
    kubernetes_validate.validate(manifest, KUBERNETES, strict=True)


@pytest.mark.parametrize("pod", PODS)
def test_pods_fit_the_schema(pod):
    whole = {"apiVersion": "v1", "kind": "Pod", **copy.deepcopy(pod)}
    kubernetes_validate.validate(whole, KUBERNETES, strict=True)
    container(whole)["comand"] = []
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(whole, KUBERNETES, strict=True)


def as_tfjob(manifest):
    """Return a manifest as the Training Operator's models understand it: without what they do not
    know.
    """
    client = ApiClient()
    answer = SimpleNamespace(data=json.dumps(manifest))
    return client.sanitize_for_serialization(client.deserialize(answer, "KubeflowOrgV1TFJob"))


def test_kubeflow_knows_all_of_the_tfjob():
    assert as_tfjob(TFJOB) == TFJOB
    wrong = copy.deepcopy(TFJOB)
    wrong["spec"]["runPolicy"]["backofLimit"] = 1
    assert as_tfjob(wrong) != wrong


def test_kubeflow_starts_one_chief_and_finds_its_container():
    replicas = TFJOB["spec"]["tfReplicaSpecs"]
    assert replicas["Chief"]["replicas"] == 1
    for each in replicas.values():
        assert container(each["template"])["name"] == "tensorflow"
        assert container(each["template"])["ports"] == [
            {"name": "tfjob-port", "containerPort": PORT}
        ]
    assert container(replica("Chief"))["args"] == container(replica("Worker"))["args"]


def test_the_number_of_workers_is_the_same_everywhere():
    spec = JOB["spec"]
    variables = {each["name"]: each.get("value") for each in container(POD)["env"]}
    assert spec["completionMode"] == "Indexed"
    assert spec["completions"] == spec["parallelism"] == int(variables["MNIST_GRAPH_WORKERS"])


def test_pods_of_the_job_get_names_from_the_service():
    service = document("Service")
    variables = {each["name"]: each.get("value") for each in container(POD)["env"]}
    name = service["metadata"]["name"]
    assert name == POD["spec"]["subdomain"] == variables["MNIST_GRAPH_SERVICE"]
    assert service["spec"]["clusterIP"] == "None"
    assert service["spec"]["selector"] == {"batch.kubernetes.io/job-name": JOB["metadata"]["name"]}
    ports = [each["port"] for each in service["spec"]["ports"]]
    assert ports == [each["containerPort"] for each in container(POD)["ports"]] == [PORT]


def test_the_job_starts_all_again_after_a_failure():
    spec = JOB["spec"]
    assert POD["spec"]["restartPolicy"] == "Never"  # podFailurePolicy asks for it
    assert spec["backoffLimitPerIndex"] >= 1
    actions = {
        rule["onExitCodes"]["values"][0]: rule["action"]
        for rule in spec["podFailurePolicy"]["rules"]
        if "onExitCodes" in rule
    }
    assert actions == {2: "FailJob", 143: "Ignore"}
    assert container(POD)["args"][-1] == "--resume"
    named = {
        rule["onExitCodes"]["containerName"]
        for rule in spec["podFailurePolicy"]["rules"]
        if "onExitCodes" in rule
    }
    assert named == {container(POD)["name"]}


@pytest.mark.parametrize("pod", PODS)
def test_pods_have_no_rights(pod):
    of_pod, of_container = pod["spec"]["securityContext"], container(pod)["securityContext"]
    assert of_pod["runAsNonRoot"] is True
    assert str(of_pod["runAsUser"]) == instruction("train", "USER")
    assert of_pod["seccompProfile"] == {"type": "RuntimeDefault"}
    assert of_container == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["spec"]["automountServiceAccountToken"] is False
    assert container(pod)["resources"]["limits"]["memory"]


@pytest.mark.parametrize("pod", PODS)
def test_the_network_policy_covers_the_pods(pod):
    """Its selectors are those of the pods, and nobody else is let in."""
    spec = document("NetworkPolicy")["spec"]
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    own = {"podSelector": spec["podSelector"]}
    assert [rule["from"] for rule in spec["ingress"]] == [[own]]
    assert spec["egress"][0] == {"to": [own]}
    assert {each["port"] for each in spec["egress"][1]["ports"]} == {53}
    assert len(spec["egress"]) == 2
    assert spec["podSelector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()


@pytest.mark.parametrize("pod", [POD, replica("Chief")], ids=["Job", "Chief"])
def test_runs_are_saved_in_the_claim(pod):
    claims = {
        each["name"]: each["persistentVolumeClaim"]["claimName"]
        for each in pod["spec"]["volumes"]
        if "persistentVolumeClaim" in each
    }
    assert [*claims.values()] == [document("PersistentVolumeClaim")["metadata"]["name"]]
    mounts = {each["name"]: each["mountPath"] for each in container(pod)["volumeMounts"]}
    (name,) = claims
    assert mounts[name] == f"{instruction('train', 'WORKDIR')}/runs"


def test_vertex_pools_are_the_chief_and_the_workers():
    """The whole of it was parsed once by CustomJobSpec of google-cloud-aiplatform 2.7.0, which is
    too large to install for the tests.
    """
    chief, workers = VERTEX["workerPoolSpecs"]
    assert chief["replicaCount"] == 1
    assert workers["replicaCount"] >= 1
    assert chief["containerSpec"] == workers["containerSpec"]
    assert set(chief["containerSpec"]) == {"imageUri", "args"}
    (mount,) = chief["nfsMounts"]
    args = chief["containerSpec"]["args"]
    assert args[args.index("--run-dir") + 1].startswith(f"/mnt/nfs/{mount['mountPoint']}/")
    assert VERTEX["scheduling"]["restartJobOnWorkerRestart"] is True
    assert VERTEX["network"]  # gRPC has no authentication
