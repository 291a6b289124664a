"""MNIST, and other labelled images, as TensorFlow 1's tutorials read it.

Images stay uint8 in memory, as in the files, and are scaled one batch at a time.
"""

import math
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mnist_graph.data.arguments import checked_path, require, whole_number, wrong_type
from mnist_graph.data.formats.examples import MAX_CLASSES, Examples, Form, Progress, check_examples
from mnist_graph.data.formats.find import find_reader, require_reader
from mnist_graph.data.formats.idx_files import FILES, find_files, read_files
from mnist_graph.data.scaling import scale
from mnist_graph.data.shapes import ImageShape, are_whole, frame_shape
from mnist_graph.errors import MnistGraphError, UsageError

BUNDLED = Path(__file__).parent / "mnist"

BUNDLED_SHA256 = dict(
    zip(
        FILES,
        (
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ),
        strict=True,
    )
)
"""SHA-256 of the uncompressed files of the original distribution."""

REINSTALL = "install the package again"


@lru_cache(maxsize=4)
def epoch_order(num_examples: int, seed: int, epoch: int) -> np.ndarray:
    """Return the order in which `epoch` visits the examples: an int64 permutation
    [num_examples], read-only.
    """
    order = np.random.default_rng((seed, epoch)).permutation(num_examples)
    order.flags.writeable = False  # callers share the cached array
    return order


def batch_indices(num_examples: int, batch_size: int, seed: int, iteration: int) -> np.ndarray:
    """Return the examples of batch `iteration`: int64 [batch_size], a pure function.

    Epochs follow each other without a gap: a batch that crosses from one to the next takes
    the rest of the old epoch and the start of the new one. Raises UsageError if there are no
    examples, or for a `batch_size` below 1.
    """
    _require_examples(num_examples)
    batch_size = whole_number("batch_size", batch_size, 1)
    position = iteration * batch_size
    pieces = []
    missing = batch_size
    while missing:
        epoch, start = divmod(position, num_examples)
        piece = epoch_order(num_examples, seed, epoch)[start : start + missing]
        pieces.append(piece)
        position += len(piece)
        missing -= len(piece)
    return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)


class DataSet:
    """Images with their labels, and an endless supply of batches of them.

    `pixels` is uint8 [n, height, width], or [n, height, width, 3] in colour, `sparse_labels` is
    uint8 [n] (uint16 for more than 256 classes), and `classes` is the number of classes. The
    tutorials' `images`, `labels` and `next_batch` are made from them in the form that
    `read_data_sets` was given. There may be no examples at all (n = 0).
    """

    def __init__(
        self,
        pixels: np.ndarray,
        labels: np.ndarray,
        classes: int,
        one_hot: bool = False,
        dtype: Any = np.float32,
        reshape: bool = True,
        seed: int | None = None,
    ) -> None:
        self.pixels = pixels
        self.sparse_labels = labels
        self.classes = classes
        self._one_hot = one_hot
        self._dtype = image_dtype(dtype)
        shape = pixels.shape[1:]
        self._image_shape: ImageShape = (math.prod(shape),) if reshape else frame_shape(shape)
        entropy = np.random.SeedSequence().entropy if seed is None else seed
        self._seed = whole_number("seed", entropy, 0)
        self._images: np.ndarray | None = None
        self._labels: np.ndarray | None = None
        self._order: np.ndarray | None = None
        self._position = 0
        self._epochs_completed = 0

    @property
    def num_examples(self) -> int:
        return len(self.pixels)

    @property
    def epochs_completed(self) -> int:
        return self._epochs_completed

    @property
    def images(self) -> np.ndarray:
        """All images: float32 in [0, 1] (or uint8 in 0..255), [n, height * width * channels], or
        [n, height, width, channels] with reshape=False.

        They are made at the first access and kept: MNIST's training images take 172 MB. From
        then on `next_batch` takes its images from them, changed or not; `pixels` stays as it is.
        """
        if self._images is None:
            self._images = self._convert_pixels(slice(None))
        return self._images

    @property
    def labels(self) -> np.ndarray:
        """All labels: uint8 [n], or float64 [n, classes] with one_hot=True. They are made and
        kept as `images` are.
        """
        if self._labels is None:
            self._labels = self._convert_labels(self.sparse_labels)
        return self._labels

    def next_batch(
        self, batch_size: int, fake_data: bool = False, shuffle: bool = True
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the next `batch_size` images and labels, in the form of `images` and `labels`.

        Each epoch visits every example once, in a new order (or, with shuffle=False, in the
        order of the epoch before). A batch may take the rest of one epoch and the start of
        the next. With fake_data=True every pixel is 1 and every label is class 0. Raises
        UsageError if there are no examples, or for a `batch_size` below 1.
        """
        batch_size = whole_number("batch_size", batch_size, 1)
        if fake_data:
            labels = self._convert_labels(np.zeros(batch_size, np.uint8))
            return np.ones((batch_size, *self._image_shape), self._dtype), labels
        _require_examples(self.num_examples)
        batch = self._next_indices(batch_size, shuffle)
        images = self._convert_pixels(batch) if self._images is None else self._images[batch]
        if self._labels is None:
            return images, self._convert_labels(self.sparse_labels[batch])
        return images, self._labels[batch]

    def _next_indices(self, count: int, shuffle: bool) -> np.ndarray:
        """Return the next `count` examples: int64 [count]."""
        pieces = []
        while count:
            if self._order is None:
                self._order = self._new_order(shuffle, np.arange(self.num_examples))
            elif self._position == self.num_examples:
                self._epochs_completed += 1
                self._position = 0
                self._order = self._new_order(shuffle, self._order)
            pieces.append(self._order[self._position : self._position + count])
            self._position += len(pieces[-1])
            count -= len(pieces[-1])
        return np.concatenate(pieces)

    def _new_order(self, shuffle: bool, order: np.ndarray) -> np.ndarray:
        if not shuffle:
            return order
        return epoch_order(self.num_examples, self._seed, self._epochs_completed)

    def _convert_pixels(self, indices: np.ndarray | slice) -> np.ndarray:
        pixels = self.pixels[indices]
        # A copy in either case, because the caller may change it.
        images = pixels.copy() if self._dtype == np.uint8 else scale(pixels.astype(np.float32))
        return images.reshape(len(pixels), *self._image_shape)

    def _convert_labels(self, labels: np.ndarray) -> np.ndarray:
        return dense_to_one_hot(labels, self.classes) if self._one_hot else labels.copy()


def dense_to_one_hot(labels_dense: np.ndarray, num_classes: int) -> np.ndarray:
    """Return class numbers [n] as one-hot rows, float64 [n, num_classes].

    Raises UsageError for what is not a whole number from 0 to num_classes - 1.
    """
    num_classes = whole_number("num_classes", num_classes, 1, MAX_CLASSES)
    try:
        labels = np.asarray(labels_dense).ravel()
    except ValueError:  # rows of several lengths
        labels = np.array([np.nan])
    whole = np.issubdtype(labels.dtype, np.integer)
    if len(labels) and not (whole and labels.min() >= 0 and labels.max() < num_classes):
        raise UsageError(f"labels must be whole numbers from 0 to {num_classes - 1}")
    rows = np.zeros((len(labels), num_classes))
    rows[np.arange(len(labels)), labels.astype(np.intp)] = 1
    return rows


def choose_validation(own: int | None, validation_size: int) -> int:
    """Return how many images are set apart: of data that set `own` apart themselves, these or none;
    of others, `validation_size`.
    """
    if own is None:
        return validation_size
    return own if validation_size else 0


class DataSets(NamedTuple):
    """Training, validation and test set, and what a network must know about them."""

    train: DataSet
    validation: DataSet
    test: DataSet
    sha256: dict[str, str]
    """SHA-256 of each of the four files, uncompressed, or of what other data consist of; identifies
    the data wherever it is. {} for fake data.
    """
    class_names: tuple[str, ...] = ()
    """The name of each class; () if their numbers are their names."""
    own_validation: int | None = None
    """How many images the data themselves set apart for validation; a recipe without validation
    trains on them. None: as many as a recipe says.
    """
    originals: DataSet | None = None
    """What a recipe's `mix` is drawn from, if not from MNIST's training digits; `sha256` should
    then identify them too.
    """

    @property
    def is_fake(self) -> bool:
        """Whether this is the fake data of `input_data.read_data_sets`, read from no files."""
        return not self.sha256

    @property
    def image_shape(self) -> ImageShape:
        """Height and width in pixels; in colour, also the number of channels, 3."""
        return self.train.pixels.shape[1:]

    @property
    def classes(self) -> int:
        return self.train.classes

    @property
    def are_whole_pictures(self) -> bool:
        """Whether the images are pictures as a whole; see `shapes.are_whole`."""
        return are_whole(self.image_shape, self.class_names)

    def count_validation(self, validation_size: int) -> int:
        """Return how many images a recipe with this `validation_size` sets apart."""
        return choose_validation(self.own_validation, validation_size)


def read_data_sets(
    train_dir: str | Path | None = None,
    one_hot: bool = False,
    dtype: Any = np.float32,
    reshape: bool = True,
    validation_size: int = 5000,
    seed: int | None = None,
    *,
    image_size: tuple[int, int] | None = None,
    colour: bool | None = None,
    or_bundled: bool = True,
    cache_dir: str | Path | None = None,
    progress: Progress | None = None,
) -> DataSets:
    """Read the data in `train_dir`, as TensorFlow 1's function of this name did.

    They are the four IDX files, mnist.npz as Keras writes it (the file itself too), CIFAR-10 or
    CIFAR-100 (binary version), SVHN's cropped digits (.mat), or one folder of pictures for each
    class. If `train_dir` is None or has none of these, read the bundled MNIST; or, without
    `or_bundled`, raise MnistGraphError.

    The first `validation_size` training images become the validation set; of a folder of pictures,
    a share that the pictures' content decides, unless it is 0. `dtype` is float32 (images in
    [0, 1]) or uint8 (0..255), NumPy's or TensorFlow's. `seed` fixes the order of `next_batch`.
    Classes run from 0 to the highest training label, or are the folders in alphabetical order.

    Pictures are brought to `image_size`, height and width (default: the commonest), and to colour
    or to grey (default: colour if one of them has colour). They are saved in `cache_dir` once they
    have been decoded, and read from there the next time; `progress` is called with how many have
    been, and with the number of all.

    Raises MnistGraphError for files that are missing, damaged or inconsistent, and UsageError for
    arguments that are not supported.
    """
    form = _checked_form(image_size, colour)
    cache = None if cache_dir is None else checked_path("cache_dir", cache_dir)
    place = None if train_dir is None else checked_path("train_dir", train_dir)
    reader = None
    if place is not None:
        reader = find_reader(place) if or_bundled else require_reader(place)
    if reader is None or place is None:
        if form.is_given:
            raise UsageError("image_size and colour are for a folder of pictures; name one")
        place, examples = BUNDLED, _read_bundled()
    else:
        examples = reader(form, cache, progress)
    return _divide(place, examples, validation_size, (one_hot, dtype, reshape, seed))


def read_idx_data_sets(
    train_dir: str | Path | None,
    one_hot: bool,
    dtype: Any,
    reshape: bool,
    validation_size: int,
    seed: int | None,
) -> DataSets:
    """Do the same as `read_data_sets`, but read nothing but IDX files, as old listings expect."""
    paths = find_files(checked_path("train_dir", train_dir)) if train_dir is not None else {}
    examples = read_files(paths) if paths else _read_bundled()
    place = paths[FILES[0]].parent if paths else BUNDLED
    return _divide(place, examples, validation_size, (one_hot, dtype, reshape, seed))


def _checked_form(image_size: Any, colour: Any) -> Form:
    if image_size is not None:
        try:
            height, width = (whole_number("image_size", side, lowest=1) for side in image_size)
        except (TypeError, ValueError):
            raise wrong_type("image_size", "(height, width)", image_size) from None
        image_size = (height, width)
    if colour is not None:
        require("colour", colour, bool, "true, false or none")
    return Form(image_size, colour)


def _read_bundled() -> Examples:
    paths = find_files(BUNDLED)
    if not paths:
        raise MnistGraphError(f"the bundled MNIST is missing from {BUNDLED}; {REINSTALL}")
    examples = read_files(paths)
    for name, path in paths.items():
        if examples.sha256[name] != BUNDLED_SHA256[name]:
            raise MnistGraphError(
                f"{path} is not the bundled file (its SHA-256 differs); {REINSTALL}"
            )
    return examples


def _divide(
    place: Path, examples: Examples, validation_size: int, form: tuple[bool, Any, bool, int | None]
) -> DataSets:
    """Return the data sets, in the `form` that `DataSet` takes last."""
    classes = check_examples(place, examples)
    pixels, labels = examples.train[:2]
    own = examples.own_validation
    most = len(pixels) - 1 if own is None else None
    validation_size = whole_number("validation_size", validation_size, 0, most)
    validation_size = choose_validation(own, validation_size)
    return DataSets(
        train=DataSet(pixels[validation_size:], labels[validation_size:], classes, *form),
        validation=DataSet(pixels[:validation_size], labels[:validation_size], classes, *form),
        test=DataSet(*examples.test[:2], classes, *form),
        sha256=examples.sha256,
        class_names=examples.class_names,
        own_validation=own,
    )


def image_dtype(dtype: Any) -> np.dtype:
    """Return the NumPy equivalent of `dtype`, which may be TensorFlow's. Raises UsageError if it
    is neither float32 nor uint8.
    """
    try:
        chosen = np.dtype(getattr(dtype, "as_numpy_dtype", dtype))
    except (TypeError, ValueError, SyntaxError):
        raise wrong_type("dtype", "float32 or uint8", dtype) from None
    if chosen not in (np.float32, np.uint8):
        raise UsageError(f"dtype must be float32 or uint8, not {chosen}")
    return chosen


def _require_examples(count: int) -> None:
    if count < 1:
        raise UsageError("there is no batch of a data set without examples")
