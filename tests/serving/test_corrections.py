"""Corrections: saved, listed, deleted and downloaded."""

import io
import zipfile

import numpy as np
import pytest
from PIL import Image
from servers import OWN

from mnist_graph.errors import MnistGraphError
from mnist_graph.reading.boxes import Box
from mnist_graph.serving import corrections as module
from mnist_graph.serving.bodies import RefusedError
from mnist_graph.serving.corrections import MAX_SIDE, Corrections

PATH = "/api/corrections"
BOX = Box(40, 30, 60, 70)
QUERY = {"label": "7", "read": "2", "box": "40,30,60,70"}


def make_png(width=200, height=100):
    """The file of a white picture with a black rectangle in BOX."""
    pixels = np.full((height, width), 255, np.uint8)
    pixels[BOX.inside] = 0
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def corrections(corrections_folder):
    return Corrections(corrections_folder)


@pytest.fixture
def save(ask):
    """A function that posts a correction: what differs from QUERY, the body and headers."""

    def post(content=None, headers=OWN, **query):
        body = make_png() if content is None else content
        return ask("POST", PATH, params={**QUERY, **query}, content=body, headers=headers)

    return post


def test_the_folder_is_created_with_the_first(corrections, corrections_folder):
    assert corrections.find_all() == []
    assert not corrections_folder.exists()
    saved = corrections.add(make_png(), BOX, 7, 2)
    assert [path.parent for path in corrections_folder.rglob("*.png")] == [corrections_folder / "7"]
    assert corrections.find_all() == [saved]


def test_the_digit_is_cut_out_with_a_margin(corrections):
    saved = corrections.add(make_png(), BOX, 7, 2)
    with Image.open(saved.path) as image:
        assert (image.format, image.mode, image.size) == ("PNG", "L", (20 + 2 * 8, 40 + 2 * 8))
        pixels = np.asarray(image)
    assert not pixels[8:-8, 8:-8].any()
    assert (pixels == 0).sum() == BOX.width * BOX.height


def test_a_box_over_the_edge_is_cut(corrections):
    saved = corrections.add(make_png(), Box(-50, -50, 1000, 1000), 7, 2)
    with Image.open(saved.path) as image:
        assert image.size == (200, 100)


def test_a_large_digit_is_scaled_down(corrections):
    saved = corrections.add(make_png(2000, 1000), Box(0, 0, 2000, 1000), 7, 2)
    with Image.open(saved.path) as image:
        assert image.size == (MAX_SIDE, MAX_SIDE // 2)


def test_the_newest_is_first(corrections):
    saved = [corrections.add(make_png(), BOX, label, 2) for label in (7, 1, 9)]
    assert corrections.find_all() == saved[::-1]


def test_a_digit_that_is_moved_to_another_folder_changes_its_class(corrections):
    saved = corrections.add(make_png(), BOX, 7, 2)
    target = corrections.folder / "1" / saved.path.name
    target.parent.mkdir()
    saved.path.rename(target)
    assert [(each.label, each.read) for each in corrections.find_all()] == [(1, 2)]


def test_other_files_and_links_are_left_alone(corrections, tmp_path):
    saved = corrections.add(make_png(), BOX, 7, 2)
    name = saved.path.name
    secret = tmp_path / "secret.png"
    secret.write_bytes(make_png())
    (saved.path.parent / name.replace("read-2", "read-3")).symlink_to(secret)
    (saved.path.parent / name.replace("T", "T99", 1)).write_bytes(b"")
    (saved.path.parent / f"20269999T{name[9:]}").write_bytes(b"")
    (saved.path.parent / "note.txt").write_text("mine")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / name).write_bytes(make_png())
    (corrections.folder / "8").symlink_to(elsewhere)
    assert corrections.find_all() == [saved]
    with pytest.raises(RefusedError, match="is a link"):
        corrections.add(make_png(), BOX, 8, 2)
    with pytest.raises(RefusedError, match="no such correction"):
        corrections.read(f"8-{saved.path.stem}")
    assert len(list(elsewhere.iterdir())) == 1


def test_a_damaged_file_is_not_sent_whole(corrections):
    saved = corrections.add(make_png(), BOX, 7, 2)
    saved.path.write_bytes(bytes(module.MAX_BYTES + 1))
    with pytest.raises(MnistGraphError, match="too large"):
        corrections.read(saved.id)
    archive = zipfile.ZipFile(io.BytesIO(b"".join(corrections.zip())))
    assert archive.namelist() == []


def test_nothing_is_left_of_a_failed_write(corrections, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    picture = make_png()
    monkeypatch.setattr(Image.Image, "save", fail)
    with pytest.raises(RefusedError, match="No space left on device"):
        corrections.add(picture, BOX, 7, 2)
    assert list((corrections.folder / "7").iterdir()) == []


def test_saved_listed_shown_and_deleted(ask, save, corrections_folder):
    assert ask("GET", PATH).json() == {"corrections": []}
    answer = save()
    assert answer.status_code == 201
    saved = answer.json()
    assert (saved["label"], saved["read"]) == (7, 2)
    assert saved["time"].endswith("+00:00")
    assert ask("GET", PATH).json() == {"corrections": [saved]}
    shown = ask("GET", f"{PATH}/{saved['id']}.png")
    assert shown.headers["content-type"] == "image/png"
    (file,) = corrections_folder.rglob("*.png")
    assert shown.content == file.read_bytes()
    assert ask("DELETE", f"{PATH}/{saved['id']}", headers=OWN).json() == saved
    assert ask("GET", PATH).json() == {"corrections": []}
    assert not file.exists()
    assert ask("DELETE", f"{PATH}/{saved['id']}", headers=OWN).status_code == 404


def test_a_zip_of_folders_by_class(ask, save, corrections_folder):
    for label in "779":
        save(label=label)
    answer = ask("GET", f"{PATH}.zip")
    assert answer.headers["content-type"] == "application/zip"
    assert "corrections.zip" in answer.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        found = {name: archive.read(name) for name in archive.namelist()}
    files = corrections_folder.rglob("*.png")
    assert found == {f"{file.parent.name}/{file.name}": file.read_bytes() for file in files}
    assert sorted(name[:2] for name in found) == ["7/", "7/", "9/"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"label": "10"}, "label must be a digit"),
        ({"label": "-1"}, "label must be a digit"),
        ({"label": ""}, "label must be a digit"),
        ({"label": "\N{ARABIC-INDIC DIGIT SEVEN}"}, "label must be a digit"),
        ({"label": "../7"}, "label must be a digit"),
        ({"read": "x"}, "read must be a digit"),
        ({"read": "7"}, "no correction"),
        ({"box": ""}, "left,top,right,bottom"),
        ({"box": "1,2,3"}, "left,top,right,bottom"),
        ({"box": "1,2,3,4,5"}, "left,top,right,bottom"),
        ({"box": "a,b,c,d"}, "left,top,right,bottom"),
        ({"box": "nan,0,10,10"}, "left,top,right,bottom"),
        ({"box": "0,0,inf,10"}, "left,top,right,bottom"),
        ({"box": "9" * 10_000}, "left,top,right,bottom"),
        ({"box": "10,10,10,20"}, "left < right"),
        ({"box": "20,20,10,10"}, "left < right"),
        ({"box": "200,0,210,10"}, "outside of the picture"),
        ({"box": "-20,0,0,10"}, "outside of the picture"),
        ({"box": "1e300,0,1e301,10"}, "outside of the picture"),
    ],
)
def test_wrong_queries(save, corrections_folder, query, said):
    answer = save(**query)
    assert answer.status_code == 400
    assert said in answer.json()["error"]
    assert not corrections_folder.exists()


@pytest.mark.parametrize("content", [b"", b"no picture", make_png()[:50]])
def test_what_is_no_picture(save, corrections_folder, content):
    answer = save(content)
    assert answer.status_code == 400
    assert "\n" not in answer.json()["error"]
    assert not corrections_folder.exists()


def test_a_form_of_another_page(ask, save, corrections_folder):
    assert save(headers={}).status_code == 403
    assert not corrections_folder.exists()
    saved = save().json()
    assert ask("DELETE", f"{PATH}/{saved['id']}").status_code == 403
    assert ask("GET", PATH).json() == {"corrections": [saved]}


@pytest.mark.parametrize(
    "id_",
    ["..", "../secret", "..%2Fsecret", "%2e%2e%2fsecret", "7-", "7", "7/x", "7-*", "x" * 10_000],
)
def test_ids_that_are_none(ask, save, tmp_path, id_):
    secret = tmp_path / "secret.png"
    secret.write_bytes(b"secret")
    save()
    assert ask("GET", f"{PATH}/{id_}.png").status_code == 404
    assert ask("DELETE", f"{PATH}/{id_}", headers=OWN).status_code in (404, 405)
    assert secret.exists()
    assert len(ask("GET", PATH).json()["corrections"]) == 1


def test_too_many(ask, save, monkeypatch):
    monkeypatch.setattr(module, "MAX_CORRECTIONS", 2)
    saved = [save() for _ in range(3)]
    assert [answer.status_code for answer in saved] == [201, 201, 507]
    assert "there are 2 corrections" in saved[-1].json()["error"]
    ask("DELETE", f"{PATH}/{saved[0].json()['id']}", headers=OWN)
    assert save().status_code == 201


@pytest.mark.parametrize("name", ["corrections", "corrections/7"])
def test_a_file_in_place_of_the_folder(ask, save, tmp_path, name):
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_text("mine")
    answer = save()
    assert answer.status_code == 507
    assert answer.json()["error"].startswith("cannot write to ")
    assert ask("GET", PATH).json() == {"corrections": []}
    assert ask("GET", f"{PATH}.zip").status_code == 200
    assert file.read_text() == "mine"
