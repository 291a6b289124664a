"""What several benchmarks measure with: idleness, intervals, the state of the code."""

import numpy as np
import pytest

from benchmarks import checkout, idle
from benchmarks.bootstrap import median_interval
from benchmarks.idle import CpuTime, read_cpu_time, share_of_others, wait_until_idle

LATER = """\
cpu  1300 0 500 8100 900 0 50 50 100 0
cpu0 1 2 3
"""


def test_cpu_time_is_read_from_proc_stat(tmp_path, monkeypatch):
    monkeypatch.setattr(idle.os, "sysconf", lambda name: 100)
    stat = tmp_path / "stat"
    stat.write_text(LATER)
    busy = 13.0 + 5.0 + 0.5 + 0.5
    assert read_cpu_time(stat) == CpuTime(busy, busy + 81.0 + 9.0), "guest time is user time too"


def test_the_share_of_others_is_without_ones_own():
    before, after = CpuTime(10.0, 100.0), CpuTime(16.0, 120.0)
    assert share_of_others(before, after) == pytest.approx(0.3)
    assert share_of_others(before, after, own=5.0) == pytest.approx(0.05)
    assert share_of_others(before, after, own=9.0) == 0.0, "clocks differ a little"
    assert share_of_others(before, before) == 0.0


@pytest.mark.skipif(not idle.STAT.exists(), reason="needs /proc/stat")
def test_a_busy_process_is_seen_in_the_real_proc_stat():
    before = read_cpu_time()
    end = idle.time.monotonic() + 0.5
    while idle.time.monotonic() < end:
        sum(range(1000))
    after = read_cpu_time()
    assert after.busy > before.busy
    assert 0 < share_of_others(before, after) <= 1
    # Differences of large numbers: where all cores are busy, the two are equal but for rounding.
    assert after.total - before.total >= after.busy - before.busy - 1e-6


def test_waiting_ends_when_it_is_idle_or_patience_does(monkeypatch):
    shares = iter([0.9, 0.4, 0.03, 0.8])
    monkeypatch.setattr(idle, "measure_busy", lambda interval: next(shares))
    assert wait_until_idle(limit=0.05, patience=60) == 0.03
    assert wait_until_idle(limit=0.05, patience=0) == 0.8


def test_the_interval_of_a_median():
    assert median_interval([2.0] * 7) == (2.0, 2.0, 2.0)
    values = list(np.random.default_rng(1).normal(5.0, 1.0, 400))
    middle, low, high = median_interval(values)
    assert low < middle < high
    # A median's standard error is 1.25 standard deviations / sqrt(n) for normal values.
    assert high - low == pytest.approx(2 * 1.96 * 1.2533 / 20, rel=0.25)
    assert median_interval(values) == (middle, low, high), "reproducible"
    assert median_interval([1.0, 2.0, 30.0])[1:] == (1.0, 30.0), "a few rounds say little"
    with pytest.raises(ValueError, match="no values"):
        median_interval([])


def test_intervals_cover_the_true_median():
    random = np.random.default_rng(2)
    found = [median_interval(list(random.normal(0, 1, 15))) for _ in range(100)]
    assert sum(low <= 0 <= high for _, low, high in found) >= 85


def test_the_commit_says_whether_files_differ(monkeypatch):
    answers = {"log": "0123456789ab", "status": ""}
    monkeypatch.setattr(checkout, "_git", lambda word, *_: answers[word])
    assert checkout.find_commit() == "0123456789ab"
    assert checkout.is_exact(checkout.find_commit())
    answers["status"] = " M mnist_graph/cli/parser.py\n?? benchmarks/new.py"
    assert checkout.find_commit() == "0123456789ab+"
    assert checkout.changed_files() == ["mnist_graph/cli/parser.py", "benchmarks/new.py"]
    assert not checkout.is_exact(checkout.find_commit())
    answers["log"] = ""
    assert not checkout.is_exact(checkout.find_commit())
