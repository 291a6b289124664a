"""Pages of real digits, each with something that pages have: what is found on them, and where."""

import io
import itertools

import cv2
import numpy as np
import pytest
from helpers import given_to_the_network
from PIL import Image

from benchmarks.handwriting import _match
from benchmarks.pages import Page, Written, labels_by_row, make_page
from mnist_graph import Digit
from mnist_graph.reading.cuts import Touching, cut_apart
from mnist_graph.reading.page import _spacing, load_ink, read_digits
from mnist_graph.reading.pieces import find_pieces
from mnist_graph.reading.ruling import remove_ruling

HEIGHT = 60
ROWS = [[3, 1, 4], [1, 5, 9, 2], [6, 5]]


def ink_of(image, height=HEIGHT):
    rows, columns = np.nonzero(image > 64)
    cut = image[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    width = max(1, round(cut.shape[1] * height / len(cut)))
    return cv2.resize(cut.astype(np.float32) / 255, (width, height), interpolation=cv2.INTER_CUBIC)


def write(digits, rows=ROWS, spacing=40, leading=110, slope=0.0, height=HEIGHT):
    """The share of ink at each pixel, float32 [h, w], and the digits as `Written`."""
    alpha = np.zeros((120 + leading * len(rows), 560), np.float32)
    there = []
    for row, labels in enumerate(rows):
        x = 50
        for column, label in enumerate(labels):
            ink = np.clip(ink_of(digits[label][row + column], height), 0, 1)
            y = round(50 + row * leading + slope * x)
            place = alpha[y : y + len(ink), x : x + ink.shape[1]]
            np.maximum(place, ink, out=place)
            there.append(Written(row, column, (x, y, x + ink.shape[1], y + len(ink)), label))
            x += ink.shape[1] + spacing
    return alpha, there


def picture(alpha, paper=235.0, ink=40.0):
    paper = np.broadcast_to(np.asarray(paper, np.float32), alpha.shape)
    return Image.fromarray(np.clip(paper * (1 - alpha) + ink * alpha, 0, 255).astype(np.uint8))


def read(image, probability=0.91):
    """What is found, by a judge that takes everything for a digit with that probability."""

    def judge(images):
        shares = np.full((len(images), 10), (1 - probability) / 9, np.float32)
        shares[:, 0] = probability
        return shares

    return read_digits(load_ink(image), (28, 28), judge)


def assert_found(image, there):
    """Every digit, where it is, in its row and column, and nothing else."""
    found = read(image)
    matched = _match(Page(image, there, ""), found)
    assert len(matched) == len(there) == len(found)
    for number, index in matched.items():
        true, digit = there[number], found[index]
        assert (digit.row, digit.column) == (true.row, true.column)
        assert max(abs(np.subtract(digit.box, true.box))) <= 8


def grid(alpha, pitch, across=True, down=False):
    lines = np.zeros(alpha.shape, np.float32)
    if across:
        lines[pitch // 2 :: pitch] = 1
        lines[pitch // 2 + 1 :: pitch] = 1
    if down:
        lines[:, pitch // 3 :: pitch] = 1
    return lines


def light(alpha):
    return np.linspace(255, 120, alpha.shape[1], dtype=np.float32)[np.newaxis]


def shadow(alpha):
    y, x = np.indices(alpha.shape)
    return np.where(x + 0.7 * y > 420, 130.0, 235.0)


def grainy(image, spread=6, quality=60):
    noise = np.random.default_rng(0).normal(0, spread, (image.height, image.width))
    noisy = np.clip(np.asarray(image) + noise, 0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(noisy).save(file, "JPEG", quality=quality)
    return Image.open(io.BytesIO(file.getvalue()))


def turned(image):
    return image.rotate(3, Image.Resampling.BICUBIC, fillcolor=235)


def thin(alpha):
    return cv2.erode(alpha, np.ones((3, 3), np.uint8))


def thick(alpha):
    return cv2.dilate(alpha, np.ones((7, 7), np.uint8))


PAGES = {
    "plain": picture,
    "light on dark": lambda a: picture(a, 30, 230),
    "uneven light": lambda a: picture(a, light(a), 30),
    "a shadow": lambda a: picture(a, shadow(a), 20),
    "grain and JPEG": lambda a: grainy(picture(a)),
    "pencil": lambda a: grainy(picture(a, 225, 150), 3),
    "thin ballpoint": lambda a: grainy(picture(thin(a), 235, 60), 3),
    "thick marker": lambda a: picture(thick(a)),
    "ruled": lambda a: grainy(picture(a, 235 - 50 * grid(a, 80)), 2),
    "squared": lambda a: grainy(picture(a, 235 - 40 * grid(a, 36, True, True)), 2),
    "very small": lambda a: picture(a).resize((280, 225), Image.Resampling.LANCZOS),
    "very large": lambda a: picture(a).resize((5600, 4500), Image.Resampling.BICUBIC),
}


@pytest.mark.parametrize("name", PAGES)
def test_every_digit_is_found_in_its_place(digits, name):
    alpha, there = write(digits)
    image = PAGES[name](alpha)
    factor = image.width / alpha.shape[1]
    found = read(image)
    scaled = [d._replace(box=tuple(side * factor for side in d.box)) for d in there]
    matched = _match(Page(image, scaled, ""), found)
    assert len(matched) == len(there) == len(found)
    for number, index in matched.items():
        true = there[number]
        assert (found[index].row, found[index].column) == (true.row, true.column)


def test_boxes_are_those_of_the_picture(digits):
    alpha, there = write(digits)
    assert_found(picture(alpha), there)


@pytest.mark.parametrize("slope", [-0.08, -0.03, 0.05, 0.1])
def test_rows_may_slope(digits, slope):
    alpha, _ = write(digits, leading=120, slope=max(slope, 0))
    image = picture(alpha)
    if slope < 0:
        alpha, _ = write(digits, leading=120, slope=0.0)
        sheared = np.array([[1, 0, 0], [slope, 1, 45]], np.float32)
        alpha = cv2.warpAffine(alpha, sheared, alpha.shape[::-1])
        image = picture(alpha)
    assert [len(row) for row in labels_by_row(read(image))] == [len(row) for row in ROWS]


def test_a_page_that_is_a_little_turned(digits):
    alpha, _ = write(digits)
    assert [len(row) for row in labels_by_row(read(turned(picture(alpha))))] == [
        len(row) for row in ROWS
    ]


@pytest.mark.parametrize("table", ["smooth and dark", "of wood"])
def test_a_sheet_on_a_table(digits, table):
    alpha, there = write(digits)
    sheet = np.asarray(picture(alpha))
    high, wide = sheet.shape
    random = np.random.default_rng(1)
    ground = np.full((high + 160, wide + 200), 70.0)
    if table == "of wood":
        grain = cv2.GaussianBlur(random.normal(0, 1, (1, wide + 200)), (0, 0), 2)
        ground += 60 * grain / abs(grain).max()
    ground[80 : 80 + high, 100 : 100 + wide] = sheet
    image = grainy(Image.fromarray(ground.astype(np.uint8)), 2, 85)
    moved = [d._replace(box=tuple(np.add(d.box, (100, 80, 100, 80)).tolist())) for d in there]
    assert_found(image, moved)


def test_what_the_edge_of_the_picture_cuts_off_is_no_digit(digits):
    alpha, there = write(digits)
    below, beside, near = alpha.copy(), alpha.copy(), alpha.copy()
    for x in range(20, 540, 37):  # the grain of a table that is as light as the paper
        below[-40:, x : x + 9] = 0.8
    beside[20:300, :7] = 0.9
    near[385:445, 3:10] = 0.9
    for page in (below, beside, near):
        assert_found(picture(page), there)
    row = np.hstack([np.pad(ink_of(digits[label][0]), ((0, 0), (0, 30))) for label in (1, 7, 4)])
    assert len(read(picture(np.clip(row, 0, 1)))) == 3  # cut to the digits: all of them are


def in_frames(alpha, there, kind, shade):
    """A form, with a printed frame about each digit, of lines two pixels wide."""
    page = np.asarray(picture(alpha)).copy()
    rows = {}
    for digit in there:
        rows.setdefault(digit.row, []).append(digit)
    for row in rows.values():
        top, bottom = round(row[0].box[1]) - 18, round(row[0].box[3]) + 16
        middles = [(a.box[2] + b.box[0]) / 2 for a, b in itertools.pairwise(row)]
        sides = [row[0].box[0] - 18, *middles, row[-1].box[2] + 18]
        for left, right in itertools.pairwise(np.rint(sides).astype(int).tolist()):
            if kind == "boxes":
                cv2.rectangle(page, (left + 4, top), (right - 4, bottom), shade, 2)
            else:
                cv2.rectangle(page, (left, top), (right, bottom), shade, 2)
    return Image.fromarray(page)


@pytest.mark.parametrize("shade", [30, 140])
@pytest.mark.parametrize("kind", ["boxes", "boxes that share their sides"])
def test_the_frames_of_a_form_are_no_digits(digits, kind, shade):
    alpha, there = write(digits, spacing=56)
    image = in_frames(alpha, there, kind, shade)
    assert_found(grainy(image, 2, 90), there)
    turned_by_hand = grainy(image.rotate(1.5, Image.Resampling.BICUBIC, fillcolor=235), 2)
    assert [len(row) for row in labels_by_row(read(turned_by_hand))] == [len(row) for row in ROWS]


def a_form(page, kind, top, bottom, count=7, pitch=80):
    """uint8 [h, w], `page` with a printed form of so many places from its left."""
    page = page.copy()
    for left in range(50, 50 + pitch * count, pitch):
        if kind == "boxes":
            cv2.rectangle(page, (left + 6, top), (left + pitch - 6, bottom), 90, 2)
            continue
        cv2.line(page, (left, bottom - 34 if kind == "comb" else top), (left, bottom), 90, 2)
        cv2.line(page, (left, bottom), (left + pitch, bottom), 90, 2)
        if kind == "ladder":
            cv2.line(page, (left, top), (left + pitch, top), 90, 2)
    return page


FORMS = pytest.mark.parametrize("kind", ["comb", "ladder", "boxes"])


@FORMS
@pytest.mark.parametrize("angle", [0.0, 2.0])
@pytest.mark.parametrize("below", [14, 2, -8])
def test_a_form_is_no_digit_where_digits_touch_it(digits, kind, below, angle):
    pitch, labels = 80, [3, 6, 5, 9, 2, 0, 8]
    alpha = np.zeros((260, 660), np.float32)
    for column, label in enumerate(labels):
        ink = np.clip(ink_of(digits[label][0], 48), 0, 1)
        left = 50 + column * pitch + (pitch - ink.shape[1]) // 2
        alpha[100:148, left : left + ink.shape[1]] = ink
    form = Image.fromarray(a_form(np.asarray(picture(alpha)), kind, 80, 148 + below))
    found = read(grainy(form.rotate(angle, Image.Resampling.BICUBIC, fillcolor=235), 2, 90))
    assert [digit.column for digit in found] == list(range(len(labels)))
    assert all(30 < digit.box.height < 62 and digit.box.width < pitch - 8 for digit in found)


@FORMS
@pytest.mark.parametrize("angle", [0.0, -1.5])
def test_an_empty_form_has_no_digit(kind, angle):
    form = Image.fromarray(a_form(np.full((260, 660), 235, np.uint8), kind, 80, 162))
    assert read(grainy(form.rotate(angle, Image.Resampling.BICUBIC, fillcolor=235), 2, 90)) == []


def test_ones_on_a_line_are_digits():
    page = np.full((400, 900), 235, np.uint8)
    cv2.line(page, (0, 200), (899, 200), 150, 2)
    for column, height in enumerate((60, 66, 57, 63, 68, 59)):
        cv2.line(page, (100 + 90 * column, 200 - height), (100 + 90 * column, 200), 60, 5)
    assert len(read(grainy(Image.fromarray(page), 2, 90))) == 6


def test_straight_digits_are_no_form():
    page = np.full((400, 900), 235, np.uint8)
    for left in (80, 180, 280, 380, 480):
        cv2.rectangle(page, (left, 80), (left + 45, 160), 30, 9)
        cv2.line(page, (left, 120), (left + 45, 120), 30, 9)
    assert len(read(grainy(Image.fromarray(page), 2, 90))) == 5


def in_soft_shadow(page, depth, reach, width, noise):
    """`page` with that share of the light gone beyond a slanting line, as a camera sees it."""
    y, x = np.indices((page.height, page.width))
    gone = depth / (1 + np.exp(np.clip((reach - y - 0.45 * x) / width, -30, 30)))
    corners = np.hypot(y / page.height - 0.5, x / page.width - 0.5) ** 2
    seen = np.asarray(page) * (1 - gone) * (1 - 0.25 * corners)
    return grainy(Image.fromarray(seen.astype(np.uint8)), noise, 90)


def test_the_noise_in_a_shadow_is_no_ink(digits):
    alpha, there = write(digits)
    assert_found(in_soft_shadow(picture(alpha, 235, 170), 0.7, 440, 30, 12), there)


def test_the_light_beside_a_shadow_is_no_sheet(digits):
    alpha, there = write(digits)
    assert_found(in_soft_shadow(picture(alpha, 230, 150), 0.45, 360, 5, 2), there)


@pytest.mark.parametrize("spacing", [12, 40])
def test_how_far_digits_stand_apart_is_seen(digits, spacing):
    alpha, _ = write(digits, spacing=spacing)
    assert abs(_spacing(find_pieces(load_ink(picture(alpha)))) - spacing) <= 3


def test_a_digit_alone_stands_apart(digits):
    alpha, _ = write(digits, [[4]])
    assert _spacing(find_pieces(load_ink(picture(alpha)))) == np.inf


@pytest.mark.parametrize("apart", [True, False])
def test_what_is_wide_is_cut_more_seldom_where_digits_stand_apart(digits, apart):
    high, wide = 60, 90
    ink = np.zeros((high, wide), np.float32)
    for start, label in ((0, 6), (wide // 2, 5)):
        ink[:, start : start + wide // 2] = cv2.resize(
            ink_of(digits[label][0]), (wide // 2, high), interpolation=cv2.INTER_AREA
        )

    def unsure_of_the_whole(images):
        across = (images > 64).any(axis=1).sum(axis=1)
        shares = np.full((len(images), 10), 1e-5, np.float32)
        shares[:, 0] = np.where(across == across.max(), 0.98, 0.9999)
        return shares

    parts = cut_apart(ink, Touching(6.0, 60.0, (28, 28), unsure_of_the_whole, apart))
    assert (len(parts) > 1) is not apart


def test_specks_staples_strokes_and_a_signature_are_no_digits(digits):
    alpha, there = write(digits, leading=110)
    page = np.pad(alpha, ((0, 160), (0, 200)))
    for x, y in ((500, 60), (30, 200), (600, 300), (700, 420)):
        cv2.circle(page, (x, y), 3, 1.0, -1)
    cv2.line(page, (650, 40), (700, 70), 1.0, 3)  # a staple
    cv2.line(page, (40, 480), (500, 482), 1.0, 3)  # a stroke under it all
    x = np.arange(260)
    y = 540 + 22 * np.sin(x / 9) * np.cos(x / 31) - x / 12
    cv2.polylines(page, [np.stack([420 + x, y], 1).astype(np.int32)], False, 1.0, 4)
    assert_found(picture(page), there)


def test_a_digit_in_pieces_is_one(digits):
    five, four = np.zeros((2, 120, 100), np.float32)
    cv2.line(five, (35, 25), (70, 25), 1.0, 6)  # the bar, afloat
    cv2.ellipse(five, (45, 75), (22, 24), 0, -120, 140, 1.0, 6)
    cv2.polylines(four, [np.array([[30, 20], [22, 65], [62, 65]])], False, 1.0, 6)
    cv2.line(four, (72, 20), (70, 100), 1.0, 6)
    for piece in (five, four):
        alpha, _ = write(digits, [[1, 2], [3, 8]], height=80)
        page = np.hstack([alpha, np.pad(piece, ((50, len(alpha) - 170), (0, 0)))])
        assert len(read(picture(page))) == 5
        assert len(read(picture(np.pad(piece, 60)))) == 1


def test_strokes_side_by_side_are_one_digit_where_digits_stand_apart(digits):
    alpha, there = write(digits, [[5, 2, 3], [1]], spacing=50)
    cv2.polylines(alpha, [np.array([[190, 165], [168, 195], [205, 190]])], False, 1.0, 6)
    cv2.line(alpha, (220, 162), (214, 218), 1.0, 6)
    assert len(read(picture(alpha), 0.9999)) == len(there) + 1
    assert len(read(picture(alpha), 0.8)) == len(there) + 2  # not recognised as one


def test_a_blot_is_ink_all_through(digits):
    alpha, there = write(digits)
    y, x = np.indices(alpha.shape)
    left, _, _, bottom = there[6].box  # of a fine pen, as all the others show
    blot = np.hypot(x - left - 15, y - bottom + 15) < 15
    ink = load_ink(picture(np.maximum(alpha, blot), light(alpha), 30))
    assert ink.mask[blot].all()
    assert ink.contrast[blot].min() > 0.5 * ink.contrast.max()


@pytest.mark.parametrize("strength", [0.08, 0.1, 0.2, 0.9])
def test_digits_in_a_row_are_no_ruled_line(digits, strength):
    alpha, _ = write(digits, [[7] * 11], spacing=12, height=32)
    contrast = strength * cv2.GaussianBlur(alpha, (0, 0), 1.0)
    mask = (contrast > 0.15 * strength).astype(np.uint8)
    assert np.array_equal(remove_ruling(contrast, mask, mask), mask)


def test_digits_that_touch_are_cut_apart(trained, digits):
    from mnist_graph import Classifier

    with Classifier.restore(trained("cnn").directory) as reader:
        right = pairs = 0
        for a, b in ((5, 0), (2, 3), (6, 8), (3, 7), (0, 0), (8, 6)):
            left, other = ink_of(digits[a][0]), ink_of(digits[b][1])
            page = np.zeros((140, 260), np.float32)
            page[40:100, 60 : 60 + left.shape[1]] = left
            start = 60 + left.shape[1] - 3
            place = page[40:100, start : start + other.shape[1]]
            np.maximum(place, other, out=place)
            read_labels = [digit.label for digit in reader.read(picture(np.clip(page, 0, 1)))]
            pairs += len(read_labels) == 2
            right += read_labels == [a, b]
        assert pairs >= 5
        assert right >= 4


@pytest.mark.parametrize("factor", [2, 7, 10])
@pytest.mark.parametrize("cut", [0, 4])
def test_a_digit_enlarged_pixel_by_pixel_is_what_it_was(digits, factor, cut):
    image = digits[5][0][cut : 28 - cut, cut : 28 - cut]
    large = Image.fromarray(255 - np.kron(image, np.ones((factor, factor), np.uint8)))
    (before,) = given_to_the_network(Image.fromarray(255 - image))
    (after,) = given_to_the_network(large)
    assert abs(before.astype(int) - after).mean() < 1
    (digit,) = read(large)
    rows, columns = np.nonzero(image > 128)
    assert abs(digit.box.top - rows.min() * factor) <= 1.2 * factor
    assert abs(digit.box.right - (columns.max() + 1) * factor) <= 1.2 * factor


def test_the_same_page_is_made_of_the_same_seed(digits):
    images = np.concatenate([digits[label][:2] for label in range(5)])
    one, two = (make_page(images, np.arange(10), np.random.default_rng(3)) for _ in range(2))
    assert one.picture.tobytes() == two.picture.tobytes()
    assert one.digits == two.digits
    assert [label for row in labels_by_row(one.digits) for label in row] == list(range(10))


def test_a_digit_says_all_there_is_to_know(digits):
    alpha, _ = write(digits, [[7]])
    (digit,) = read(picture(alpha))
    assert isinstance(digit, Digit)
    assert (digit.row, digit.column, digit.label) == (0, 0, 0)
    assert digit.probability == pytest.approx(0.91)
    assert digit.probabilities.shape == (10,)
    assert digit.box.width > 0 < digit.box.height
