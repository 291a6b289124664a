"""The division of MNIST by writers, and what is counted."""

import numpy as np
import pytest

from benchmarks.own_hand import CHOOSING, COUNTS, LEAST, WRITERS, Corpus, Job
from benchmarks.own_hand_report import draw, format_report, group


@pytest.fixture(scope="module")
def corpus():
    return Corpus()


def test_nobody_is_in_two_parts(corpus):
    assert len({*corpus.held_out, *corpus.choosing}) == WRITERS + CHOOSING
    digits = [corpus.digits(writer) for writer in (*corpus.held_out, *corpus.choosing)]
    assert min(map(len, digits)) >= LEAST
    assert corpus.others.num_examples == 60_000 - len(np.unique(np.concatenate(digits)))


def test_a_writers_first_digits_are_balanced_and_not_tested_on(corpus):
    labels = corpus.data.train.sparse_labels
    for writer in corpus.held_out:
        digits = corpus.digits(writer)
        assert set(corpus.writers[digits]) == {writer}
        assert set(labels[digits[: len(set(labels[digits]))]]) == set(labels[digits])
        rest = corpus.rest(writer).num_examples
        assert rest == len(digits) - max(COUNTS) >= LEAST - max(COUNTS)
        own, rest = (
            {image.tobytes() for image in part.pixels}
            for part in (corpus.own(writer, max(COUNTS)), corpus.rest(writer))
        )
        assert not own & rest


def test_a_batch_has_ten_own_digits():
    for mix, size in ((0.0, 10), (0.5, 20)):
        recipe = Job("mlp", 1, 20, mix, 1e-4, 100).recipe()
        assert (recipe.batch_size, recipe.batch_size - recipe.mixed_in) == (size, 10)


def test_the_report_counts_writers(tmp_path):
    def run(writer, count, mix, errors):
        job = ["mlp", writer, count, mix, 1e-4, 100]
        return {"job": job, "errors": errors, "of": 50, "test_errors": 600, "seconds": 2.0}

    found = {
        "machine": dict.fromkeys(
            ("processor", "cores", "memory", "python", "tensorflow", "numpy"), "x"
        ),
        "before": {"mlp": {"writers": {"1": 5, "2": 2, "3": 0}, "test_errors": 610}},
        "chosen": {f"mlp {mix}": {"rate": 1e-4, "iterations": 100} for mix in (0.0, 0.5)},
        "runs": [
            run(writer, 10, mix, errors)
            for mix in (0.0, 0.5)
            for writer, errors in ((1, 1), (2, 2), (3, 1), (-1, 9))
        ],
    }
    found["runs"].append({**run(1, 10, 0.5, 40), "job": ["mlp", 1, 10, 0.5, 1e-3, 100]})
    (results,) = group(found, "mlp", 0.5)
    assert results.changes == pytest.approx([-8, 0, 2])
    row = "| mlp | 0.5 | 10 | **2.67** | -2.00 ± 5.99 | 1 | 1 | 0.9400 (0.9400 to 0.9400) | 2.0 |"
    assert row in format_report(found).splitlines()
    draw(found, tmp_path / "picture.png")
    assert (tmp_path / "picture.png").stat().st_size > 10_000
