"""`python -m benchmarks.commands`: whole commands."""

import subprocess
import sys

import pytest
from helpers import ROOT

from benchmarks import machine
from benchmarks.commands import __main__ as commands
from benchmarks.commands.report import format_report


def test_a_command_is_measured_with_its_memory(tmp_path):
    words = "held = b'1' * 200_000_000; open('here', 'w').close()"
    found = commands.run(["-c", words], tmp_path)
    assert (tmp_path / "here").exists()
    assert found["mebibytes"] > 190
    assert found["cpu_seconds"] > 0
    assert found["seconds"] > 0


def test_a_command_that_fails_is_no_measurement(tmp_path):
    with pytest.raises(RuntimeError, match="ended with exit code 3"):
        commands.run(["-c", "raise SystemExit(3)"], tmp_path)


def test_every_job_has_a_peer_and_the_earlier_state():
    jobs = commands.list_jobs({"now": ROOT / "main.py", "before": ROOT / "main.py"})
    assert len(jobs) == 5
    for job, contenders in jobs.items():
        names = [contender.name for contender in contenders]
        assert names[:2] == ["now", "before"], job
        assert names[2] in ("PyTorch", "RapidOCR")


def test_the_report_compares_round_by_round():
    def rounds(*seconds):
        return [
            {"seconds": each, "cpu_seconds": 2 * each, "mebibytes": 100 + each, "busy_before": 0.01}
            for each in seconds
        ]

    jobs = {"--model mlp": {"now": rounds(1.0, 2.0, 3.0), "PyTorch": rounds(2.0, 2.5, 12.0)}}
    found = {job: {"commit": "abc", "measured": measured} for job, measured in jobs.items()}
    report = format_report({"machine": machine.describe(), "jobs": found})
    assert "commit abc; 3 rounds." in report
    assert "| --model mlp | now | 2.00 | 1.00 to 3.00 | 4.0 | 103 | | |" in report
    assert (
        "| --model mlp | PyTorch | 2.50 | 2.00 to 12.00 | 5.0 | 112 | 0.50 | 0.25 to **0.80** |"
        in report
    )
    assert "At most 1.0 % of the CPU time was busy before one." in report


@pytest.mark.slow
def test_the_pytorch_script_does_the_job(tmp_path):
    pytest.importorskip("torch")

    def call(*words):
        command = [sys.executable, commands.SCRIPT, *words]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        return done.stdout

    trained = call("mlp")
    assert trained.startswith("Iteration 0 | Loss = ")
    assert "Accuracy on test set: 0.9" in trained
    assert call("mlp", "--predict", ROOT / "test_img.png") == "Prediction for test image: 2\n"
