"""What is raced: the contenders, and what each is asked to do."""

import os
import shutil
from collections.abc import Mapping
from importlib.util import find_spec
from types import MappingProxyType
from typing import Any, NamedTuple

from benchmarks.contenders import SHAPES
from benchmarks.speed.limits import PRECISIONS, list_precisions
from mnist_graph.exports.formats import LITERT, LITERT_INT8, ONNX

ITERATIONS = {"softmax": 3000, "mlp": 1000, "cnn": 300}
"""Iterations per measurement; fewer for slower networks, so that each takes seconds."""
STEPS_PER_CALL = 20
"""Of JAX's `lax.scan`: divides all iterations and their warm-up; ours takes up to 100 of softmax
and at least 5 of cnn per session call."""
PREDICTED_MODELS = ("mlp", "cnn")
BATCHES = (1, 1000)
"""How many images a call predicts."""
TIME_TO_99 = "time to 99 %"
OURS = "ours"
"""The module of benchmarks.contenders that is this package."""
COMPILER = "g++"
"""What torch.compile calls."""


class Contender(NamedTuple):
    """A library and how it is used."""

    name: str
    """As shown in the report and used as a key in speed.json."""
    module: str
    """In benchmarks.contenders."""
    package: str
    """The package that must be installed."""
    precision: str
    arguments: Mapping[str, Any] = MappingProxyType({})
    """Further arguments of its function."""
    trial: str = ""
    """Of the contenders with the same trial, only the fastest of the first round goes on."""
    program: str = ""
    """The program that must be installed, if any."""

    def why_not(self) -> str:
        """Return why it cannot run here, or nothing if it can."""
        if not find_spec(self.package):
            return f"{self.package} is not installed"
        if self.program and not shutil.which(self.program):
            return f"{self.program} is not installed"
        if self.precision in PRECISIONS and self.precision not in list_precisions():
            return f"the processor has no {self.precision}"
        return ""


class Race(NamedTuple):
    """Contenders, and the function of their modules that measures each."""

    name: str
    """As shown in the report and used as a key in speed.json."""
    function: str
    contenders: tuple[Contender, ...]
    arguments: dict[str, Any]
    """For all contenders; their precision comes on top."""
    seeded: bool = False
    """Whether the number of the round is the seed."""
    figure: str = "milliseconds"
    """What is compared."""


def _compiled(precision: str) -> list[Contender]:
    """PyTorch compiled, in the mode that turns out faster."""
    trial = f"torch.compile, {precision}"
    return [
        Contender(name, "pytorch", "torch", precision, {"mode": mode}, trial, COMPILER)
        for name, mode in (
            (trial, "default"),
            (f"torch.compile max-autotune, {precision}", "max-autotune-no-cudagraphs"),
        )
    ]


def _training_contenders(precision: str) -> list[Contender]:
    keras_trial, scan_trial = f"Keras fit, {precision}", f"JAX lax.scan, {precision}"
    scan, unrolled = {"steps_per_call": STEPS_PER_CALL}, f"JAX lax.scan unrolled, {precision}"
    return [
        Contender(f"ours, {precision}", OURS, "tensorflow", precision),
        Contender(f"PyTorch, {precision}", "pytorch", "torch", precision),
        *_compiled(precision),
        Contender(f"JAX jit, {precision}", "jax_jit", "jax", precision),
        Contender(scan_trial, "jax_jit", "jax", precision, scan, scan_trial),
        Contender(unrolled, "jax_jit", "jax", precision, {**scan, "unroll": True}, scan_trial),
        Contender(keras_trial, "keras_fit", "keras", precision, {}, keras_trial),
        Contender(
            f"Keras fit jit_compile, {precision}",
            *("keras_fit", "keras", precision, {"jit": True}, keras_trial),
        ),
    ]


def training_race(model: str, iterations: int | None = None) -> Race:
    """Return the race of training steps of softmax, mlp or cnn."""
    contenders = [
        *_training_contenders("float32"),
        Contender("the tutorials' loop", "tutorial", "tensorflow", "float32"),
    ]
    if len(SHAPES[model]) > 1:  # softmax is an output layer alone, which stays in float32
        contenders += _training_contenders("bfloat16")
    arguments = {"model": model, "iterations": iterations or ITERATIONS[model]}
    return Race(model, "measure_speed", tuple(contenders), arguments)


def race_to_99() -> Race:
    """Return the race of complete trainings to an accuracy of 99 %."""
    fastest = list_precisions()[-1]
    contenders = (
        Contender("mnist-99, ours", OURS, "tensorflow", fastest),
        Contender("the record recipe, PyTorch", "pytorch", "torch", fastest),
    )
    return Race(TIME_TO_99, "train_to_99", contenders, {}, seeded=True, figure="seconds")


def predicting_race(model: str, images: int, paths: dict[str, str]) -> Race:
    """Return the race of predicting some `images` at a time with the same weights, which are in
    the `paths` that contenders.ours.prepare_predictions returned.
    """
    contenders = [
        Contender(f"our session, {precision}", OURS, "tensorflow", precision)
        for precision in ("float32", "bfloat16")
    ]
    cores = os.cpu_count() or 1
    for name, package, precision, file in (
        ("LiteRT, float32", "ai_edge_litert", "float32", LITERT),
        ("LiteRT, int8", "ai_edge_litert", "int8", LITERT_INT8),
        ("ONNX Runtime, float32", "onnxruntime", "float32", ONNX),
    ):
        contenders += [
            Contender(
                f"{name}, threads: {threads}",
                *("exported", package, precision, {"file": file, "threads": threads}, name),
            )
            for threads in sorted({1, cores})
        ]
    for precision in ("float32", "bfloat16"):
        contenders += [
            Contender(f"PyTorch, {precision}", "pytorch", "torch", precision),
            *_compiled(precision),
        ]
    arguments = {"paths": paths, "images": images}
    name = f"{model}, {images:,} image{'s' if images > 1 else ''}"
    return Race(name, "measure_predictions", tuple(contenders), arguments)
