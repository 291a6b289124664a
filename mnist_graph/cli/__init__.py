"""The command line: flags in, printed lines and an exit code out. Only this room prints, parses
flags or exits.

    parser        the flags and their help
    request       the flags of one call, checked
    train         --model, --resume, and the finished run that other commands need
    cluster       the same as one task of several: TF_CONFIG, --workers
    predict       --predict: inputs in, results out
    inputs        the files, folders and standard input it names, page by page
    results       where the digits of a page go
    csv_file      the file of --csv
    signals       Ctrl-C and SIGTERM
    collect       --collect
    evaluate      --evaluate
    export        --export
    serve         --serve
    task          mnist-graph-task: another command, as one task of a cluster
    describe      --list-models, --describe
    plot          --plot
    sweep         --sweep
    tune          --tune
    compare       --compare
    commands      commands as the user can paste them
    hooks         what training shows on a terminal, and how a terminal stops it
    output        tables and predictions as text and JSON
    messages      lines on standard error
    streams       standard output and error that are closed, full or of a small encoding
    quiet         TensorFlow's import without its chatter

Open `parser` first. `main` below turns exceptions into exit codes.
"""

import sys
from collections.abc import Sequence
from typing import NoReturn

from mnist_graph.cli.messages import complain, note, warnings_as_notes
from mnist_graph.cli.parser import parse
from mnist_graph.cli.request import Request
from mnist_graph.cli.streams import escape_unencodable, replace_closed_streams, silence
from mnist_graph.errors import MnistGraphError


def run() -> NoReturn:
    """Run the command with the words in sys.argv and exit."""
    replace_closed_streams()
    escape_unencodable()
    sys.exit(main())


def main(words: Sequence[str] | None = None) -> int:
    """Run the command with `words` (default: those of sys.argv); return the exit code."""
    try:
        words = sys.argv[1:] if words is None else words
        request = Request(parse(words), words)
        with warnings_as_notes(), request.at_exit:
            code = _execute(request)
        sys.stdout.flush()
        return code
    except MnistGraphError as error:
        complain(error)
        return error.exit_code
    except KeyboardInterrupt:  # pragma: no cover - Ctrl-C while TensorFlow is being imported
        note("interrupted")
        return 130
    except MemoryError:
        complain("out of memory; try a smaller --batch-size or --hidden")
        return 1
    except OSError as error:  # of standard output: all other files are dealt with where used
        silence(sys.stdout)
        if not isinstance(error, BrokenPipeError):  # there, nobody is left to tell
            complain(f"cannot write to standard output: {error.strerror}")
        return 1


def _execute(request: Request) -> int:
    """Execute the one command that the flags ask for."""
    options = request.options
    if options.list_models or options.describe:
        from mnist_graph.cli.describe import describe, list_models

        return list_models() if options.list_models else describe(request)
    if options.plot:
        from mnist_graph.cli.plot import plot

        return plot(request)
    if options.evaluate:
        from mnist_graph.cli.evaluate import evaluate

        return evaluate(request)
    if options.predict:
        from mnist_graph.cli.predict import predict

        return predict(request)
    if options.collect:
        from mnist_graph.cli.collect import collect

        return collect(request)
    if options.export is not None:
        from mnist_graph.cli.export import export

        return export(request)
    if options.serve:
        from mnist_graph.cli.serve import serve

        return serve(request)
    if options.sweep or options.tune is not None or options.compare:
        return _experiment(request)
    from mnist_graph.cli.cluster import train_in_cluster
    from mnist_graph.cli.train import resume, train

    return train_in_cluster(request, resume if options.resume else train)


def _experiment(request: Request) -> int:
    """Execute a command that compares trainings."""
    options = request.options
    if options.sweep:
        from mnist_graph.cli.sweep import sweep

        return sweep(request)
    if options.tune is not None:
        from mnist_graph.cli.tune import tune

        return tune(request)
    from mnist_graph.cli.compare import compare

    return compare(request)
