"""The six panels, drawn from a short real run and looked at."""

import numpy as np
import pytest
from helpers import assert_refused, flip, run_main
from matplotlib.colors import to_rgb
from PIL import Image

from mnist_graph import MnistGraphError, recipes, train
from mnist_graph.panels.displays import Gif, Picture
from mnist_graph.panels.figure import ALL, COMPARABLE
from mnist_graph.panels.montage import RED, columns_for, montage
from mnist_graph.panels.panel import TEST
from mnist_graph.panels.run_data import read_run_data
from mnist_graph.runs.digit_samples import DigitSample, load_sample, save_sample, select_sample
from mnist_graph.runs.run import PERCENTILES

RECIPE = recipes["mlp"].override(hidden=(30, 20), iterations=120, batch_size=128)


@pytest.fixture(scope="module")
def run(tmp_path_factory, mnist):
    directory = tmp_path_factory.mktemp("panels") / "run"
    return train(RECIPE, mnist, directory, log_every=20)


@pytest.fixture
def picture(tmp_path, run):
    drawn = Picture(tmp_path / "run.png")
    drawn.show([read_run_data(run.directory)])
    return drawn


def pixels(path):
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


def reddish(picture):
    """Where it is about RED."""
    return np.abs(picture - RED).max(axis=-1) < 40


def test_a_record_is_what_the_run_printed_and_found(run):
    record = read_run_data(run.directory)
    assert record.history == run.history
    assert [row.iteration for row in record.test] == [119]
    assert record.test[-1].accuracy == run.result.test_accuracy
    assert record.tested.evaluated == 10_000
    assert record.tested.mistakes == round(10_000 * (1 - run.result.test_accuracy))
    assert len(record.tested.pixels) == 1000
    assert len(record.batch.pixels) == 100
    assert [row.iteration for row in record.percentiles][-1] == 119


def test_the_percentiles_are_those_of_the_weights_and_the_biases(run):
    from helpers import variables

    values = variables(run.directory)
    last = read_run_data(run.directory).percentiles[-1]
    for first, kind in ((1, "weights"), (1 + len(PERCENTILES), "biases")):
        of_kind = [v.ravel() for name, v in values.items() if name.endswith(f"/{kind}")]
        expected = np.percentile(np.concatenate(of_kind), PERCENTILES)
        np.testing.assert_allclose(last[first : first + len(PERCENTILES)], expected, rtol=1e-5)


def test_the_curves_are_the_history(picture, run):
    for number, what in ((1, "accuracy"), (2, "loss")):
        training, test = picture.panels.panels[number].drawn[0]
        assert list(training.get_xdata()) == [row.iteration for row in run.history]
        assert list(training.get_ydata()) == [getattr(row, what) for row in run.history]
        assert list(test.get_xdata()) == [119]
    assert test.get_color() == TEST


def test_each_wrong_digit_stands_on_red_and_no_other(run):
    for shown in read_run_data(run.directory)[4:]:
        page = montage(shown, 40)
        height, width = shown.pixels.shape[1:]
        cells = page.reshape(-1, height, 40, width, 3).swapaxes(1, 2).reshape(-1, height, width, 3)
        corners = cells[: len(shown.pixels), 0, 0]
        wrong = (corners == RED).all(axis=1)
        assert np.array_equal(wrong, shown.wrong)
        assert wrong.any()
        assert (cells[len(shown.pixels) :] == 255).all()
        right = cells[: len(shown.pixels)][~wrong]
        assert np.array_equal(255 - right[..., 0], shown.pixels[~wrong])


def test_a_wrong_digit_says_small_what_it_is_and_what_it_was_taken_for():
    blank = np.zeros((1, 28, 28), np.uint8)

    def drawn(label, guess):
        both = (np.array([number], np.int32) for number in (label, guess))
        return montage(DigitSample(blank, *both, 1, 1), 1, zoom=2)

    one, other = drawn(4, 9), drawn(4, 8)
    assert np.array_equal(one[:, :28], other[:, :28])
    assert not np.array_equal(one[:, 28:], other[:, 28:])
    assert not np.array_equal(drawn(5, 9)[:, :28], one[:, :28])
    assert (one[:28, :-2] == RED).all()  # they stand in the lower half


def test_the_picture_shows_all_of_it(picture, run):
    """Counted in the file: red in panels 3 and 6 as the shares of mistakes say, and curves."""
    drawn = pixels(picture.output)
    assert drawn.shape == (900, 1600, 3)
    record = read_run_data(run.directory)
    for number, shown in ((3, record.batch), (6, record.tested)):
        box = picture.panels.panels[number].axes.bbox
        part = drawn[900 - int(box.y1) : 900 - int(box.y0), int(box.x0) : int(box.x1)]
        columns = columns_for(len(shown.pixels), (28, 28), picture.panels.panels[number]._aspect())
        cells = columns * -(-len(shown.pixels) // columns)
        share = reddish(part).mean() / (shown.wrong.sum() / cells)
        assert 0.4 < share < 1.0, number  # the ink is not red
    for number in (1, 2, 4, 5):
        box = picture.panels.panels[number].axes.bbox
        part = drawn[900 - int(box.y1) : 900 - int(box.y0), int(box.x0) : int(box.x1)]
        colored = part.max(axis=-1) - part.min(axis=-1) > 60
        assert colored.sum() > 100, number


def test_percentages_at_the_side_meet_the_red_at_the_accuracy(picture, run):
    panel = picture.panels.panels[6]
    shown = read_run_data(run.directory).tested
    few = shown._replace(
        predictions=np.where(np.arange(1000) < 500, shown.labels + 1, shown.labels).astype(
            np.int32
        ),
        mistakes=500,
    )
    panel.show([read_run_data(run.directory)._replace(tested=few)])
    high = panel.pixels.picture.shape[0]
    texts = [label.get_text() for label in panel.axes.get_yticklabels()]
    marks = dict(zip(texts, panel.axes.get_yticks(), strict=True))
    assert marks["100%"] == 0
    at_95 = (marks["94%"] + marks["96%"]) / 2
    red = (panel.pixels.picture[:, 0] == RED).all(axis=-1).nonzero()[0].max() + 1
    assert abs(at_95 - red) <= 28  # a row of digits
    assert 0 < at_95 < high


def test_panels_can_stand_alone_or_in_twos(picture):
    def visible():
        return [n for n, panel in picture.panels.panels.items() if panel.axes.get_visible()]

    assert visible() == list(ALL)
    together = picture.panels.panels[3].axes.bbox.width
    picture.panels.choose((3,))
    assert visible() == [3]
    assert picture.panels.panels[3].axes.bbox.height > 700 > together
    picture.panels.choose((3, 6))
    assert visible() == [3, 6]
    above, below = (picture.panels.panels[n].axes.bbox for n in (3, 6))
    assert above.y0 > below.y1


def test_several_runs_are_drawn_over_each_other(picture, run, tmp_path, mnist):
    other = train(RECIPE.override(seed=1), mnist, tmp_path / "other", log_every=40)
    picture.show([read_run_data(each.directory) for each in (run, other)])
    panels = picture.panels.panels
    assert [n for n, panel in panels.items() if panel.axes.get_visible()] == list(COMPARABLE)
    for (training, test), each in zip(panels[1].drawn, (run, other), strict=True):
        assert list(training.get_ydata()) == [row.accuracy for row in each.history]
        assert training.get_color() == test.get_color()
    colors = {to_rgb(test.get_color()) for _, test in panels[1].drawn}
    assert len(colors) == 2
    legend = [text.get_text() for text in panels[1].axes.get_legend().get_texts()]
    assert [str(each.directory) in line for each, line in zip((run, other), legend, strict=True)]


def test_what_the_user_has_zoomed_to_stays(picture, run):
    panel = picture.panels.panels[1]
    panel.axes.set(xlim=(10, 20), ylim=(0.3, 0.4))
    picture.show([read_run_data(run.directory)])
    assert panel.axes.get_xlim() == (10, 20)
    panel.axes.set(xlim=(0, 119), ylim=sorted(panel.own)[-1][2:])
    picture.show([read_run_data(run.directory)])
    assert panel.axes.get_xlim() == (0, 119)


def test_a_run_that_just_began_is_drawn_with_what_there_is(tmp_path, run, monkeypatch):
    record = read_run_data(run.directory)
    empty = record._replace(history=[], test=[], percentiles=[], batch=None, tested=None)
    drawn = Picture(tmp_path / "empty.png")
    drawn.show([empty])
    drawn.show([record._replace(history=record.history[:1], percentiles=[])])
    assert pixels(tmp_path / "empty.png").shape == (900, 1600, 3)


def test_a_film_holds_every_picture(tmp_path, run):
    film = Gif(tmp_path / "run.gif")
    record = read_run_data(run.directory)
    for count in range(1, 4):
        film.show([record._replace(history=record.history[:count])])
    film.finish()
    with Image.open(tmp_path / "run.gif") as frames:
        assert frames.n_frames == 3
        assert frames.size == (960, 540)
        frames.seek(2)
        assert frames.info["duration"] == 2000


def test_digits_are_read_back_as_they_were_kept(tmp_path, mnist):
    labels = mnist.test.sparse_labels[:50].astype(np.int32)
    predictions = np.where(np.arange(50) % 5 == 4, (labels + 1) % 10, labels).astype(np.int32)
    shown = select_sample(mnist.test.pixels[:50], labels, predictions, 20)
    assert shown.wrong.tolist() == [True] * 10 + [False] * 10
    assert (shown.evaluated, shown.mistakes) == (50, 10)
    save_sample(tmp_path / "digits.npz", shown)
    again = load_sample(tmp_path / "digits.npz")
    for one, other in zip(shown, again, strict=True):
        assert np.array_equal(one, other)
    assert load_sample(tmp_path / "none.npz") is None


@pytest.mark.parametrize(
    "change",
    [
        {"pixels": np.zeros((3, 28, 28), np.float32)},
        {"pixels": np.zeros((2, 28, 28), np.uint8)},
        {"pixels": np.zeros((3, 0, 28), np.uint8)},
        {"labels": np.zeros(3, np.int64)},
        {"labels": np.array([None] * 3)},
        {"predictions": np.ones(3, np.int32)},
        {"mistakes": 4},
        {"judged": 2},
    ],
)
def test_digits_that_cannot_be_are_refused(tmp_path, change):
    path = tmp_path / "digits.npz"
    zeros = np.zeros(3, np.int32)
    good = DigitSample(np.zeros((3, 28, 28), np.uint8), zeros, zeros, 3, 0)._asdict()
    np.savez(path, **good)
    assert load_sample(path).evaluated == 3
    np.savez(path, **{**good, **change})
    with pytest.raises(MnistGraphError, match="damaged"):
        load_sample(path)


def test_plot_draws_a_run_again_and_several(tmp_path, run):
    outcome = run_main(tmp_path, "--plot", run.directory)
    assert outcome.code == 0
    assert outcome.err == f"mnist-graph: drawn in {run.directory / 'panels.png'}\n"
    assert reddish(pixels(run.directory / "panels.png")).sum() > 1000
    outcome = run_main(tmp_path, "--plot", run.directory, run.directory, "--watch", "two.pdf")
    assert (outcome.code, outcome.out) == (0, "")
    assert (tmp_path / "two.pdf").read_bytes().startswith(b"%PDF")


def test_plot_of_what_is_no_run_or_damaged_is_an_error_in_one_line(tmp_path, mnist):
    assert_refused(run_main(tmp_path, "--plot", tmp_path), 1, "is not a run directory")
    train(RECIPE.override(iterations=2), mnist, tmp_path / "run")
    flip(tmp_path / "run" / "test.npz")
    assert_refused(run_main(tmp_path, "--plot", "run"), 1, "run/test.npz is damaged")
    assert_refused(run_main(tmp_path, "--plot", "run", "--watch", "a.gif"), 2, ".png, .jpg")
    assert_refused(run_main(tmp_path, "--plot", "run", "--watch", "no/a.png"), 2, "no/a.png")
