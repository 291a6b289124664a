"""How many requests may wait, in all and from one client."""

import asyncio
import json

import httpx
import numpy as np
import pytest
from servers import OWN

from mnist_graph.serving import app as app_module
from mnist_graph.serving.app import create_app
from mnist_graph.serving.batching import Batcher

BODIES = {
    "/api/read?networks=mlp": lambda picture: picture,
    "/v1/models/mlp:predict": lambda picture: json.dumps({"instances": [[0.0] * 784]}).encode(),
}


@pytest.mark.parametrize("path", BODIES)
def test_a_full_queue_and_a_greedy_client(served, picture, tmp_path, monkeypatch, path):
    monkeypatch.setattr(app_module, "MAX_WAITING", 4)
    monkeypatch.setattr(app_module, "MAX_PREDICTIONS", 4)
    body = BODIES[path](picture)

    async def ask_all():
        app = create_app(served, "127.0.0.1", None, tmp_path)
        is_released = asyncio.Event()

        async def send_slowly():
            yield body[:1]
            await is_released.wait()
            yield body[1:]

        async def ask(address):
            transport = httpx.ASGITransport(app, client=(address, 1234))
            async with httpx.AsyncClient(
                transport=transport, base_url="http://127.0.0.1"
            ) as client:
                return await client.post(path, content=send_slowly(), headers=OWN)

        waiting = []
        refused = {}
        for address in ("1.1.1.1", "1.1.1.1", "1.1.1.1", "2.2.2.2", "2.2.2.2", "3.3.3.3"):
            request = asyncio.create_task(ask(address))
            done, _ = await asyncio.wait([request], timeout=0.5)
            if done:
                refused[address] = request.result()
            else:
                waiting.append(request)
        is_released.set()
        answered = await asyncio.gather(*waiting)
        again = await ask("1.1.1.1")
        return refused, [each.status_code for each in (*answered, again)]

    refused, answered = asyncio.run(ask_all())
    assert {address: each.status_code for address, each in refused.items()} == {
        "1.1.1.1": 429,
        "3.3.3.3": 503,
    }
    assert all(each.headers["retry-after"] == "1" for each in refused.values())
    assert all("try again shortly" in each.json()["error"] for each in refused.values())
    assert answered == [200] * 5


def test_many_requests_of_one_network_are_all_answered():
    inputs = [np.full((1, 1), value) for value in range(1000)]

    async def ask_all():
        batcher = Batcher(lambda inputs: inputs)
        return await asyncio.gather(*(batcher.run(each) for each in inputs))

    assert np.array_equal(asyncio.run(ask_all()), inputs)
