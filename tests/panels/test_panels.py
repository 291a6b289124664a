"""The six panels, drawn from a short real run."""

import numpy as np
import pytest
from helpers import assert_refused, flip, run_main, variables
from matplotlib.colors import to_rgb
from photos import crops
from PIL import Image

from mnist_graph import MnistGraphError, recipes, train
from mnist_graph.panels.displays import Gif, Picture
from mnist_graph.panels.figure import ALL_PANELS, COMPARABLE
from mnist_graph.panels.montage import RED, draw_montage
from mnist_graph.panels.panel import TEST_COLOR
from mnist_graph.panels.run_data import read_run_data
from mnist_graph.runs.digit_samples import DigitSample, load_sample, save_sample, select_sample
from mnist_graph.runs.run import PERCENTILES

RECIPE = recipes["mlp"].override(hidden=(30, 20), iterations=120, batch_size=128)


@pytest.fixture(scope="module")
def run(tmp_path_factory, mnist):
    directory = tmp_path_factory.mktemp("panels") / "run"
    return train(RECIPE, mnist, directory, log_every=20)


@pytest.fixture
def data(run):
    return read_run_data(run.directory)


@pytest.fixture
def picture(tmp_path, data):
    """The panels of the run, drawn into run.png."""
    drawn = Picture(tmp_path / "run.png")
    drawn.show([data])
    return drawn


def read_pixels(path):
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


def is_reddish(pixels):
    return np.abs(pixels - RED).max(axis=-1) < 40


def visible(picture):
    return [n for n in ALL_PANELS if picture.panels[n].axes.get_visible()]


def test_run_data_is_what_training_printed_and_found(data, run):
    assert data.history == run.history
    assert [row.iteration for row in data.test] == [119]
    assert data.test[-1].accuracy == run.result.test_accuracy
    assert data.tested.evaluated == 10_000
    assert data.tested.mistakes == round(10_000 * (1 - run.result.test_accuracy))
    assert len(data.tested.pixels) == 1000
    assert len(data.batch.pixels) == 100
    assert [row.iteration for row in data.percentiles][-1] == 119


def test_percentiles_are_those_of_all_weights_and_all_biases(data, run):
    values = variables(run.directory)
    last = data.percentiles[-1]
    for first, kind in ((1, "weights"), (1 + len(PERCENTILES), "biases")):
        of_kind = [v.ravel() for name, v in values.items() if name.endswith(f"/{kind}")]
        expected = np.percentile(np.concatenate(of_kind), PERCENTILES)
        np.testing.assert_allclose(last[first : first + len(PERCENTILES)], expected, rtol=1e-5)


def test_curves_show_the_history_and_the_tests(picture, run):
    for number, metric in ((1, "accuracy"), (2, "loss")):
        ((training, test),) = picture.panels[number].artists
        assert list(training.get_xdata()) == [row.iteration for row in run.history]
        assert list(training.get_ydata()) == [getattr(row, metric) for row in run.history]
        assert list(test.get_xdata()) == [119]
    assert test.get_color() == TEST_COLOR


@pytest.mark.parametrize("which", ["batch", "tested"])
def test_only_misclassified_digits_are_on_red(data, which):
    sample = getattr(data, which)
    count, height, width = sample.pixels.shape
    sheet = draw_montage(sample, 40)
    cells = sheet.reshape(-1, height, 40, width, 3).swapaxes(1, 2).reshape(-1, height, width, 3)
    is_red = (cells[:count, 0, 0] == RED).all(axis=1)
    assert np.array_equal(is_red, sample.wrong)
    assert is_red.any()
    assert (cells[count:] == 255).all()
    correct = cells[:count][~is_red]
    assert np.array_equal(255 - correct[..., 0], sample.pixels[~is_red])


def test_a_misclassified_digit_shows_its_label_at_the_left_and_prediction_at_the_right():
    blank = np.zeros((1, 28, 28), np.uint8)

    def draw(label, prediction):
        both = (np.array([number], np.int32) for number in (label, prediction))
        return draw_montage(DigitSample(blank, *both, 1, 1), 1, zoom=2)

    cell, other_prediction, other_label = draw(4, 9), draw(4, 8), draw(5, 9)
    assert np.array_equal(cell[:, :28], other_prediction[:, :28])
    assert not np.array_equal(cell[:, 28:], other_prediction[:, 28:])
    assert not np.array_equal(cell[:, :28], other_label[:, :28])
    assert (cell[:28, :-2] == RED).all()  # the numbers are in the lower half


def test_pictures_are_drawn_as_they_are_and_misclassified_ones_in_a_red_frame():
    pixels, labels = crops("flower", 4), np.array([0, 1, 1, 0], np.int32)
    sample = DigitSample(pixels, labels, np.array([0, 1, 0, 1], np.int32), 4, 2)
    for names in ((), ("cat", "a long name")):
        cells = np.stack(np.split(draw_montage(sample, 1, 3, names), 4))
        enlarged = pixels.repeat(3, axis=1).repeat(3, axis=2)
        np.testing.assert_array_equal(cells[:2], enlarged[:2])
        assert (cells[2:, 0, 20] == RED).all()
        np.testing.assert_array_equal(cells[2:, 40:60, 40:60], enlarged[2:, 40:60, 40:60])
    grey = sample._replace(pixels=pixels[..., 0])
    as_ink, as_photo = draw_montage(grey, 4), draw_montage(grey, 4, class_names=("cat", "dog"))
    np.testing.assert_array_equal(255 - as_ink[:, :64], as_photo[:, :64])


def test_names_that_are_too_wide_to_stand_side_by_side_do_not_overlap():
    black = np.zeros((1, 32, 32, 3), np.uint8)
    sample = DigitSample(black, np.array([0], np.int32), np.array([1], np.int32), 1, 1)
    narrow, wide = (
        draw_montage(sample, 1, 3, names) for names in (("a", "b"), ("quite long", "also long"))
    )
    upper = np.s_[6:20, 6:-9]
    assert not narrow[upper].any()
    assert wide[upper].any()


@pytest.mark.parametrize("shape", [(1, 28), (28, 1), (1, 1)])
@pytest.mark.parametrize("zoom", [1, 3])
def test_misclassified_images_without_room_for_numbers_are_red(shape, zoom):
    numbers = np.arange(2, dtype=np.int32)
    sample = DigitSample(np.zeros((2, *shape), np.uint8), numbers, np.zeros_like(numbers), 2, 1)
    correct, wrong = np.split(draw_montage(sample, 1, zoom), 2)
    assert (correct == 255).all()
    assert (wrong == RED).all()


def test_every_panel_appears_in_the_file(picture, data):
    """Curves and bands have coloured pixels; digits have as much red as there are mistakes."""
    drawn = read_pixels(picture.output)
    assert drawn.shape == (900, 1600, 3)

    def crop(number):
        box = picture.panels[number].axes.bbox
        return drawn[900 - int(box.y1) : 900 - int(box.y0), int(box.x0) : int(box.x1)]

    for number, sample, zoom in ((3, data.batch, 2), (6, data.tested, 1)):
        height, width, _ = picture.panels[number].image.pixels.shape
        cells = height * width / (28 * zoom) ** 2
        share = is_reddish(crop(number)).mean() / (sample.wrong.sum() / cells)
        assert 0.4 < share < 1.0, number  # the ink is not red
    for number in (1, 2, 4, 5):
        part = crop(number)
        is_coloured = part.max(axis=-1) - part.min(axis=-1) > 60
        assert is_coloured.sum() > 100, number


def test_the_red_of_the_test_digits_ends_at_the_accuracy_on_the_scale(picture, data):
    panel, sample = picture.panels[6], data.tested
    predictions = np.where(np.arange(1000) < 500, sample.labels + 1, sample.labels)
    sample = sample._replace(predictions=predictions.astype(np.int32), mistakes=500)
    panel.show([data._replace(tested=sample)])
    height = panel.image.pixels.shape[0]
    texts = [label.get_text() for label in panel.axes.get_yticklabels()]
    marks = dict(zip(texts, panel.axes.get_yticks(), strict=True))
    assert marks["100%"] == 0
    at_95 = (marks["94%"] + marks["96%"]) / 2
    red_end = (panel.image.pixels[:, 0] == RED).all(axis=-1).nonzero()[0].max() + 1
    assert abs(at_95 - red_end) <= 28  # within a row of digits
    assert 0 < at_95 < height


def test_selected_panels_fill_the_figure(picture):
    assert visible(picture) == list(ALL_PANELS)
    width_among_six = picture.panels[3].axes.bbox.width
    picture.panels.select((3,))
    assert visible(picture) == [3]
    assert picture.panels[3].axes.bbox.height > 700 > width_among_six
    picture.panels.select((3, 6))
    assert visible(picture) == [3, 6]
    assert picture.panels[3].axes.bbox.y0 > picture.panels[6].axes.bbox.y1


def test_several_runs_share_the_panels_that_can_compare_them(picture, run, tmp_path, mnist):
    other = train(RECIPE.override(seed=1), mnist, tmp_path / "other", log_every=40)
    picture.show([read_run_data(each.directory) for each in (run, other)])
    assert visible(picture) == list(COMPARABLE)
    curves = picture.panels[1]
    for (training, test), each in zip(curves.artists, (run, other), strict=True):
        assert list(training.get_ydata()) == [row.accuracy for row in each.history]
        assert training.get_color() == test.get_color()
    colors = {to_rgb(test.get_color()) for _, test in curves.artists}
    assert len(colors) == 2
    legend = [text.get_text() for text in curves.axes.get_legend().get_texts()]
    assert [str(each.directory) in line for each, line in zip((run, other), legend, strict=True)]


def test_a_zoomed_panel_keeps_its_view_until_the_user_zooms_out(picture, data):
    panel = picture.panels[1]
    whole = panel.axes.get_xlim(), panel.axes.get_ylim()
    panel.axes.set(xlim=(10, 20), ylim=(0.3, 0.4))
    shorter = data._replace(history=data.history[:4])
    picture.show([shorter])
    assert panel.axes.get_xlim() == (10, 20)
    panel.axes.set(xlim=whole[0], ylim=whole[1])
    picture.show([shorter])
    assert panel.axes.get_xlim() == (0, 60)


def test_a_run_that_has_just_begun_can_be_drawn(tmp_path, data):
    drawn = Picture(tmp_path / "empty.png")
    drawn.show([data._replace(history=[], test=[], percentiles=[], batch=None, tested=None)])
    drawn.show([data._replace(history=data.history[:1], percentiles=[])])
    assert read_pixels(tmp_path / "empty.png").shape == (900, 1600, 3)


def test_a_gif_has_a_frame_for_every_update(tmp_path, data):
    film = Gif(tmp_path / "run.gif")
    for count in range(1, 4):
        film.show([data._replace(history=data.history[:count])])
    film.finish()
    with Image.open(tmp_path / "run.gif") as frames:
        assert frames.n_frames == 3
        assert frames.size == (960, 540)
        frames.seek(2)
        assert frames.info["duration"] == 2000


def test_a_saved_sample_of_digits_is_loaded_unchanged(tmp_path, mnist):
    labels = mnist.test.sparse_labels[:50].astype(np.int32)
    predictions = np.where(np.arange(50) % 5 == 4, (labels + 1) % 10, labels).astype(np.int32)
    sample = select_sample(mnist.test.pixels[:50], labels, predictions, 20)
    assert sample.wrong.tolist() == [True] * 10 + [False] * 10
    assert (sample.evaluated, sample.mistakes) == (50, 10)
    save_sample(tmp_path / "digits.npz", sample)
    loaded = load_sample(tmp_path / "digits.npz")
    for one, other in zip(sample, loaded, strict=True):
        assert np.array_equal(one, other)
    assert load_sample(tmp_path / "missing.npz") is None


@pytest.mark.parametrize(
    "change",
    [
        {"pixels": np.zeros((3, 28, 28), np.float32)},
        {"pixels": np.zeros((2, 28, 28), np.uint8)},
        {"pixels": np.zeros((3, 0, 28), np.uint8)},
        {"labels": np.zeros(3, np.int64)},
        {"labels": np.array([None] * 3)},
        {"guesses": np.ones(3, np.int32)},
        {"mistakes": 4},
        {"judged": 2},
    ],
    ids=[
        "pixels are floats",
        "too few pixels",
        "pixels are empty",
        "labels are int64",
        "labels are pickled",
        "more wrong than mistakes",
        "more mistakes than digits",
        "fewer digits than labels",
    ],
)
def test_an_inconsistent_sample_of_digits_is_refused(tmp_path, change):
    path = tmp_path / "digits.npz"
    zeros = np.zeros(3, np.int32)
    valid = {
        "pixels": np.zeros((3, 28, 28), np.uint8),
        "labels": zeros,
        "guesses": zeros,
        "judged": 3,
        "mistakes": 0,
    }
    np.savez(path, **valid)
    assert load_sample(path).evaluated == 3
    np.savez(path, **{**valid, **change})
    with pytest.raises(MnistGraphError, match="damaged"):
        load_sample(path)


def test_plot_draws_one_run_or_several(tmp_path, run):
    outcome = run_main(tmp_path, "--plot", run.directory)
    assert outcome.code == 0
    assert outcome.err == f"mnist-graph: panels drawn in {run.directory / 'panels.png'}\n"
    assert is_reddish(read_pixels(run.directory / "panels.png")).sum() > 1000
    outcome = run_main(tmp_path, "--plot", run.directory, run.directory, "--watch", "two.pdf")
    assert (outcome.code, outcome.out) == (0, "")
    assert (tmp_path / "two.pdf").read_bytes().startswith(b"%PDF")


def test_plot_refuses_folders_without_a_run_damaged_runs_and_bad_files(tmp_path, mnist):
    assert_refused(run_main(tmp_path, "--plot", tmp_path), 1, "is not a run directory")
    train(RECIPE.override(iterations=2), mnist, tmp_path / "run")
    flip(tmp_path / "run" / "test.npz")
    assert_refused(run_main(tmp_path, "--plot", "run"), 1, "run/test.npz is damaged")
    assert_refused(run_main(tmp_path, "--plot", "run", "--watch", "a.gif"), 2, ".png, .jpg")
    assert_refused(run_main(tmp_path, "--plot", "run", "--watch", "no/a.png"), 2, "no/a.png")
