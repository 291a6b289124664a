"""The command `mnist-graph-task`: another command, as one task of a cluster. The entry point of the
container, and what Slurm's srun starts.
"""

import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from mnist_graph.cli.messages import complain, note
from mnist_graph.cli.signals import Interrupted, Interruptible
from mnist_graph.cluster.environment import PORT, WAIT_SECONDS, tf_config, wait_seconds
from mnist_graph.cluster.names import hosts_of, wait_for
from mnist_graph.errors import MnistGraphError, UsageError

HELP = f"""\
usage: mnist-graph-task COMMAND ...

Run a command as one task of a cluster: derive TF_CONFIG from what the cluster sets, wait until the
names of all tasks have addresses, and become the command. Without a cluster, only become the
command.

  TF_CONFIG             is passed on as it is (Kubeflow, Vertex AI, your own)
  CLUSTER_SPEC          Vertex AI's worker pools
  JOB_COMPLETION_INDEX  the index of a pod of a Kubernetes Indexed Job, along with
    MNIST_GRAPH_WORKERS   the number of pods
    MNIST_GRAPH_JOB       the name of the Job
    MNIST_GRAPH_SERVICE   the name of its headless Service
  SLURM_...             set by srun

  MNIST_GRAPH_PORT      the port (default: {PORT}; under Slurm, it follows from the job's number)
  MNIST_GRAPH_WAIT      seconds to wait for the names of all tasks (default: {WAIT_SECONDS})
"""


def run() -> NoReturn:
    """Run the command with the words in sys.argv and exit, or become the command that they name."""
    sys.exit(main())


def main(words: Sequence[str] | None = None) -> int:
    """Become the command of `words` (default: those of sys.argv). Where that fails, return the
    exit code.
    """
    words = sys.argv[1:] if words is None else [*words]
    if words[:1] in (["-h"], ["--help"]):
        print(HELP, end="")
        return 0
    try:
        command = _command(words)
        environment = dict(os.environ)
        # In a container this is process 1, which a signal that is not caught does not end.
        with Interruptible():
            if config := tf_config(environment):
                wait_for(hosts_of(config), wait_seconds(environment), note)
                environment["TF_CONFIG"] = config
        _become(command, environment)
    except MnistGraphError as error:
        complain(error)
        return error.exit_code
    except Interrupted as interrupted:
        return interrupted.exit_code


def _become(command: list[str], environment: dict[str, str]) -> NoReturn:
    """Replace this process by the command. Raises UsageError if it cannot be started."""
    try:
        os.execvpe(command[0], command, environment)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"cannot start {command[0]}: {reason}") from None


def _command(words: Sequence[str]) -> list[str]:
    """Return the words of the command. Raises UsageError if there is none."""
    command = [*words[1:]] if words[:1] == ["--"] else [*words]
    if not command or command[0].startswith("-"):
        raise UsageError("name a command, such as mnist-graph --model cnn (see --help)")
    return command


if __name__ == "__main__":
    run()
