"""What goes along with a training. The loop knows nothing of it: it calls hooks."""

import math
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mnist_graph.errors import MnistGraphError, MnistGraphWarning
from mnist_graph.runs import Evaluation, Run

if TYPE_CHECKING:
    from mnist_graph.training import Judged, Training


class Hook:
    """Something that goes along with a training; the loop knows of it only this."""

    patience = math.inf
    """The seconds for which it can be left alone, about, between two calls of `pulse`."""

    paused = False
    """While it is true, the loop waits, and calls `pulse` again and again."""

    def begin(self, training: "Training") -> None:
        """Before the loop. `training.iteration` are done already; `training` may be looked at
        in every later call.
        """

    def evaluated(self, evaluation: Evaluation) -> None:
        """The batch just trained on was judged."""

    def tested(self, judged: "Judged") -> None:
        """The test images were judged: after the loop, and where a hook asked for it."""

    def after_iteration(self, iteration: int) -> None:
        """`iteration` is done, as are those before it; small networks take several between
        two such calls. Raising Stop ends the loop here, with a checkpoint.
        """

    def pulse(self) -> None:
        """A tenth of a second has passed, or less, whatever is being done. May raise Stop."""

    def end(self) -> None:
        """After the loop and the test, however they ended."""


class Stop(Exception):  # noqa: N818 - nothing went wrong
    """Raised by a hook to stop a training, and passed on by it once its state is saved."""

    run: Run
    iteration: int
    """The last that was done."""


class History(Hook):
    """Keeps history.csv; where it cannot be written, it is as soon as it can."""

    def begin(self, training: "Training") -> None:
        self.rows = training.run.recorder("history", training.iteration)

    def evaluated(self, evaluation: Evaluation) -> None:
        self.rows.add(evaluation)


class Checkpoints(Hook):
    """Saves the state of a training every so many seconds, and says so where it cannot."""

    def __init__(self, every: float) -> None:
        self.every = self.patience = every

    def begin(self, training: "Training") -> None:
        self.training = training
        self.saved = time.perf_counter()

    def after_iteration(self, iteration: int) -> None:
        if time.perf_counter() - self.saved < self.every:
            return
        self.training.judge()  # raises where the weights are not worth keeping
        error = self.try_to_save()
        if error is not None:
            warn(f"{error}; trying again in {self.every:g} seconds")

    def try_to_save(self) -> MnistGraphError | None:
        """What kept the checkpoint from being written; None where nothing did."""
        try:
            self.training.save()
        except MnistGraphError as error:
            return error
        finally:
            self.saved = time.perf_counter()
        return None


class Share:
    """Keeps what is done now and then to a share of the time: none of it is due until what
    was last done took no more than that.
    """

    def __init__(self, share: float) -> None:
        self.share = share
        self.next = -math.inf

    @property
    def due(self) -> bool:
        return time.perf_counter() >= self.next

    def took(self, seconds: float) -> None:
        """It was done just now, and cost this."""
        self.next = time.perf_counter() + seconds * (1 / self.share - 1)

    @contextmanager
    def taken(self) -> Iterator[None]:
        """It is done within."""
        begun = time.perf_counter()
        yield
        self.took(time.perf_counter() - begun)


def warn(message: str) -> None:
    warnings.warn(message, MnistGraphWarning, stacklevel=3)
