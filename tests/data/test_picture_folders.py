"""A folder with one subfolder of pictures for each class."""

import os
import warnings

import numpy as np
import pytest
from photos import crop, write_photos
from PIL import Image

from mnist_graph import MnistGraphError, read_data_sets
from mnist_graph.data.formats import pictures
from mnist_graph.errors import MnistGraphWarning, UsageError

PARTS = ("train", "validation", "test")


def read(folder, **more):
    return read_data_sets(folder, or_bundled=False, **more)


def contents(data):
    """The pictures of each part, as sets of bytes with their labels."""
    return [
        {(image.tobytes(), int(label)) for image, label in zip(p.pixels, p.labels, strict=True)}
        for p in (data.train, data.validation, data.test)
    ]


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    return write_photos(tmp_path_factory.mktemp("photos"), 60)


def test_every_picture_is_in_one_part_with_its_class(photos):
    data = read(photos)
    assert data.class_names == ("china", "flower")
    assert data.image_shape == (32, 32, 3)
    expected = {
        (np.asarray(crop(name, seed)).tobytes(), label)
        for label, name in enumerate(("china", "flower"))
        for seed in range(60)
    }
    train, validation, test = contents(data)
    assert train | validation | test == expected
    assert len(train) + len(validation) + len(test) == 120
    assert 5 <= len(validation) <= 25
    assert 8 <= len(test) <= 32
    for part in (data.train, data.test):
        assert set(part.labels) == {0, 1}
        assert len(set(part.labels[:20])) == 2  # not one class after the other


def test_without_validation_its_pictures_are_trained_on(photos):
    with_some, none = read(photos), read(photos, validation_size=0)
    assert none.validation.num_examples == 0
    train, validation, test = contents(with_some)
    assert contents(none) == [train | validation, set(), test]
    assert none.sha256 == with_some.sha256


def test_adding_pictures_moves_none(photos, tmp_path):
    before = contents(read(write_photos(tmp_path, 60)))
    for seed in range(100, 120):
        crop("china", seed).save(tmp_path / "china" / f"0-{seed}.png")
    after = contents(read(tmp_path))
    assert all(one < other or one == other for one, other in zip(before, after, strict=True))
    assert before != after


def test_names_and_place_of_pictures_do_not_matter(photos, tmp_path):
    for name in ("china", "flower"):
        (tmp_path / name).mkdir()
        for number, path in enumerate(sorted((photos / name).iterdir(), reverse=True)):
            (tmp_path / name / f"{number}.png").write_bytes(path.read_bytes())
    one, other = read(photos), read(tmp_path)
    assert one.sha256 == other.sha256
    np.testing.assert_array_equal(one.train.pixels, other.train.pixels)


def test_other_pictures_and_other_forms_are_other_data(photos, tmp_path):
    write_photos(tmp_path, 60)
    crop("china", 99).save(tmp_path / "china" / "0.png")
    found = [read(photos), read(tmp_path), read(photos, colour=False)]
    found.append(read(photos, image_size=(16, 20)))
    assert len({data.sha256["pictures"] for data in found}) == 4
    assert [data.image_shape for data in found[2:]] == [(32, 32), (16, 20, 3)]


@pytest.mark.parametrize(
    "folders",
    [
        {"train": "train", "test": "test"},
        {"train": "Training", "test": "testing", "validation": "val"},
        {"train": "train", "validation": "valid"},
    ],
)
def test_folders_divide_the_pictures(tmp_path, folders):
    write_photos(tmp_path / folders["train"], 40)
    for number, part in enumerate(("validation", "test"), start=1):
        if part in folders:
            for name in ("china", "flower"):
                (tmp_path / folders[part] / name).mkdir(parents=True)
                for seed in range(100 * number, 100 * number + 9):
                    crop(name, seed).save(tmp_path / folders[part] / name / f"{seed}.bmp")
    data = read(tmp_path)
    counts = dict(zip(PARTS, map(len, contents(data)), strict=True))
    for part in ("validation", "test"):
        if part in folders:
            assert counts[part] == 18
        else:
            assert 1 <= counts[part] <= 30
    given = sum(18 for part in folders if part != "train")
    assert sum(counts.values()) == 80 + given
    assert read(tmp_path, validation_size=0).test.num_examples == counts["test"]


def test_numbers_are_classes_without_names_and_in_their_order(tmp_path):
    write_photos(tmp_path, 30, tuple(map(str, range(11))))
    data = read(tmp_path)
    assert (data.classes, data.class_names) == (11, ())
    (tmp_path / "3").rename(tmp_path / "12")
    assert read(tmp_path).class_names == ("0", "1", "2", *map(str, range(4, 11)), "12")


def test_pictures_get_the_commonest_size_and_colour_where_there_is_colour(tmp_path):
    write_photos(tmp_path, 20, size=24, mode="L")
    Image.new("RGBA", (50, 40), (0, 0, 0, 0)).save(tmp_path / "china" / "transparent.png")
    Image.new("I;16", (9, 9), 65535).save(tmp_path / "china" / "deep.tif")
    crop("flower", 7).convert("L").convert("RGB").save(tmp_path / "flower" / "grey.jpg")
    data = read(tmp_path, validation_size=0)
    assert data.image_shape == (24, 24)  # one is RGB, but without colour
    everything = np.concatenate([data.train.pixels, data.test.pixels])
    assert (everything == 255).all(axis=(1, 2)).sum() == 2
    crop("flower", 8).save(tmp_path / "flower" / "colour.webp")
    assert read(tmp_path).image_shape == (24, 24, 3)


def test_a_photo_is_turned_upright(tmp_path):
    write_photos(tmp_path, 20)
    upright = crop("china", 300, size=32)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    turned = upright.transpose(Image.Transpose.ROTATE_90)
    turned.save(tmp_path / "china" / "turned.png", exif=exif)
    wanted = np.asarray(upright).tobytes()
    assert any((wanted, 0) in part for part in contents(read(tmp_path)))


def write_nothing(folder):
    (folder / "cat").mkdir(parents=True)
    (folder / "dog").mkdir()


def with_photos(change):
    def make(folder):
        write_photos(folder, 30)
        change(folder)

    return make


def without_test(folder):
    for number, name in enumerate(("china", "flower")):
        (folder / name).mkdir()
        Image.new("L", (8, 8), number).save(folder / name / "1.png")


def only_train_is_missing(folder):
    write_photos(folder / "test", 5)


def class_in_test_alone(folder):
    write_photos(folder / "train", 5)
    write_photos(folder / "test", 5, ("china", "boat"))


def one_large(folder):
    for name in ("china", "flower"):
        (folder / name).mkdir()
        Image.new("L", (400, 300)).save(folder / name / "1.png")


def many_corrupt(folder):
    for number in range(3):
        (folder / "china" / f"{number}.png").write_bytes(b"no picture")


BAD_FOLDERS = {
    "no pictures": (write_nothing, "has none of the four IDX files"),
    "an empty class": (
        with_photos(lambda folder: (folder / "boat").mkdir()),
        "class boat has no pictures; add some or remove its folder",
    ),
    "one class": (
        lambda folder: write_photos(folder, 9, ("china",)),
        "has only one class, china; there is nothing to learn",
    ),
    "classes by case": (
        lambda folder: write_photos(folder, 9, ("Cat", "cat", "dog")),
        "two classes whose names differ by case alone: Cat and cat",
    ),
    "a link that leaves": (
        with_photos(lambda folder: (folder / "china" / "a.png").symlink_to("/etc/hostname")),
        "a.png is a link that leaves",
    ),
    "a class that leaves": (
        with_photos(lambda folder: (folder / "boat").symlink_to("/etc")),
        "boat is a link that leaves",
    ),
    "corrupt files": (
        with_photos(many_corrupt),
        r"^3 of 60 pictures in .* cannot be read \(china/0.png, china/1.png, china/2.png\); that "
        "is more than 1%",
    ),
    "no test": (without_test, "no picture is left to t"),
    "no train": (only_train_is_missing, "has a folder test, but none called train"),
    "a class in test alone": (class_in_test_alone, "test has a class boat, and train has none"),
    "large pictures": (one_large, "images of 300x400 are too large; .* such as --image-size 64x64"),
}


@pytest.mark.parametrize("name", BAD_FOLDERS)
def test_bad_folders_are_refused_in_one_line(tmp_path, name):
    make, said = BAD_FOLDERS[name]
    make(tmp_path)
    cache = tmp_path.parent / f"{tmp_path.name}-cache"
    with pytest.raises(MnistGraphError, match=said) as refused:
        read(tmp_path, cache_dir=cache)
    assert "\n" not in str(refused.value)
    assert not cache.exists() or list(cache.iterdir()) == []


def test_links_within_the_folder_hidden_files_and_texts_are_no_trouble(photos, tmp_path):
    write_photos(tmp_path, 30)
    count = read(tmp_path, validation_size=0).train.num_examples
    (tmp_path / "china" / "again.png").symlink_to(tmp_path / "china" / "0.png")
    (tmp_path / "china" / ".hidden.png").write_bytes(b"")
    (tmp_path / "flower" / "labels.txt").write_text("none")
    (tmp_path / ".git").mkdir()
    (tmp_path / "readme.txt").write_text("none")
    data = read(tmp_path, validation_size=0)
    assert data.train.num_examples + data.test.num_examples == 61
    assert data.train.num_examples >= count


def test_few_corrupt_files_are_named_and_left_out(tmp_path):
    write_photos(tmp_path, 100)
    whole = (tmp_path / "flower" / "1.png").read_bytes()
    (tmp_path / "flower" / "cut.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "flower" / "text.jpg").write_text("no picture")
    for _ in range(2):  # decoded, and from the cache
        said = r"2 of 202 pictures in .* cannot be read \(flower/cut.png, flower/text.jpg\)"
        with pytest.warns(MnistGraphWarning, match=said):
            data = read(tmp_path, validation_size=0, cache_dir=tmp_path / ".cache")
        assert data.train.num_examples + data.test.num_examples == 200


def test_what_was_decoded_is_read_from_the_cache(photos, tmp_path, monkeypatch):
    cache = tmp_path / "runs" / "cache"
    plain, first = read(photos), read(photos, cache_dir=cache)
    (folder,) = cache.iterdir()
    assert sorted(os.listdir(folder)) == ["about.json", "labels.npy", "pixels.npy"]
    monkeypatch.setattr(pictures, "decode", None)
    second = read(photos, cache_dir=cache)
    for data in (first, second):
        assert data.sha256 == plain.sha256
        for one, other in zip(plain[:3], data[:3], strict=True):
            np.testing.assert_array_equal(one.pixels, other.pixels)
            np.testing.assert_array_equal(one.labels, other.labels)


@pytest.mark.parametrize("name", ["about.json", "labels.npy", "pixels.npy"])
def test_a_damaged_cache_is_made_anew(photos, tmp_path, name):
    expected = contents(read(photos, cache_dir=tmp_path))
    (path,) = tmp_path.glob(f"*/{name}")
    path.write_bytes(path.read_bytes()[:40])
    assert contents(read(photos, cache_dir=tmp_path)) == expected
    assert path.stat().st_size > 40
    assert len(list(tmp_path.iterdir())) == 1


def test_what_killed_processes_have_left_is_removed_after_a_day(photos, tmp_path):
    new, old = tmp_path / ".unfinished-new", tmp_path / ".unfinished-old"
    for path in (new, old):
        path.mkdir()
    os.utime(old, (0, 0))
    read(photos, cache_dir=tmp_path)
    assert new.exists()
    assert not old.exists()


def test_changed_pictures_are_decoded_again(tmp_path):
    write_photos(tmp_path / "photos", 30)
    cache = tmp_path / "cache"
    before = read(tmp_path / "photos", cache_dir=cache)
    crop("china", 77).save(tmp_path / "photos" / "china" / "0.png")
    after = read(tmp_path / "photos", cache_dir=cache)
    assert after.sha256 != before.sha256
    assert len(list(cache.iterdir())) == 2


def test_grey_pictures_in_colour_files_are_cached_in_grey(tmp_path):
    for name in ("china", "flower"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for seed in range(20):
            picture = crop(name, seed).convert("L").convert("RGB")
            picture.save(tmp_path / "photos" / name / f"{seed}.png")
    for _ in range(2):
        data = read(tmp_path / "photos", cache_dir=tmp_path / "cache")
        assert data.image_shape == (32, 32)
    assert len(list(tmp_path.glob("cache/*/*"))) == 3


def test_a_cache_that_cannot_be_written_is_an_error(photos, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(MnistGraphError, match=r"^cannot write to .*file/cache: "):
        read(photos, cache_dir=tmp_path / "file" / "cache")


def test_progress_reaches_the_end(photos):
    told = []
    read(photos, progress=lambda done, total: told.append((done, total)))
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert {total for _, total in told} == {120}
    assert told[-1] == (120, 120)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"image_size": 32}, "image_size must be .height, width., not 32"),
        ({"image_size": (0, 8)}, "image_size must be at least 1, not 0"),
        ({"colour": "yes"}, "colour must be true, false or none, not 'yes'"),
    ],
)
def test_arguments_are_checked(photos, arguments, said):
    with pytest.raises(UsageError, match=said):
        read(photos, **arguments)


def test_a_form_without_pictures_is_refused():
    with pytest.raises(UsageError, match="image_size and colour are for a folder of pictures"):
        read_data_sets(colour=False)


def test_nothing_is_warned_of_good_pictures(photos):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read(photos)
