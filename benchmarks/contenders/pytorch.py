"""PyTorch, eager or compiled: channels last, autocast to bfloat16, fused optimizers."""

import time
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from benchmarks.contenders import (
    SHAPES,
    Finish,
    Timing,
    measure_accuracy,
    time_predictions,
    time_training,
)
from mnist_graph import read_data_sets, recipes
from mnist_graph.data.datasets import epoch_order
from mnist_graph.exports.arrays import Arrays, read_arrays


class Cnn(nn.Module):
    """The network of the recipe cnn."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, 5, padding=2)
        self.conv2 = nn.Conv2d(32, 64, 5, padding=2)
        self.dense, self.output = nn.Linear(7 * 7 * 64, 1024), nn.Linear(1024, 10)
        self.dropout = nn.Dropout(0.5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = functional.max_pool2d(functional.relu(self.conv1(x)), 2)
        x = functional.max_pool2d(functional.relu(self.conv2(x)), 2)
        return self.output(self.dropout(functional.relu(self.dense(x.flatten(1)))))


def _make_mlp() -> nn.Module:
    *hidden, output = (nn.Linear(*shape) for shape in SHAPES["mlp"])
    layers = [each for linear in hidden for each in (linear, nn.ReLU())]
    return nn.Sequential(nn.Flatten(), *layers, nn.Dropout(0.5), output)


def _make_softmax() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 10))


NETWORKS = {"softmax": _make_softmax, "mlp": _make_mlp, "cnn": Cnn}


def measure_speed(model: str, precision: str, iterations: int, mode: str = "eager") -> Timing:
    """Time eager steps, or those of a network compiled in one of torch.compile's modes."""
    recipe = recipes[model]
    torch.manual_seed(0)
    network = NETWORKS[model]().to(memory_format=torch.channels_last)
    for name, parameter in network.named_parameters():
        if model == "softmax":
            nn.init.zeros_(parameter)
        elif name.endswith("weight"):
            nn.init.trunc_normal_(parameter, std=0.1, a=-0.2, b=0.2)
        else:
            nn.init.constant_(parameter, 0.1)
    optimizer_class = torch.optim.Adam if recipe.optimizer == "adam" else torch.optim.SGD
    optimizer = optimizer_class(network.parameters(), recipe.learning_rate, fused=True)
    trained = _compile(network, mode)

    def step(pixels: np.ndarray, labels: np.ndarray) -> None:
        _train_step(
            trained, optimizer, torch.from_numpy(pixels), torch.from_numpy(labels), precision
        )

    def predict_logits(pixels: np.ndarray) -> np.ndarray:
        return _predict_logits(network, pixels)

    return time_training(model, iterations, step, lambda: None, predict_logits)


def _compile(network: nn.Module, mode: str) -> nn.Module:
    """Return the network itself for mode "eager", or else compiled; both have the same weights."""
    return network if mode == "eager" else torch.compile(network, mode=mode)


def _train_step(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    pixels: torch.Tensor,
    labels: torch.Tensor,
    precision: str,
) -> None:
    images = (pixels[:, None].float() / 255).to(memory_format=torch.channels_last)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == "bfloat16"):
        logits = network(images)
    cross_entropy = functional.cross_entropy(logits.float(), labels.long())
    optimizer.zero_grad(set_to_none=True)
    cross_entropy.backward()
    optimizer.step()


def _predict_logits(network: nn.Module, pixels: np.ndarray) -> np.ndarray:
    network.eval()
    with torch.no_grad():
        return network(torch.from_numpy(pixels)[:, None].float() / 255).numpy()


class RecordCnn(nn.Module):
    """The network of github.com/tuomaso/train_mnist_fast, which reaches 99 % in one epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 24, 5), nn.Conv2d(24, 32, 3)
        self.dense, self.output = nn.Linear(5 * 5 * 32, 256), nn.Linear(256, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = functional.max_pool2d(functional.relu(self.conv1(x)), 2)
        x = functional.max_pool2d(functional.relu(self.conv2(x)), 2)
        return self.output(functional.relu(self.dense(x.flatten(1))))


def train_to_99(seed: int, precision: str) -> Finish:
    """Train `RecordCnn` for one epoch, with the optimizer and schedule of its source."""
    data = read_data_sets(validation_size=0)
    pixels = torch.from_numpy(data.train.pixels.copy())
    labels = torch.from_numpy(data.train.sparse_labels.astype(np.int64))
    torch.manual_seed(seed)
    network = RecordCnn().to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(network.parameters(), 0.01, betas=(0.7, 0.9), fused=True)
    batches = torch.from_numpy(epoch_order(len(pixels), seed, 0).copy()).split(256)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, 0.01, total_steps=len(batches), cycle_momentum=False
    )
    start = time.perf_counter()
    for batch in batches:
        _train_step(network, optimizer, pixels[batch], labels[batch], precision)
        schedule.step()
    seconds = time.perf_counter() - start
    accuracy = measure_accuracy(data.test, lambda part: _predict_logits(network, part))
    return Finish(seconds, accuracy)


def measure_predictions(
    paths: dict[str, str], precision: str, images: int, mode: str = "eager"
) -> Timing:
    """Time the trained network in inference mode, eager or compiled."""
    arrays = read_arrays(Path(paths["weights"]))
    network = NETWORKS["cnn" if "conv1/weights" in arrays else "mlp"]().eval()
    _load_weights(network, arrays)
    network = network.to(memory_format=torch.channels_last)
    predict = _compile(network, mode)

    def call(images: np.ndarray) -> Arrays:
        pictures = torch.from_numpy(images).view(-1, 1, 28, 28)
        enabled = precision == "bfloat16"
        with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=enabled):
            return {"classes": predict(pictures).argmax(1).numpy()}

    return time_predictions(call, images)


def _load_weights(network: nn.Module, arrays: Arrays) -> None:
    """Copy the variables of mnist_graph, layer by layer, in PyTorch's order of axes."""
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    channels = 0
    for layer, name in zip(layers, _layer_names(arrays), strict=True):
        weights = arrays[f"{name}/weights"]
        if weights.ndim == 4:
            channels = weights.shape[3]
            weights = weights.transpose(3, 2, 0, 1)
        else:
            if channels:  # the pixels of all channels: channels are last there, first here
                pixels = weights.reshape(-1, channels, weights.shape[1])
                weights = pixels.transpose(1, 0, 2).reshape(weights.shape)
                channels = 0
            weights = weights.T
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(weights.copy()))
            layer.bias.copy_(torch.from_numpy(arrays[f"{name}/biases"]))


def _layer_names(arrays: Arrays) -> list[str]:
    """Return the names of the layers from first to last."""
    names = {name.split("/")[0] for name in arrays}
    return sorted(names, key=lambda name: (name == "output", name))
