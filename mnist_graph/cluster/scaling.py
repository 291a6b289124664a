"""--scale-batch: a recipe for a larger batch, so that more workers train faster.

After P. Goyal et al., "Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour", 2017: the
learning rate grows as the batch does, and rises to its new value in the first part of the run.
"""

from collections.abc import Collection

from mnist_graph.graph.recipe import Recipe

WARMUP_SHARE = 10
"""The rate rises in the first tenth of the run; one-cycle schedules have a rise of their own."""


def scale_batch(recipe: Recipe, workers: int, given: Collection[str]) -> tuple[Recipe, str]:
    """Return the recipe with a batch of `workers` times the size, and a line that says what has
    changed. Where `iterations` is not `given`, as many images are seen in fewer iterations.

    A loss that is the sum over the batch has gradients that grow with it, so its rate stays.
    """
    factor = 1 if recipe.loss == "sum" else workers
    changes: dict[str, int | float] = {
        "batch_size": recipe.batch_size * workers,
        "learning_rate": recipe.learning_rate * factor,
    }
    if "iterations" not in given:
        changes["iterations"] = -(-recipe.iterations // workers)
    iterations = int(changes.get("iterations", recipe.iterations))
    if recipe.schedule == "exponential":
        changes["learning_rate_floor"] = recipe.learning_rate_floor * factor
        changes["decay_iterations"] = recipe.decay_iterations * iterations / recipe.iterations
    if recipe.schedule != "one-cycle":
        changes["warmup_iterations"] = -(-iterations // WARMUP_SHARE)
    scaled = recipe.override(**changes)
    said = [
        f"{name} {getattr(recipe, name):.6g} -> {value:.6g}"
        for name, value in changes.items()
        if value != getattr(recipe, name)
    ]
    return scaled, f"for {workers} workers: {', '.join(said)}"
