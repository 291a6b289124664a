import json

import pytest

from benchmarks import reproduce


@pytest.mark.slow
def test_reproduce_measures_and_writes_what_it_measured(tmp_path, monkeypatch):
    words = ["reproduce", "--recipes", "softmax", "--results", str(tmp_path), "--seeds"]
    monkeypatch.setattr("sys.argv", [*words, "1"])
    reproduce.main()
    (first,) = json.loads((tmp_path / "reproduce.json").read_text())["recipes"]["softmax"]
    assert first["seed"] == 0
    assert 0.90 < first["test_accuracy"] < 0.93

    monkeypatch.setattr("sys.argv", [*words, "2"])
    reproduce.main()
    runs = json.loads((tmp_path / "reproduce.json").read_text())["recipes"]["softmax"]
    assert runs[0] == first, "what was measured is kept"
    assert [run["seed"] for run in runs] == [0, 1]
    row = next(
        line
        for line in (tmp_path / "reproduce.md").read_text().splitlines()
        if line.startswith("| softmax |")
    )
    low, high = sorted(run["test_accuracy"] for run in runs)
    assert f"**{(low + high) / 2:.4f}** | {low:.4f} to {high:.4f} | 2 |" in row
