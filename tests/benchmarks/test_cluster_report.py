"""What is made of measurements: the report and the picture; and how ends of tasks are told."""

import signal
import sys

import pytest
from PIL import Image

from benchmarks.cluster import measure
from benchmarks.cluster.faults import describe_end, newest_iteration
from benchmarks.cluster.model import COSTS, Constants, predict_sum
from benchmarks.cluster.paper import build_models, draw
from benchmarks.cluster.report import check_steps, format_report
from benchmarks.cluster.tasks import Tasks

CONSTANTS = Constants(0.4, 0.1, 0.2, 1.5, 0.8, 8.0, 0.1, 0.4)
CORES = 2
MACHINE = {
    "processor": "a processor",
    "cores": str(CORES),
    "memory": "8 GiB",
    "python": "3",
    "tensorflow": "2",
    "numpy": "2",
}


@pytest.fixture(scope="module")
def results():
    """Measurements that are exactly what the model says."""
    found = {"machine": MACHINE, "load": [0.1, 2.0], "sums": [], "sleeping": [], "real": []}
    found["links"] = [
        {"nominal_gbit": g, "delay_ms": d, "trip_ms": 0.1, "gbit": 9.0} for g, d in measure.LINKS
    ]
    found["compute"] = [
        {
            "model": model,
            "workers": n,
            "steps": 1,
            "seconds": [0.01 + 0.03 / n] * 8,
            "summed": [13_000_000],
            "dense": [(3136, 1024, 2)],
            "has_late": False,
            "moments": {"factors": 0.3, "early": 0.5, "gradients": 0.8, "adam": 0.1},
        }
        for model in measure.MODELS
        for n in (1, 2)
    ]
    for workers in (2, 3, 4):
        for gbit, delay in measure.LINKS:
            place = {"workers": workers, "gbit": gbit, "delay_ms": delay}
            found["sums"].append({**place, "kind": "call", "ms": 0.1})
            for way in COSTS:
                place |= {"kind": "sums", "way": way}
                one = predict_sum(CONSTANTS, workers, way, 1000, gbit, delay, CORES)
                ms = CONSTANTS.call + 8 * (one - CONSTANTS.call)
                found["sums"].append({**place, "words": 250, "chain": 8, "ms": ms})
                for size in measure.SIZES:
                    ms = predict_sum(CONSTANTS, workers, way, size, gbit, delay, CORES)
                    found["sums"].append({**place, "words": size // 4, "chain": 1, "ms": ms})
    for model in measure.MODELS:
        place = {"model": model, "workers": 2, "gbit": 10, "delay_ms": 0.1}
        one = predict_sum(CONSTANTS, 2, "rounds", 10**6, 10, 0.1, CORES)
        ms = 25 + one - CONSTANTS.call
        sleeping = {**place, "sendings": [["rounds", 10**6]]}
        found["sleeping"].append({**sleeping, "plan": "alone", "ms": 25.0})
        found["sleeping"].append({**sleeping, "plan": "exchanged", "ms": ms})
        for gbit, delay in measure.REAL_LINKS:
            place |= {"gbit": gbit, "delay_ms": delay, "sent": 1.1e6}
            for plan, ms in zip(("alone", *measure.PLANS), (25, 26, 27, 30, 50, 40), strict=True):
                found["real"].append({**place, "plan": plan, "ms": ms})
    return found


def test_the_report_says_what_was_measured(results):
    report = format_report(results)
    assert (
        report.count("| cnn | 25 | 26 (0.96) | 27 (0.93) | 30 (0.83) | 50 (0.50) | 40 (0.62) |")
        == 2
    )
    # 25 rows of 4,160 factors of two bytes, and the rest of 13 MB
    assert "| cnn | 2 | 0.363 | 1.100 | 203.1 % | 1.100 |" in report
    assert "| request | 1.5 | delays |" in report
    assert "| sums of 4 workers | 126 | +0 % | +0 % | +0 % |" in report.replace("-0 %", "+0 %")
    assert "never: reaches 0.9923" in report
    assert "## Faults" not in report


def test_steps_are_predicted_from_the_time_without_sums(results):
    for step in check_steps(results):
        assert step["predicted_ms"] == pytest.approx(step["ms"])


def test_models_have_the_measured_times(results):
    model = build_models(results)["cnn"]
    assert (model.fixed, model.per_row) == pytest.approx((10, 0.6))
    assert model.compute(50) == pytest.approx(40)


def test_the_report_counts_faults(results):
    fault = {"signal": "SIGKILL", "seconds": 3.0, "ended": True, "named": True}
    faults = {
        "kills": [fault, {**fault, "signal": "SIGSTOP", "seconds": 9.0, "named": False}],
        "runs": 2,
        "identical": 1,
        "crashes": [{"codes": [0, -6]}],
        "cuts": [{"cut_seconds": None, "resumed": True, "identical": True, "seconds": 16.0}],
    }
    report = format_report({**results, "faults": faults})
    assert "**1 of 2** ended with the history" in report
    assert "| SIGSTOP | 1 | 1 | 0 | 9.0 (9.0) |" in report
    assert "- exit codes [0, -6]" in report
    assert "A link cut for good, 1 times: 1 runs had to be resumed, 1 ended as the und" in report


def test_the_picture_is_drawn(results, tmp_path):
    draw(results, tmp_path / "picture.png")
    with Image.open(tmp_path / "picture.png") as picture:
        assert picture.width > 500


TASK = """
import json, os, sys, time
task = json.loads(os.environ["TF_CONFIG"])["task"]["index"]
if task == 1:
    time.sleep(600)
if task == 2 and sys.argv[1] == "silent":
    sys.exit(1)
print(f"out {task}")
print("note")
sys.exit("x: error: worker 1 (a:1) has died") if task == 2 else sys.exit(0)
"""


@pytest.mark.parametrize(("word", "ended"), [("loud", True), ("silent", False)])
def test_others_end_with_one_line_that_names_the_victim(word, ended):
    program = (sys.executable, "-c", TASK)
    with Tasks(("a:0", "a:1", "a:2"), [word], program=program) as tasks:
        assert tasks.wait(60, spared=1) == [0, None, 1]
        tasks.send(1, signal.SIGKILL)
        codes = tasks.wait(60)
        found = describe_end(tasks, codes, 1)
        assert tasks.output(0) == "out 0\nnote\n"
    assert codes == [0, -signal.SIGKILL, 1]
    assert (found["ended"], found["named"]) == (ended, True)


def test_the_newest_checkpoint_has_the_highest_number(tmp_path):
    assert newest_iteration(tmp_path) == 0
    for number in (9, 10):
        (tmp_path / f"checkpoint-{number}").mkdir()
    assert newest_iteration(tmp_path) == 10
