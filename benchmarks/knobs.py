"""Make the data and the pictures of the page "what each knob does".

    python -m benchmarks.knobs                          everything: some hours on two cores
    python -m benchmarks.knobs --models mlp --knobs learning_rate batch_size
    python -m benchmarks.knobs --iterations 20 --seeds 1 --pictures sweeps/try     a try

Runs `main.py --sweep` once for each knob of each recipe, in a folder that keeps what is finished:
the same command again continues. Copies each sweep's picture to docs/knobs/MODEL-KNOB.png and its
results to benchmarks/results/knobs/MODEL-KNOB.csv.
"""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.reproduce import RESULTS, ROOT

SEEDS = 3
MODELS = ("mlp", "cnn-fast")
KNOBS: dict[str, dict[str, str]] = {
    "learning_rate": {
        "mlp": "1e-5,3e-5,1e-4,3e-4,1e-3,3e-3,1e-2,3e-2",
        "cnn-fast": "1e-4,3e-4,1e-3,2e-3,5e-3,1e-2,2e-2,5e-2",
    },
    "batch_size": {"mlp": "8,16,32,64,128,256,512", "cnn-fast": "16,32,64,128,256"},
    "dropout": {
        "mlp": "keep_prob=0.1,0.25,0.5,0.75,0.9,1",
        "cnn-fast": "keep_prob=0.1,0.25,0.5,0.75,0.9,1",
    },
    "width": {
        "mlp": "hidden=16x8x4,32x16x8,64x32x16,128x64x32,256x128x64,512x256x128,1024x512x256",
        "cnn-fast": "hidden=16,64,256,1024,2048",
    },
    "depth": {
        "mlp": "hidden=512,512x256,512x256x128,512x256x128x128,512x256x128x128x128",
        "cnn-fast": "hidden=1024,1024x1024,1024x1024x1024",
    },
    "activation": {"mlp": "relu,sigmoid,tanh,linear", "cnn-fast": "relu,sigmoid,tanh,linear"},
    "optimizer": {"mlp": "adam,gradient-descent", "cnn-fast": "adam,gradient-descent"},
    "training_data": {
        "mlp": "validation_size=5000,30000,50000,57500,59000,59500,59800",
        "cnn-fast": "validation_size=5000,30000,50000,57500,59000,59500,59800",
    },
}
"""What is swept for each knob and recipe: values of the hyperparameter of that name, or the whole
NAME=VALUES. The amount of training data is what validation leaves of the 60,000 images."""
ALSO: dict[str, tuple[str, ...]] = {
    "optimizer": ("--sweep", "learning_rate=1e-4,1e-3,1e-2,1e-1"),
}
"""Further words: an optimizer says little without a learning rate of its own."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--models", nargs="+", choices=MODELS, default=MODELS, help="recipes (default: both)"
    )
    parser.add_argument(
        "--knobs", nargs="+", choices=list(KNOBS), default=list(KNOBS), help="knobs (default: all)"
    )
    parser.add_argument(
        "--seeds", type=int, default=SEEDS, metavar="N", help=f"seeds (default: {SEEDS})"
    )
    parser.add_argument(
        "--iterations", type=int, metavar="N", help="of each run (default: the recipe's)"
    )
    parser.add_argument(
        "--work",
        type=Path,
        default=ROOT / "sweeps" / "knobs",
        metavar="DIR",
        help="folder of the sweeps, one for each knob (default: sweeps/knobs)",
    )
    parser.add_argument(
        "--pictures",
        type=Path,
        metavar="DIR",
        help="folder of pictures and results (default: docs/knobs, benchmarks/results/knobs)",
    )
    options = parser.parse_args()
    pictures = options.pictures or ROOT / "docs" / "knobs"
    results = options.pictures or RESULTS / "knobs"
    for folder in (pictures, results):
        folder.mkdir(parents=True, exist_ok=True)
    for model in options.models:
        for knob in options.knobs:
            folder = options.work.resolve() / f"{model}-{knob}"
            words = ["--seeds", str(options.seeds)]
            if options.iterations is not None:
                words += ["--iterations", str(options.iterations)]
            sweep = _sweep(folder, model, knob, words)
            shutil.copy(sweep / "sweep.png", pictures / f"{model}-{knob}.png")
            shutil.copy(sweep / "results.csv", results / f"{model}-{knob}.csv")


def _sweep(folder: Path, model: str, knob: str, words: list[str]) -> Path:
    """Run the sweep of one knob in `folder`; return the sweep's own folder."""
    folder.mkdir(parents=True, exist_ok=True)
    values = KNOBS[knob][model]
    swept = values if "=" in values else f"{knob}={values}"
    command = ["--model", model, "--sweep", swept, *ALSO.get(knob, ()), *words]
    print(f"python main.py {' '.join(command)}", flush=True)
    subprocess.run([sys.executable, str(ROOT / "main.py"), *command], cwd=folder, check=True)
    # The folder may have sweeps of other iterations: the newest is this one.
    results = (folder / "sweeps").glob("*/results.csv")
    return max(results, key=lambda path: path.stat().st_mtime).parent


if __name__ == "__main__":
    main()
