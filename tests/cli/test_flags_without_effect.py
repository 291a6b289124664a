"""Flags that have no effect on a command are refused."""

import pytest
from helpers import TEST_IMAGE, assert_refused, run_main, some_mnist, write_data

SOFTMAX = ("--model", "softmax")

WITHOUT_EFFECT = [
    ((*SOFTMAX, "--describe", "--watch"), "--watch has no effect with --describe"),
    ((*SOFTMAX, "--describe", "--run-dir", "a"), "--run-dir has no effect with --describe"),
    ((*SOFTMAX, "--describe", "--device", "cpu"), "--device has no effect with --describe"),
    ((*SOFTMAX, "--list-models"), "--model has no effect with --list-models"),
    (("--list-models", "--quiet"), "--quiet has no effect with --list-models"),
    ((*SOFTMAX, "--plot", "a"), "--model has no effect with --plot"),
    (("--plot", "a", "--set", "beta1=0.8"), "--set has no effect with --plot"),
    (("--plot", "a", "--seed", "0"), "--seed has no effect with --plot"),
    (("--plot", "a", "--run-dir", "b"), "--run-dir has no effect with --plot"),
    (("--plot", "a", "--log-every", "5"), "--log-every has no effect with --plot"),
    ((*SOFTMAX, "--evaluate", "--annotate", "a"), "--annotate needs --predict"),
]


@pytest.mark.parametrize(("words", "said"), WITHOUT_EFFECT)
def test_flag_without_effect_is_refused(command, tmp_path, words, said):
    assert_refused(command(*words), 2, said)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("task", [("--evaluate",), ("--predict", TEST_IMAGE)])
@pytest.mark.parametrize(
    "training", [("--watch", "a.png"), ("--snapshots",), ("--log-every", 5), ("--save-every", 5)]
)
def test_training_flag_is_refused_if_the_run_is_finished(trained, task, training):
    run = trained("softmax")
    outcome = run_main(run.cwd, *run.words, *task, *training)
    assert_refused(outcome, 2, f"{training[0]} has no effect: runs/softmax/1 is finished")
    assert not (run.cwd / "a.png").exists()


def test_watch_is_refused_with_resume_if_the_run_is_finished(trained):
    run = trained("softmax")
    words = (*SOFTMAX, "--resume", "--run-dir", "runs/softmax/1")
    outcome = run_main(run.cwd, *words, "--watch", "a.png")
    said = "--watch has no effect: runs/softmax/1 is finished; show it with --plot runs/softmax/1"
    assert_refused(outcome, 2, said)
    assert run_main(run.cwd, *words, "--log-every", 5).code == 0  # as in a repeated command


@pytest.mark.parametrize("task", [("--resume",), ("--evaluate",), ("--predict", TEST_IMAGE)])
def test_other_data_than_the_finished_runs_is_refused(trained, tmp_path, mnist, task):
    write_data(tmp_path / "other", *some_mnist(mnist, 5100, 10))
    run = trained("softmax")
    words = (*SOFTMAX, *task, "--run-dir", run.directory)
    other = run_main(run.cwd, *words, "--data-dir", tmp_path / "other")
    assert_refused(other, 2, "was trained on other data")
    missing = run_main(run.cwd, *words, "--data-dir", "missing")
    assert_refused(missing, 1, "missing is not a folder")


def test_file_that_looks_like_a_flag_is_refused_with_advice(command, tmp_path):
    (tmp_path / "-dash.png").write_bytes(TEST_IMAGE.read_bytes())
    said = "the file -dash.png looks like a flag; write ./-dash.png"
    assert_refused(command(*SOFTMAX, "--predict", "-dash.png"), 2, said)
    assert_refused(command(*SOFTMAX, "--predict", "a.png", "-dash.png"), 2, said)
