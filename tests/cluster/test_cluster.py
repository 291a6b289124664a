"""Several processes that train together, as clusters start them and as --workers does."""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from clusters import Tasks, distance, last_line
from helpers import printed, run_command, run_main, same_variables, start_command
from photos import write_photos

from mnist_graph.runs.find import load_run

SOFTMAX = ("--model", "softmax", "--iterations", 200)
ENDLESS = ("--model", "softmax", "--iterations", 10**6, "--log-every", 20, "--run-dir", "run")


def test_workers_train_what_one_process_trains(tmp_path):
    """Softmax: tolerance 2e-6 after 200 steps. The shares of 101 are unequal."""
    words = (*SOFTMAX, "--batch-size", 101)
    many = run_command(tmp_path, *words, "--workers", 2, "--run-dir", "many")
    assert many.code == 0, many.err
    one = run_main(tmp_path, *words, "--run-dir", "one")
    assert many.out == one.out
    assert distance(tmp_path / "one", tmp_path / "many") < 2e-6
    assert many.err.splitlines()[-1] == "mnist-graph: saved to many"


@pytest.mark.slow
def test_workers_train_on_photographs_with_weight_decay(tmp_path):
    """The parts of augmentation, of dropout and of weight decay add up to those of one process.
    At the recipe's rate of 0.1 rounding alone grows to 0.2 in 12 steps on some processors; without
    weight decay these weights would differ by 5e-4.
    """
    write_photos(tmp_path / "photos", 40)
    words = ("--model", "cifar10", "--iterations", 12, "--batch-size", 9, "--data-dir", "photos")
    words += ("--hidden", "16,8", "--set", "precision=float32", "--keep-prob", 0.8)
    words += ("--optimizer", "gradient-descent", "--learning-rate", 0.01)
    words += ("--set", "schedule=constant")
    many = run_command(tmp_path, *words, "--workers", 2, "--run-dir", "many")
    assert many.code == 0, many.err
    one = run_main(tmp_path, *words, "--run-dir", "one")
    assert one.code == 0, one.err
    assert distance(tmp_path / "one", tmp_path / "many") < 1e-5


@pytest.mark.slow
def test_tasks_that_differ_are_refused_by_all_of_them(tmp_path):
    own = {1: ("--batch-size", 64, "--seed", 3), 2: ("--set", "validation_size=4999")}
    with Tasks(tmp_path, 3, (*SOFTMAX, "--quiet"), own) as tasks:
        outcomes = tasks.outcomes()
    assert {outcome.code for outcome in outcomes} == {1}
    (line,) = {last_line(outcome) for outcome in outcomes}
    assert re.search(
        r"worker 0 \(\S+\) differs from the chief \(\S+\): batch_size is 64, not 100", line
    )
    assert re.search(
        r"worker 1 \(\S+\) differs from the chief \(\S+\): validation_size is 4999", line
    )
    assert all(outcome.err.count("\n") == 1 for outcome in outcomes)
    assert not (tmp_path / "runs").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "count", "tolerance"),
    [
        # Below 1e-7 until rounding switches a ReLU, which it does after 50 steps on AVX2.
        (("--model", "mlp", "--set", "precision=float32"), 2, 0.01),
        (("--model", "mlp-sigmoid", "--set", "precision=float32"), 3, 1e-5),
        # Two runs of one process with one and with two threads differ by 0.02.
        (("--model", "cnn", "--batch-size", 20, "--set", "precision=float32"), 2, 0.05),
    ],
    ids=["mlp", "mlp-sigmoid", "cnn"],
)
def test_each_family_trains_what_one_process_trains(tmp_path, words, count, tolerance):
    words = (*words, "--iterations", 200)
    many = run_command(tmp_path, *words, "--workers", count, "--run-dir", "many")
    assert many.code == 0, many.err
    one = run_main(tmp_path, *words, "--run-dir", "one")
    assert one.code == 0
    assert distance(tmp_path / "one", tmp_path / "many") < tolerance
    lines = zip(printed(one.out), printed(many.out), strict=True)
    for (iteration, loss, _), (same, near, _) in lines:
        assert same == iteration
        assert float(near) == pytest.approx(float(loss), rel=0.02)


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        (
            *("--model", "conv3-batchnorm", "--iterations", 200, "--batch-size", 30),
            *("--hidden", 40, "--set", "channels=4,8,12"),
        ),
        (
            *("--model", "reader", "--iterations", 10, "--batch-size", 5),
            *("--set", "channels=4,4,4,4,8,8,8,8,12,12,12"),
        ),
    ],
    ids=["conv3-batchnorm", "reader"],
)
def test_with_batch_normalization_the_number_of_workers_does_not_matter(tmp_path, words):
    """TensorFlow's own batch normalization rounds the variance of a batch to some 2e-4, and sums of
    shares are more exact. So one step is compared with that of one process, within 0.1 %, and then
    all steps of two workers with those of three. At the recipes' rates these networks multiply
    rounding errors: two runs of one process with one and with two threads end as far apart.
    """
    sgd = ("--optimizer", "gradient-descent", "--learning-rate", 1e-5)
    words = (*words, *sgd, "--set", "schedule=constant", "--set", "precision=float32")
    one = run_main(tmp_path, *words, "--log-every", 1, "--iterations", 1, "--run-dir", "one")
    assert one.code == 0, one.err
    first = run_command(
        tmp_path, *words, "--iterations", 1, "--workers", 2, "--run-dir", "first", "--quiet"
    )
    assert first.code == 0, first.err
    assert distance(tmp_path / "one", tmp_path / "first") < 1e-3
    for count in (2, 3):
        many = run_command(tmp_path, *words, "--workers", count, "--run-dir", count, "--quiet")
        assert many.code == 0, many.err
    assert distance(tmp_path / "2", tmp_path / "3") < 5e-3


@pytest.mark.slow
def test_a_killed_worker_stops_all_and_restarts_resume_bit_for_bit(tmp_path):
    words = ("--model", "mlp", "--iterations", 600, "--log-every", 20, "--save-every", 0.2)
    words = (*words, "--workers", 2)
    whole = run_command(tmp_path, *words, "--run-dir", "whole")
    assert whole.code == 0, whole.err
    process = start_command(tmp_path, *words, "--restarts", 1, "--run-dir", "killed")
    for _ in range(4):
        process.stdout.readline()
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.kill(int(children[1]), signal.SIGKILL)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert re.search(r"error: worker 1 \(127.0.0.1:\d+\) has died: ", err)
    assert "resuming after a failure (1 of at most 1 times)" in err
    assert same_variables(tmp_path / "killed", tmp_path / "whole")


@pytest.mark.slow
@pytest.mark.parametrize("rank", [0, 1])
def test_a_worker_that_hangs_stops_the_others_within_the_timeout(tmp_path, rank):
    with Tasks(tmp_path, 3, (*ENDLESS, "--timeout", 4, "--quiet")) as tasks:
        history = tmp_path / "run" / "history.csv"
        while not history.exists() or history.read_text().count("\n") < 3:
            assert all(process.poll() is None for process in tasks.processes)
        tasks.processes[rank].send_signal(signal.SIGSTOP)
        left = [other for other in range(3) if other != rank]
        outcomes = tasks.outcomes(*left)
    name = "the chief" if rank == 0 else "worker 0"
    for outcome in outcomes:
        assert outcome.code == 1
        said = rf"error: {name} \(127.0.0.1:\d+\) has not answered within 4 seconds \(--timeout\)"
        assert re.fullmatch(said, last_line(outcome))


@pytest.mark.slow
def test_sigterm_to_one_saves_and_stops_all_and_any_number_can_resume(tmp_path):
    with Tasks(tmp_path, 3, (*SOFTMAX, "--log-every", 1, "--run-dir", "run")) as tasks:
        tasks.wait_for_lines(3)
        tasks.processes[2].terminate()
        outcomes = tasks.outcomes()
    assert [outcome.code for outcome in outcomes] == [143] * 3
    iteration = load_run(tmp_path / "run").checkpoint().iteration
    assert 3 <= iteration < 200
    assert f"stopped after iteration {iteration - 1}; resume with: " in last_line(outcomes[0])
    resumed = run_command(tmp_path, *SOFTMAX, "--resume", "--run-dir", "run", "--workers", 2)
    assert resumed.code == 0, resumed.err
    run_main(tmp_path, *SOFTMAX, "--run-dir", "one")
    assert distance(tmp_path / "one", tmp_path / "run") < 2e-6


DIFFERING = """
from mnist_graph.cluster.follow import Follower
completed = Follower._completed
def change(self, iteration):
    weights = next(v for v in self._variables if v.name == "output/weights:0")
    if iteration > 20:
        weights.load(weights.eval(self.session) + 1e-7, self.session)
    completed(self, iteration)
Follower._completed = change
from mnist_graph.cli import run
run()
"""


@pytest.mark.slow
def test_other_weights_stop_all_before_a_checkpoint(tmp_path):
    words = (*SOFTMAX, "--quiet", "--run-dir", "run")
    with Tasks(tmp_path, 2, words, code={1: DIFFERING}) as tasks:
        outcomes = tasks.outcomes()
    for outcome in outcomes:
        assert outcome.code == 1
        assert "after 200 iterations the variables of worker 0 (127" in last_line(outcome)
    assert load_run(tmp_path / "run").checkpoint() is None


@pytest.mark.slow
def test_a_port_in_use_stops_all_before_the_first_step(tmp_path):
    with socket.socket() as taken, socket.socket() as free:
        for each in (taken, free):
            each.bind(("127.0.0.1", 0))
        addresses = [f"127.0.0.1:{each.getsockname()[1]}" for each in (free, taken)]
        taken.listen()
        free.close()
        with Tasks(tmp_path, 2, (*SOFTMAX, "--quiet"), addresses=addresses) as tasks:
            outcomes = tasks.outcomes()
    for outcome in outcomes:
        assert outcome.code == 1
        assert f"worker 0 ({addresses[1]}) cannot listen on its port" in last_line(outcome)


@pytest.mark.slow
def test_a_worker_that_does_not_come_is_named(tmp_path):
    with Tasks(tmp_path, 2, (*SOFTMAX, "--timeout", 8, "--quiet")) as tasks:
        tasks.processes[1].kill()
        (outcome,) = tasks.outcomes(0)
    assert outcome.code == 1
    said = r"error: worker 0 \(127.0.0.1:\d+\) did not come within 8 seconds"
    assert re.fullmatch(said, last_line(outcome))


def has_ended(number):
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_no_worker_survives_the_process_that_started_it(tmp_path):
    process = start_command(tmp_path, *ENDLESS, "--workers", 2)
    process.stdout.readline()
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    assert len(children) == 2
    process.kill()
    process.communicate()
    waiting = subprocess.run(
        ["timeout", "20", "tail", *(f"--pid={child}" for child in children), "-f", os.devnull],
        check=False,
    )
    assert waiting.returncode == 0 or all(map(has_ended, children))
