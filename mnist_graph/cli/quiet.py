"""TensorFlow's import for a command: without its start-up messages and without what it does not
need, but with oneDNN.
"""

import gc
import os
import platform
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext

UNUSED = ("jax", "keras", "matplotlib", "sklearn")
"""Packages that TensorFlow's import would bring along and that nothing here uses in this process:
JAX, Keras, and what Keras imports where it finds it."""


def import_tensorflow() -> None:
    """Import TensorFlow for a command. Its start-up messages do not reach the screen, unless the
    user has set TF_CPP_MIN_LOG_LEVEL; whatever the process writes afterwards does.
    """
    if "tensorflow" in sys.modules:
        return
    use_onednn()
    is_wanted = "TF_CPP_MIN_LOG_LEVEL" in os.environ
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _without(UNUSED), _uncollected(), nullcontext() if is_wanted else muted_stderr():
        import tensorflow

        # Looking for devices writes its own messages.
        tensorflow.config.list_physical_devices()


def use_onednn() -> None:
    """Let TensorFlow, not imported yet, compute with oneDNN on every x86 processor, unless the user
    has set TF_ENABLE_ONEDNN_OPTS. By itself it does only on those with AVX-512's instructions for
    networks; on others, a step of `cnn` takes 1.7 times as long without (docs/speed.md).
    """
    if platform.machine() in ("x86_64", "AMD64"):
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


def import_beside(work: Callable[[], object]) -> None:
    """Import TensorFlow while another thread does some `work`; return when both are done, or raise
    what it raised. It must not write to standard error, which is muted.
    """
    with ThreadPoolExecutor(1) as thread:
        done = thread.submit(work)
        import_tensorflow()
        done.result()


@contextmanager
def muted_stderr() -> Iterator[None]:
    """Redirect file descriptor 2 to nowhere: TensorFlow and LiteRT write some messages straight to
    it, TensorFlow before it reads any log level.
    """
    screen = os.dup(2)
    sys.stderr.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    try:
        yield
    finally:
        os.dup2(screen, 2)
        os.close(screen)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep Python from looking for garbage, now and later, among the objects that are created: an
    import makes a million that stay. It is shorter by an eighth so.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.freeze()


@contextmanager
def _without(names: tuple[str, ...]) -> Iterator[None]:
    """Make importing these packages fail, unless they are imported already."""
    blocked = [name for name in names if name not in sys.modules]
    for name in blocked:
        sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        for name in blocked:
            if sys.modules.get(name) is None:
                sys.modules.pop(name, None)
