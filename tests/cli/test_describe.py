"""`--describe` prints a network layer by layer; `--list-models` prints every recipe."""

from helpers import run_main, some_mnist, write_data

from mnist_graph import recipes
from mnist_graph.graph.outline import outline


def test_describe_prints_each_layer_and_the_total(tmp_path):
    outcome = run_main(tmp_path, "--model", "cnn", "--describe")
    rows = [line.split() for line in outcome.out.splitlines()]
    assert rows == [
        ["layer", "output", "shape", "parameters", "multiply-adds"],
        ["images", "28x28x1", "0", "0"],
        ["conv1", "14x14x32", "832", "627,200"],
        ["conv2", "7x7x64", "51,264", "10,035,200"],
        ["dense1", "1024", "3,212,288", "3,211,264"],
        ["dropout1", "1024", "0", "0"],
        ["output", "10", "10,250", "10,240"],
        ["total", "3,274,634", "13,883,904"],
    ]
    assert (outcome.code, outcome.err) == (0, "")
    assert list(tmp_path.iterdir()) == []


def test_describe_uses_the_flags_and_the_data(tmp_path, mnist):
    rows, columns = slice(4, 20), slice(0, 14)
    folder = write_data(tmp_path / "data", *some_mnist(mnist, 60, 4, rows, columns))
    words = ("--model", "mlp", "--hidden", "5", "--validation-size", "0", "--data-dir", folder)
    out = run_main(tmp_path, *words, "--describe").out
    assert "16x14x1" in out
    assert out.splitlines()[-1].split()[-2] == f"{16 * 14 * 5 + 5 + 5 * 4 + 4:,}"


def test_list_models_prints_every_recipe(command):
    outcome = command("--list-models")
    head, *rows = outcome.out.splitlines()
    assert head.split() == ["model", "network", "parameters", "training", "published"]
    assert [row.split()[0] for row in rows] == list(recipes)
    for row, recipe in zip(rows, recipes.values(), strict=True):
        assert f"{outline(recipe).parameters:,}" in row
        assert f"{recipe.iterations:,} x {recipe.batch_size}, {recipe.optimizer}" in row
        assert recipe.published in row
