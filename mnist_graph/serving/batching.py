"""Requests that arrive while a network computes are run together in its next batch."""

import asyncio
from collections.abc import Callable, Hashable
from typing import NamedTuple

import numpy as np

from mnist_graph.serving.metrics import BATCH_SIZES

MAX_BATCH = 256
"""Of rows that are run together. A request of more is run alone."""


class _Waiting(NamedTuple):
    inputs: np.ndarray
    answer: "asyncio.Future[np.ndarray]"

    @property
    def kind(self) -> Hashable:
        """Inputs of the same kind can be in one batch."""
        return self.inputs.dtype, self.inputs.shape[1:]


class Batcher:
    """Runs `compute`, from inputs [n, ...] to outputs [n, ...], on batches of several requests.

    No request waits for others: a batch is what has arrived while the one before was computed.
    """

    def __init__(self, compute: Callable[[np.ndarray], np.ndarray]) -> None:
        self._compute = compute
        self._waiting: list[_Waiting] = []
        self._worker: asyncio.Task[None] | None = None

    async def run(self, inputs: np.ndarray) -> np.ndarray:
        """Return the outputs for `inputs`. Raises what `compute` does."""
        waiting = _Waiting(inputs, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
        return await waiting.answer

    async def _work(self) -> None:
        while self._waiting:
            batch = self._take_batch()
            if not batch:
                continue
            try:
                joined = np.concatenate([each.inputs for each in batch])
                BATCH_SIZES.observe(len(joined))
                outputs = await asyncio.to_thread(self._compute, joined)
            except Exception as error:
                for each in batch:
                    if not each.answer.done():
                        each.answer.set_exception(error)
                continue
            ends = np.cumsum([len(each.inputs) for each in batch])[:-1]
            for each, part in zip(batch, np.split(outputs, ends), strict=True):
                if not each.answer.done():  # the client may have gone
                    each.answer.set_result(part)

    def _take_batch(self) -> list[_Waiting]:
        """Take the oldest request, and those that can be run with it, out of the queue."""
        batch: list[_Waiting] = []
        rows, rest = 0, []
        for each in self._waiting:
            if each.answer.done():
                continue
            fits = not batch or rows + len(each.inputs) <= MAX_BATCH
            if fits and (not batch or each.kind == batch[0].kind):
                batch.append(each)
                rows += len(each.inputs)
            else:
                rest.append(each)
        self._waiting = rest
        return batch
