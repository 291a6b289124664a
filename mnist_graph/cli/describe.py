"""List the recipes, or describe a network layer by layer. Needs no TensorFlow."""

from mnist_graph.cli.output import print_table
from mnist_graph.cli.request import Request
from mnist_graph.graph.outline import outline
from mnist_graph.graph.recipe import Recipe
from mnist_graph.graph.recipes import recipes


def list_models() -> int:
    """Print every recipe with its network, its size and how it is trained."""
    header = ("model", "network", "parameters", "training", "published")
    print_table([header, *map(_row, recipes.values())])
    return 0


def _row(recipe: Recipe) -> tuple[str, ...]:
    rate = f"{recipe.optimizer} {recipe.learning_rate:g}"
    if recipe.schedule != "constant":
        rate += f", {recipe.schedule}"
    training = f"{recipe.iterations:,} x {recipe.batch_size}, {rate}"
    if recipe.keep_prob is not None:
        training += f", keep_prob {recipe.keep_prob:g}"
    network = outline(recipe)
    return (recipe.model, network.summary, f"{network.parameters:,}", training, recipe.published)


def describe(request: Request) -> int:
    """Print the layers of the recipe's network, from the images to the logits."""
    network = outline(request.recipe)
    if request.options.data_dir is not None:
        data = request.read_data(request.recipe)
        network = outline(request.recipe, data.image_shape, data.classes)
    header = ("layer", "output shape", "parameters", "multiply-adds")
    rows = [
        (layer.name, "x".join(map(str, layer.output_shape)), layer.parameters, layer.multiply_adds)
        for layer in network.layers
    ]
    rows.append(("total", "", network.parameters, sum(row[3] for row in rows)))
    table = [(name, shape, f"{n:,}", f"{m:,}") for name, shape, n, m in rows]
    print_table([header, *table], align_right=True)
    return 0
