"""Installs the package; pyproject.toml has the settings of the development tools."""

from pathlib import Path

from setuptools import find_packages, setup

here = Path(__file__).parent

setup(
    name="mnist-graph",
    version="1.2.0",
    description="The classic TensorFlow 1 MNIST tutorials, whole and working on TensorFlow 2",
    long_description=(here / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    packages=find_packages(include=["mnist_graph", "mnist_graph.*"]),
    package_data={
        "mnist_graph": ["py.typed"],
        "mnist_graph.data": ["mnist/*", "writers/*", "pendigits/*"],
        "mnist_graph.runs": ["shipped/*/*"],
        "mnist_graph.serving": ["page/*"],
    },
    python_requires=">=3.10,<3.14",
    install_requires=(here / "requirements.txt").read_text(encoding="utf-8").splitlines(),
    extras_require={
        "gpu": ["tensorflow[and-cuda]"],
        "pdf": ["pypdfium2>=5,<6"],
        "export": [
            "ai-edge-litert>=2,<3",
            "tf2onnx>=1.16,<2",
            "onnx>=1.17,<2",
            "onnxruntime>=1.20,<2",
        ],
        "serve": ["starlette>=0.46,<2", "uvicorn>=0.30,<1", "prometheus-client>=0.20,<1"],
        "tune": ["optuna>=4,<5"],
        "svhn": ["scipy>=1.11"],
    },
    entry_points={
        "console_scripts": [
            "mnist-graph = mnist_graph.cli:run",
            "mnist-graph-task = mnist_graph.cli.task:run",
        ]
    },
)
