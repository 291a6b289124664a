"""What every task but the first does: it trains along, as the first one says."""

import queue
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import numpy as np
import tensorflow as tf

from mnist_graph.cluster.channel import Message
from mnist_graph.cluster.control import Control, Failed, Links
from mnist_graph.cluster.reach import find_unreachable
from mnist_graph.cluster.server import Server
from mnist_graph.cluster.variables import add_broadcast, digest, list_variables
from mnist_graph.data.batches import training_batches
from mnist_graph.data.datasets import DataSets
from mnist_graph.errors import MnistGraphError
from mnist_graph.graph.recipe import Recipe
from mnist_graph.graph.share import Share
from mnist_graph.training.team import Team
from mnist_graph.training.train import Prepared, prepare


class Follower(Control, Team):
    """A task that trains along. `signal` returns the signal that its process has received, if it
    has received one.
    """

    def __init__(self, links: Links, signal: Callable[[], int | None]) -> None:
        super().__init__(links)
        self.server: Server | None = None
        self.signal = signal
        self.iteration = -1
        """The number of completed iterations; -1 before the variables are those of the first."""
        self._doing: int | bool = True
        """The first iteration of the current session call, -1 in that which gives the variables;
        True between calls.
        """
        self._serves = False
        self._told: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._has_told = False
        self._end: tuple[int, str] | None = None

    def wait_until_all_serve(self) -> None:
        """Say that the server has started, and wait for the others'. Raises MnistGraphError."""
        self.send_all(serving=True)
        try:
            self.wait_for(lambda: self._serves)
        except Failed as error:
            assert self.failure is not None
            raise self.failure from error

    def follow(self, read_data: Callable[[Recipe], DataSets], device: str) -> int:
        """Train along until the first task says that it is over; return the exit code. Raises
        MnistGraphError if training has failed.
        """
        try:
            self._follow(read_data, device)
        except (Failed, MnistGraphError) as error:
            if self._end is None and self.failure is None:
                self.send_all(failed=str(error))
                self.wait_for_failure()
            if self._end is None:
                raise self.failure or error from error
        except BaseException as error:
            self.send_all(failed=" ".join(str(error).split()) or type(error).__name__)
            raise
        finally:
            self.stop()
        assert self._end is not None
        return self._end[0]

    def wait_for_failure(self) -> None:
        """Wait until the first task has said what everyone prints."""
        with self.changed:
            self.changed.wait_for(lambda: self.failure or self._end, self.timeout)

    def _follow(self, read_data: Callable[[Recipe], DataSets], device: str) -> None:
        told = self._next()
        if told is None:
            return
        recipe = Recipe.from_json(told["recipe"])
        data = read_data(recipe)
        prepared = prepare(recipe, data, device, self)
        assert self.server is not None
        with self.guarded(self.server.open_session(prepared.graph.graph)) as session:
            self._train(session, recipe, data, prepared)

    def assign(self, recipe: Recipe) -> Share:
        assert self.cluster.rank is not None
        return Share(self.cluster.rank, len(self.cluster.tasks), recipe.batch_size)

    def _train(self, session: Any, recipe: Recipe, data: DataSets, prepared: Prepared) -> None:
        graph, steps, share = prepared.graph, prepared.multistep, prepared.share
        assert self.cluster.rank is not None
        assert share is not None
        self._variables = list_variables(graph.graph)
        broadcast = add_broadcast(graph.graph, self.cluster.rank, len(self.cluster.tasks))
        take_steps = session.make_callable(
            steps.losses, [steps.pixels, steps.labels, steps.keep_prob, steps.steps]
        )
        self.send_all(ready=True)
        self._doing = -1
        with self.calling():
            session.run(broadcast)
        self._completed(session.run(graph.global_step))
        keep_prob = np.float32(recipe.fed_keep_prob)
        examples = training_batches(data, recipe, recipe.reads_strips, self._ranges(), share.rows)
        for iterations, (pixels, labels) in examples:
            self._doing = iterations.start
            with self.calling():
                take_steps(pixels, labels, keep_prob, len(iterations))
            self._completed(iterations.stop)
            self._pass_signal_on()
        self.wait_for(self._has_ended)  # the first may still compare variables

    def _completed(self, iteration: int) -> None:
        with self.changed:
            self.iteration, self._doing = iteration, True
            self.changed.notify_all()

    def _ranges(self) -> Iterator[range]:
        """Yield the ranges of iterations that the first task announces."""
        while (told := self._next()) is not None and told["range"] is not None:
            yield range(*told["range"])

    def _next(self) -> Message | None:
        """Return the next message for the main thread; None if training is over."""
        self.wait_for(lambda: not self._told.empty() or self._has_ended())
        return None if self._told.empty() else self._told.get()

    def _has_ended(self) -> bool:
        self._pass_signal_on()
        return self._end is not None

    def _pass_signal_on(self) -> None:
        """Tell the first task about a signal, once; it then stops all."""
        number = self.signal()
        if number is not None and not self._has_told:
            self._has_told = True
            self.send_all(signal=number)

    def sign_of_life(self) -> Message:
        return {"alive": self._doing}

    def handle(self, rank: int, message: Message) -> None:
        if "recipe" in message or "range" in message:
            self._told.put(message)
        elif "serving" in message:
            self._serves = True
        elif "digest" in message:
            self.in_background(self._send_digest, int(message["digest"]))
        elif "probe" in message:
            self.in_background(self._send_unreachable, float(message["probe"]))
        elif "end" in message:
            self._receive_end(int(message["end"]), str(message["text"]))

    def _receive_end(self, code: int, text: str) -> None:
        if code in (0, 130, 143) or code > 128:
            self._end = code, text
            self.ended.set()
            self.interrupt(code)  # it may wait for a step that the first does not take
        else:
            self.fail(text, code)

    def _send_digest(self, iteration: int) -> None:
        """Send the digest of the variables after `iteration` iterations. The next step may have
        begun, but changes nothing until the first task takes part in it.
        """
        with suppress(Failed, RuntimeError, tf.errors.OpError):  # it is over meanwhile
            self.wait_for(lambda: self.iteration >= iteration)
            session = self.session
            if session is not None:
                self.send_all(digest=digest(session, self._variables))

    def _send_unreachable(self, seconds: float) -> None:
        self.send_all(unreachable=find_unreachable(self.cluster, seconds))
