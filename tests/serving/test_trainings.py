"""Trainings that the page starts: followed, stopped, resumed, finished; and the slider."""

import asyncio
import json
import resource
import socket
import time
from urllib.parse import urlsplit

import pytest
from servers import OWN, start_server, stop_server
from test_server import ask_server, connect

from mnist_graph.serving.bodies import RefusedError
from mnist_graph.serving.learning import streams
from mnist_graph.serving.learning.streams import MAX_BEHIND, Streams
from mnist_graph.serving.learning.trainings import Trainings

STREAMS = 1000
DIGIT = bytes(300) + bytes([255]) * 84 + bytes(400)
REQUEST = b"GET /api/training/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


class Site:
    """A server in a folder of its own, as the page asks it."""

    def __init__(self, url):
        self.url = url

    def ask(self, method, path, body=None, headers=OWN):
        status, answer = ask_server(self.url, method, path, body, headers)
        return status, json.loads(answer)

    def post(self, path, body=None):
        status, answer = self.ask("POST", path, body)
        assert status == 200, answer
        return answer

    @property
    def training(self):
        return self.ask("GET", "/api/training")[1]

    def follow(self):
        """Yield the events of a stream."""
        connection = connect(self.url)
        connection.request("GET", "/api/training/events")
        answer = connection.getresponse()
        assert answer.getheader("content-type").startswith("text/event-stream")
        try:
            while line := answer.readline():
                if line.startswith(b"data: "):
                    yield json.loads(line.removeprefix(b"data: "))
        finally:
            connection.close()

    def wait_for(self, is_reached):
        """Return the first event for which `is_reached` is true, and those before it."""
        seen = []
        for event in self.follow():
            seen.append(event)
            if is_reached(event):
                return seen
        raise AssertionError("the stream ended")


@pytest.fixture
def site(tmp_path):
    """A server that may train."""
    process, url = start_server(tmp_path)
    yield Site(url)
    assert stop_server(process) == (0, "", "")


def has_rows(event):
    return bool(event.get("history", {}).get("rows"))


def has_ended(event):
    return event["state"] not in ("running", "stopping")


@pytest.mark.slow
def test_a_training_is_followed_stopped_resumed_and_served(site, tmp_path):
    state = site.training
    assert state["state"] == "idle"
    assert state["runs"] == []
    assert {"name": "mlp", "iterations": 1000} in state["recipes"]
    assert "reader" not in [recipe["name"] for recipe in state["recipes"]]

    assert site.post("/api/training/start?recipe=mlp")["run"] == "mlp/1"
    status, answer = site.ask("POST", "/api/training/start?recipe=softmax")
    assert (status, answer["error"]) == (409, "mlp/1 is being trained; stop it first")
    first = site.wait_for(lambda event: has_rows(event) and event["history"]["rows"][-1][0] > 100)
    assert first[-1]["iterations"] == 1000
    site.post("/api/training/stop")
    stopped = site.wait_for(has_ended)[-1]
    assert (stopped["state"], stopped["run"]) == ("stopped", "mlp/1")
    (run,) = site.training["runs"]
    assert run["accuracy"] is None
    assert 5 < run["snapshots"] < 30
    assert not (tmp_path / "runs/mlp/1/result.json").exists()

    assert site.post("/api/training/resume?run=mlp/1")["state"] == "running"
    events = site.wait_for(has_ended)
    assert events[-1]["state"] == "finished"
    rows, digits = [], None
    for event in events:
        if "history" in event:
            rows[event["history"]["from"] :] = event["history"]["rows"]
        digits = event.get("digits") or digits
    assert [row[0] for row in rows] == [*range(0, 1000, 16), 999]
    assert len(digits["labels"]) == len(digits["predictions"]) == 40
    (run,) = site.training["runs"]
    assert run == {
        "name": "mlp/1",
        "iterations": 1000,
        "snapshots": 30,
        "accuracy": run["accuracy"],
    }
    assert run["accuracy"] > 0.9
    networks = site.ask("GET", "/api/networks")[1]["networks"]
    assert [each["name"] for each in networks] == ["reader", "mlp"]
    assert site.ask("POST", "/api/training/resume?run=mlp/1")[0] == 409

    found = site.post("/api/snapshots?run=mlp/1", DIGIT)
    assert [each["iteration"] for each in found][::29] == [0, 999]
    for each in found:
        assert len(each["probabilities"]) == 10
        assert sum(each["probabilities"]) == pytest.approx(1, abs=1e-4)


@pytest.mark.slow
def test_snapshots_refused(site):
    site.post("/api/training/start?recipe=softmax")
    site.wait_for(has_ended)
    for size in (0, 783, 785, 100_000):
        status, answer = site.ask("POST", "/api/snapshots?run=softmax/1", bytes(size))
        assert (status, answer["error"]) == (400, "the body must be the 784 pixels of a digit")
    for name in ("softmax/2", "../runs/softmax/1", "softmax/../softmax/1", "/softmax/1", "softmax"):
        for path in ("/api/snapshots", "/api/training/resume"):
            assert site.ask("POST", f"{path}?run={name}", DIGIT)[0] == 404
    assert site.ask("POST", "/api/snapshots?run=softmax/1", DIGIT, headers={})[0] == 403
    assert site.ask("POST", "/api/snapshots", DIGIT)[0] == 404


@pytest.mark.slow
def test_a_server_that_stops_leaves_a_run_that_can_be_resumed(tmp_path):
    process, url = start_server(tmp_path)
    site = Site(url)
    site.post("/api/training/start?recipe=mlp")
    site.wait_for(has_rows)
    assert stop_server(process) == (0, "", "")
    assert list((tmp_path / "runs/mlp/1").glob("checkpoint-*"))
    process, url = start_server(tmp_path)
    try:
        site = Site(url)
        assert site.post("/api/training/resume?run=mlp/1")["run"] == "mlp/1"
        site.post("/api/training/stop")
        assert site.wait_for(has_ended)[-1]["state"] == "stopped"
        assert site.ask("POST", "/api/training/stop")[0] == 409
    finally:
        assert stop_server(process) == (0, "", "")


@pytest.mark.slow
def test_why_a_training_failed_is_said(site, tmp_path):
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "mlp").touch()
    assert site.ask("POST", "/api/training/start?recipe=mlp")[0] == 400
    site.post("/api/training/start?recipe=softmax")
    site.wait_for(has_rows)
    site.post("/api/training/stop")
    if site.wait_for(has_ended)[-1]["state"] == "finished":
        pytest.skip("it was finished before it could be stopped")
    for folder in (tmp_path / "runs/softmax/1").glob("checkpoint-*"):
        (folder / "state.json").write_text("{}")
    site.post("/api/training/resume?run=softmax/1")
    failed = site.wait_for(has_ended)[-1]
    assert failed["state"] == "failed"
    assert "no usable checkpoint is left; train again" in failed["error"]
    assert site.training["error"] == failed["error"]


@pytest.mark.slow
def test_a_thousand_event_streams(tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * STREAMS + 200
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(wanted, hard)), hard))
    process, url = start_server(tmp_path)
    site, parts = Site(url), urlsplit(url)
    opened = [
        socket.create_connection((parts.hostname, parts.port), timeout=30) for _ in range(STREAMS)
    ]
    try:
        for each in opened:
            each.sendall(REQUEST)
        for each in opened:
            assert each.recv(100).startswith(b"HTTP/1.1 200")
        site.post("/api/training/start?recipe=softmax")  # published to all, who do not read
        start = time.monotonic()
        assert ask_server(url, "GET", "/healthz")[0] == 200
        assert time.monotonic() - start < 5
        assert site.wait_for(has_ended)[-1]["state"] == "finished"
        for each in opened:
            said = b""
            while b'"finished"' not in said:
                said = said[-20:] + each.recv(2**20)
        start = time.monotonic()
        assert stop_server(process) == (0, "", "")
        assert time.monotonic() - start < 10
    finally:
        process.kill()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for each in opened:
            each.close()


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("start?recipe=reader", 404, "no recipe 'reader' that can be trained here"),
        ("start?recipe=../mlp", 404, "no recipe"),
        ("start", 404, "no recipe ''"),
        ("stop", 409, "no training runs"),
        ("resume?run=mlp/99", 404, "no run 'mlp/99'"),
        ("resume?run=../../etc", 404, "no run"),
    ],
)
def test_refused(ask, tmp_path, monkeypatch, path, status, said):
    monkeypatch.chdir(tmp_path)
    answer = ask("POST", f"/api/training/{path}", headers=OWN)
    assert answer.status_code == status
    assert said in answer.json()["error"]
    assert ask("POST", f"/api/training/{path}").status_code == 403  # no header
    assert list(tmp_path.iterdir()) == []


def test_who_is_too_far_behind_is_dropped():
    async def follow():
        open_streams = Streams()
        events = open_streams.open(lambda: {"first": True}).body_iterator
        assert await anext(events) == b'data: {"first":true}\n\n'
        for number in range(MAX_BEHIND):
            open_streams.publish({"number": number})
        assert await anext(events) == b'data: {"number":0}\n\n'
        open_streams.publish({})
        open_streams.publish({})
        assert len(open_streams) == 0
        assert [event async for event in events] == []

    asyncio.run(follow())


def test_an_idle_stream_and_too_many(monkeypatch):
    monkeypatch.setattr(streams, "PING_SECONDS", 0.01)
    monkeypatch.setattr(streams, "MAX_STREAMS", 1)

    async def follow():
        open_streams = Streams()
        events = open_streams.open(dict).body_iterator
        await anext(events)
        assert await anext(events) == streams.PING
        with pytest.raises(RefusedError, match="too many requests"):
            open_streams.open(dict)
        open_streams.end()
        assert [event async for event in events] == []

    asyncio.run(follow())


def test_a_server_that_is_about_to_stop_starts_nothing(tmp_path):
    async def close():
        trainings = Trainings(tmp_path)
        await trainings.close()
        with pytest.raises(RefusedError, match="about to stop"):
            trainings.start("mlp")

    asyncio.run(close())
    assert list(tmp_path.iterdir()) == []
