"""Show the panels of finished runs."""

from mnist_graph.cli.request import Request
from mnist_graph.errors import MnistGraphError


def plot(request: Request) -> int:
    """Show the panels in a window, or draw them into a file."""
    output = request.watch_file
    try:
        from mnist_graph.panels.displays import Picture, Window, has_screen
    except ValueError as error:  # Matplotlib's
        raise MnistGraphError(
            f"Matplotlib cannot be imported; look at MPLBACKEND and matplotlibrc: {error}"
        ) from error
    from mnist_graph.panels.run_data import read_run_data

    runs = [read_run_data(directory) for directory in request.options.plot]
    folder = runs[0].run.directory
    if output is None and has_screen():
        window = Window(folder)
        window.show(runs)
        window.wait_until_closed()
    else:
        output = output or folder / "panels.png"
        Picture(output).show(runs)
        request.say(f"panels drawn in {output}")
    return 0
