"""`python -m benchmarks.speed`: rounds, ratios, limits and their report."""

import json
import subprocess
import sys

import pytest
from helpers import ROOT

from benchmarks import machine
from benchmarks.contenders import SHAPES
from benchmarks.speed import races, run
from benchmarks.speed.limits import count_parameters, measure_bandwidth, measure_empty_call
from benchmarks.speed.operations import (
    FORWARD,
    Operation,
    list_operations,
    time_tensorflow,
)
from benchmarks.speed.races import ITERATIONS, Contender, Race, training_race
from benchmarks.speed.ratios import compare, complete_rounds
from benchmarks.speed.report import format_report
from benchmarks.speed.run import continue_race, rotate, run_race
from mnist_graph import recipes

CONTENDERS = (
    Contender("ours, float32", "ours", "numpy", "float32"),
    Contender("ours, bfloat16", "ours", "numpy", "bfloat16"),
    Contender("quick, float32", "quick", "numpy", "float32", {"mode": "a"}, "quick"),
    Contender("slow, float32", "quick", "numpy", "float32", {"mode": "b"}, "quick"),
    Contender("absent", "absent", "no_such_package", "float32"),
)
RACE = Race("mlp", "measure_speed", CONTENDERS, {"model": "mlp"})
TIMES = {"ours, float32": 4.0, "ours, bfloat16": 3.0, "quick, float32": 5.0, "slow, float32": 9.0}


@pytest.fixture
def asked(monkeypatch):
    """The order in which contenders are measured; each takes its time of TIMES."""
    names = []

    def measure(race, contender, number, wait):
        names.append(contender.name)
        time = TIMES[contender.name] + number
        return {"milliseconds": time, "accuracy": 0.9, "busy_before": wait(), "others": 0.01}

    monkeypatch.setattr(run, "measure", measure)
    monkeypatch.setattr(races, "list_precisions", lambda: ("float32", "bfloat16"))
    return names


def test_what_the_processor_does_not_compute_in_is_left_out(asked, monkeypatch):
    monkeypatch.setattr(races, "list_precisions", lambda: ("float32",))
    results = {"rounds": []}
    run_race(RACE, results, 1, lambda: None, lambda: 0.0)
    assert "ours, bfloat16" not in asked
    assert results["left_out"]["ours, bfloat16"] == "the processor has no bfloat16"
    assert {each.precision for each in races.race_to_99().contenders} == {"float32"}


def test_rounds_alternate_and_the_slower_variant_goes_after_the_first(asked):
    results = continue_race(None, {"commit": "abc"})
    run_race(RACE, results, 3, lambda: None, lambda: 0.02)
    assert asked[:4] == list(TIMES)
    assert asked[4:] == [
        *("ours, bfloat16", "quick, float32", "ours, float32"),
        *("quick, float32", "ours, float32", "ours, bfloat16"),
    ]
    assert results["left_out"]["absent"] == "no_such_package is not installed"
    assert "slow, float32" in results["left_out"]


def test_a_stopped_race_continues_at_the_same_commit_only(asked):
    results = continue_race(None, {"commit": "abc"})

    def stop():
        if len(asked) == 6:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        run_race(RACE, results, 3, stop, lambda: 0.0)
    saved = json.loads(json.dumps(results))
    continued = continue_race(saved, {"commit": "abc"})
    assert continued is saved
    run_race(RACE, continued, 3, lambda: None, lambda: 0.0)
    assert len(asked) == 4 + 3 + 3
    assert continue_race(saved, {"commit": "def"})["rounds"] == []
    assert continue_race({**saved, "state": {"commit": "abc+"}}, {"commit": "abc+"})["rounds"] == []


def test_a_contender_that_fails_is_left_out_with_the_reason(monkeypatch):
    def fail(race, contender, number, wait):
        raise run.ChildError("RuntimeError: no compiler")

    monkeypatch.setattr(run, "measure", fail)
    results = continue_race(None, {"commit": "abc"})
    run_race(RACE, results, 1, lambda: None, lambda: 0.0)
    assert results["left_out"]["ours, float32"] == "failed: RuntimeError: no compiler"
    assert compare(RACE, complete_rounds(RACE, results)) is None


def test_a_measurement_is_made_in_a_process_of_its_own():
    square = Contender("", "", "numpy", "float32", {"directory": str(ROOT)})
    with pytest.raises(run.ChildError, match="ModuleNotFoundError"):
        run.measure(Race("", "f", (), {}), square, 0, lambda: 0.0)
    assert run.call_in_process("machine", "describe", {}) == machine.describe()


def test_every_start_comes_equally_often():
    starts = [rotate("abc", number)[0] for number in range(9)]
    assert starts == list("abcabcabc")
    assert sorted(rotate("abc", 2)) == list("abc")
    assert rotate("", 2) == []


def make_rounds(**times):
    """Rounds in which the contenders of these names took these times, one for each round."""
    return [
        {
            name: {"milliseconds": time, "accuracy": 0.9, "busy_before": 0.01, "others": 0.02}
            for name, time in zip(times, row, strict=True)
        }
        for row in zip(*times.values(), strict=True)
    ]


PAIR = (
    Contender("ours", "ours", "numpy", "bfloat16"),
    Contender("tortoise", "other", "numpy", "float32"),
    Contender("hare", "other", "numpy", "bfloat16"),
)


def test_ours_is_compared_with_the_fastest_of_the_others():
    rounds = make_rounds(ours=[1.0, 2.0, 3.0], tortoise=[9.0, 9.0, 1.0], hare=[4.0, 4.0, 4.0])
    found = compare(Race("mlp", "", PAIR, {}), rounds)
    assert (found.ours, found.peer) == ("ours", "hare")
    assert found.ratios == [0.25, 0.5, 0.75]
    assert found.interval.median == 0.5
    assert compare(Race("mlp", "", PAIR, {}), rounds, "float32") is None, "ours is in bfloat16"


def test_the_report_claims_the_upper_end_and_says_if_the_machine_was_busy():
    names = [each.name for each in training_race("softmax").contenders]
    rounds = make_rounds(**{name: [1.0, 1.1, 1.2] for name in names})
    for number, each in enumerate(rounds):
        each["ours, float32"]["milliseconds"] = 0.5 + number / 10
    state = {"commit": "abc", "iterations": ITERATIONS["softmax"]}
    results = {
        "machine": machine.describe(),
        "versions": {"torch": "2"},
        "races": {"softmax": {"state": state, "rounds": rounds, "left_out": {}}},
    }
    report = format_report(results)
    assert "3 rounds at commit abc." in report
    high = 0.7 / 1.2
    assert f"0.50, 0.55, 0.58 | 0.545 | 0.500 to {high:.3f} | **{high:.2f}** |" in report
    assert "At most 1.0 % of the CPU time was busy before" in report
    assert "not idle" not in report
    rounds[0]["ours, float32"]["busy_before"] = 0.5
    assert "**The machine was not idle.**" in format_report(results)


@pytest.mark.parametrize("model", SHAPES)
def test_the_operations_of_a_step_are_those_of_the_network(model):
    operations = list_operations(model)
    forward = [each for each in operations if each.direction == FORWARD]
    assert [each.shape for each in forward] == SHAPES[model]
    assert len(operations) == 3 * len(forward) - 1, "the images have no gradient"
    assert {each.rows for each in operations} == {recipes[model].batch_size}


def test_flops_and_parameters():
    assert Operation(FORWARD, 128, 1, (784, 512)).flops == 2 * 128 * 784 * 512
    assert Operation(FORWARD, 50, 14, (5, 5, 32, 64)).flops == 2 * 50 * 14**2 * 25 * 32 * 64
    assert count_parameters("cnn") == 3_274_634


def test_limits_are_positive():
    assert measure_bandwidth(2**20, seconds=0.01) > 1e6
    assert 0 < measure_empty_call() < 1000
    small, large = (
        time_tensorflow(Operation(FORWARD, 256, 1, (side, side)), "float32", 1)
        for side in (64, 1024)
    )
    assert 0 < small < large, "256 times as many multiplications"


@pytest.mark.slow
def test_a_small_race_is_reported(tmp_path):
    words = ["--rounds", "2", "--iterations", "100", "--models", "softmax", "--seeds", "0"]
    words += ["--races", "training", "--patience", "0", "--results", str(tmp_path)]
    command = [sys.executable, "-m", "benchmarks.speed", *words]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    results = json.loads((tmp_path / "speed.json").read_text())
    rounds = results["races"]["softmax"]["rounds"]
    assert len(rounds) == 2
    assert rounds[1]["ours, float32"]["accuracy"] > 0.8
    assert 0 <= rounds[1]["ours, float32"]["busy_before"] <= 1
    report = (tmp_path / "speed.md").read_text()
    assert "| ours, float32 |" in report
    assert "| float32 | ours, float32 /" in report
