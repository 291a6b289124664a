"""What someone would write with PyTorch today instead of `main.py`, in one file: train a network on
MNIST, print every 100 iterations, test it, save it; read a picture with it.

    python benchmarks/commands/torch_script.py mlp
    python benchmarks/commands/torch_script.py mlp --predict test_img.png

The second command reads the picture with the network that the first has saved in the current
folder. The networks, batches and iterations are those of `main.py`'s recipes; mnist-99 is the
fastest PyTorch recipe known here, which reaches 99 % in one epoch
(github.com/tuomaso/train_mnist_fast). Needs nothing of mnist_graph but its files of MNIST.
"""

import argparse
import gzip
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

MNIST = Path(__file__).parents[2] / "mnist_graph" / "data" / "mnist"
VALIDATION = 5000
BFLOAT16 = "avx512_bf16" in Path("/proc/cpuinfo").read_text()


def read_idx(name: str, header: int) -> torch.Tensor:
    """Return the bytes of a file of MNIST without its header."""
    content = gzip.decompress((MNIST / name).read_bytes())
    return torch.frombuffer(bytearray(content[header:]), dtype=torch.uint8)


def read_mnist() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the training images and labels, and those of the test."""
    train, test = (read_idx(f"{part}-images-idx3-ubyte.gz", 16) for part in ("train", "t10k"))
    labels, true = (read_idx(f"{part}-labels-idx1-ubyte.gz", 8) for part in ("train", "t10k"))
    shape = (-1, 1, 28, 28)
    return train.view(shape), labels.long(), test.view(shape), true.long()


def make_mlp() -> nn.Module:
    """Return dense layers of 512, 256 and 128."""
    layers: list[nn.Module] = [nn.Flatten()]
    for inputs, outputs in ((784, 512), (512, 256), (256, 128)):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    network = nn.Sequential(*layers, nn.Dropout(0.5), nn.Linear(128, 10))
    for name, parameter in network.named_parameters():
        if name.endswith("weight"):
            nn.init.trunc_normal_(parameter, std=0.1, a=-0.2, b=0.2)
        else:
            nn.init.constant_(parameter, 0.1)
    return network


def make_cnn(first: int, second: int, sizes: tuple[int, int], dense: int, same: bool) -> nn.Module:
    """Return two convolutions with pooling, and a dense layer."""
    pad = [size // 2 if same else 0 for size in sizes]
    side = 28
    for size, padding in zip(sizes, pad, strict=True):
        side = (side + 2 * padding - size + 1) // 2
    return nn.Sequential(
        nn.Conv2d(1, first, sizes[0], padding=pad[0]),
        *(nn.ReLU(), nn.MaxPool2d(2)),
        nn.Conv2d(first, second, sizes[1], padding=pad[1]),
        *(nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
        nn.Linear(second * side * side, dense),
        *(nn.ReLU(), nn.Dropout(0.25 if same else 0.0), nn.Linear(dense, 10)),
    )


def distort(images: torch.Tensor) -> torch.Tensor:
    """Rotate, shear, scale and shift each image a little, as cnn-fast does."""
    count = len(images)
    turn, shear = (torch.empty(count).uniform_(-0.122, 0.122) for _ in range(2))
    across, down = (torch.empty(count).uniform_(0.93, 1.07) for _ in range(2))
    shift = torch.empty(count, 2, 1).uniform_(-2 / 28, 2 / 28)
    rows = [torch.cos(turn) * across, shear - torch.sin(turn), torch.sin(turn)]
    matrix = torch.stack([*rows, torch.cos(turn) * down], dim=1).view(count, 2, 2)
    grid = functional.affine_grid(torch.cat([matrix, shift], 2), list(images.shape), False)
    return functional.grid_sample(images, grid, align_corners=False)


def train(model: str) -> None:
    """Train, print, test and save."""
    images, labels, test, true = read_mnist()
    first = VALIDATION if model == "mlp" else 0
    count, batch, iterations = len(labels) - first, 128, 1000
    options: dict = {"lr": 1e-4}
    if model == "mlp":
        network = make_mlp()
    elif model == "cnn-fast":
        network, iterations = make_cnn(32, 64, (5, 5), 1024, same=True), 650
        options = {"lr": 0.005, "betas": (0.8, 0.95)}
    else:
        network, batch, iterations = make_cnn(24, 32, (5, 3), 256, same=False), 256, 235
        options = {"lr": 0.01, "betas": (0.7, 0.9)}
    network = network.to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(network.parameters(), fused=True, **options)
    schedule = None
    if model != "mlp":
        rate, steps = options["lr"], iterations
        cycle = torch.optim.lr_scheduler.OneCycleLR
        schedule = cycle(optimizer, rate, total_steps=steps, cycle_momentum=False)
    smoothing = 0.1 if model == "cnn-fast" else 0.0
    order = torch.cat([torch.randperm(count) for _ in range(iterations * batch // count + 1)])
    for iteration in range(iterations):
        chosen = first + order[iteration * batch : (iteration + 1) * batch]
        pixels = images[chosen].float().div_(255)
        pixels = (distort(pixels) if model == "cnn-fast" else pixels).contiguous(
            memory_format=torch.channels_last
        )
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=BFLOAT16):
            logits = network(pixels)
        loss = functional.cross_entropy(logits.float(), labels[chosen], label_smoothing=smoothing)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        if schedule is not None:
            schedule.step()
        if iteration % 100 == 0:
            right = (logits.argmax(1) == labels[chosen]).float().mean()
            print(f"Iteration {iteration} | Loss = {loss:.6g} | Accuracy = {right:.6g}")
    torch.save(network.state_dict(), f"{model}.pt")
    network.eval()
    with torch.inference_mode():
        found = [network(part.float() / 255).argmax(1) for part in test.split(1000)]
    print(f"Accuracy on test set: {(torch.cat(found) == true).float().mean():.4f}")


def predict(path: str) -> None:
    """Read one digit, dark on light, with the mlp that was saved."""
    from PIL import Image, ImageOps

    network = make_mlp().eval()
    network.load_state_dict(torch.load("mlp.pt"))
    with Image.open(path) as picture:
        digit = ImageOps.invert(picture.convert("L"))
    digit = digit.crop(digit.getbbox())
    digit.thumbnail((20, 20))
    framed = Image.new("L", (28, 28))
    framed.paste(digit, ((28 - digit.width) // 2, (28 - digit.height) // 2))
    pixels = torch.from_numpy(np.asarray(framed, np.float32).copy()).view(1, 1, 28, 28) / 255
    with torch.inference_mode():
        print(f"Prediction for test image: {network(pixels).argmax(1).item()}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", choices=("mlp", "cnn-fast", "mnist-99"))
    parser.add_argument("--predict", metavar="PICTURE")
    chosen = parser.parse_args()
    if chosen.predict:
        predict(chosen.predict)
    else:
        train(chosen.model)
