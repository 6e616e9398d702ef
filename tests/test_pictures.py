"""A digit in any picture comes out in MNIST's format; files are read as they come."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from mnist_tutorial.doubt import count_digits
from mnist_tutorial.pictures import center_digit, read_picture

Arrays = dict[str, NDArray[Any]]
Picture = NDArray[Any]
places_of_digits = st.integers(0, 9999)
some = settings(max_examples=10)


def likeness(first: Picture, second: Picture) -> float:
    """How two pictures correlate where they fit best, moved by up to one pixel."""
    moves = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    moved = [np.roll(first, move, axis=(0, 1)).ravel() for move in moves]
    return float(max(np.corrcoef(picture, second.ravel())[0, 1] for picture in moved))


def test_scanned_digits_come_back(mnist: Arrays) -> None:
    back = []
    for seed in range(60):
        random = np.random.default_rng(seed)
        digit = mnist["x_test"][random.integers(10_000)]
        scale = random.integers(2, 9)
        lowest, highest = (0.6, 0.4, -0.4, 0), (1, 1, 0.4, 0.02)
        paper, contrast, shade, noise = random.uniform(lowest, highest)
        ink = np.kron(np.pad(digit, 3), np.ones((scale, scale))) / 255
        light = paper * np.linspace(1 - shade / 2, 1 + shade / 2, len(ink))
        grain = random.normal(0, noise, ink.shape)
        scan = np.clip(light * (1 - contrast * ink) + grain, 0, 1)
        back += [likeness(center_digit(one), digit) > 0.85 for one in (scan, 1 - scan)]
    # The gaps of a light blot pass for dark ink once; a thin stroke is thickened twice.
    assert sum(back) >= 117


@some
@given(place=places_of_digits)
def test_light_on_dark_dark_on_light_and_fractions_are_the_same(
    mnist: Arrays, place: int
) -> None:
    digit = np.pad(mnist["x_test"][place], 1)
    expected = center_digit(digit)
    assert likeness(expected, digit[1:-1, 1:-1]) > 0.98
    inverted = center_digit(255 - digit).astype(float)
    np.testing.assert_allclose(inverted, expected, atol=2)
    np.testing.assert_array_equal(center_digit(digit / 255), expected)
    np.testing.assert_array_equal(center_digit(np.dstack([digit] * 3)), expected)
    mass = (np.indices((28, 28)) * expected).sum(axis=(1, 2)) / expected.sum()
    np.testing.assert_allclose(mass, 14, atol=0.51)


DOWN, RIGHT = np.indices((200, 150))


def seven(light: float | Picture = 1.0) -> Picture:
    """A 7 in strokes of 8 pixels on a sheet of 150 by 200, under this light."""
    sheet = np.full((200, 150), 0.9)
    sheet[60:68, 50:100] = 0.2
    for row in range(68, 140):
        left = int(92 - 0.4 * (row - 68))
        sheet[row, left : left + 8] = 0.2
    return sheet * light


PLAIN = center_digit(seven())


def with_ink(level: float, *places: Any) -> Picture:
    sheet = seven()
    for place in places:
        sheet[place] = level
    return sheet


def with_fingers() -> Picture:
    """Three fingers' shadows come down from the border across the 7."""
    from_middle = np.abs((RIGHT - 0.2 * DOWN) % 34 - 17)
    sides, tips = ((9 - from_middle) / 6).clip(0, 1), ((110 - DOWN) / 6).clip(0, 1)
    return seven(1 - 0.4 * sides * tips)


def with_toolbar() -> Picture:
    sheet = np.pad(seven(), ((60, 60), (40, 40)), constant_values=0.9)
    sheet[:24] = 0.3
    for left in range(12, 216, 30):
        sheet[8:16, left : left + 12] = 0.7
    return sheet


def on_a_cloth() -> Picture:
    """A pencil's 7 on a sheet that lies on a checked cloth, its squares darker."""
    rows, columns = np.indices((320, 270)) // 20 % 2
    cloth = 0.3 + 0.3 * (rows + columns)
    cloth[60:260, 60:210] = np.where(seven() < 0.5, 0.6, 0.9)
    return cloth


AROUND = {
    "a shadow's edge": seven(1 - 0.5 * (RIGHT + DOWN > 170)),
    "vignette": seven(1 - 0.6 * (np.hypot(DOWN / 100 - 1, RIGHT / 75 - 1) / 1.5) ** 2),
    "desk": np.pad(seven(), ((60, 40), (70, 30)), constant_values=0.15),
    "checked cloth": on_a_cloth(),
    "the shadow of a blind": seven(1 - 0.4 * ((RIGHT + DOWN) // 15 % 2)),
    "lines": with_ink(0.5, np.s_[10::20], np.s_[:, 20]),
    "squares as dark as ink": with_ink(0.2, np.s_[10::24], np.s_[:, 5::24]),
    "frame": with_ink(0.1, np.s_[:3], np.s_[-3:], np.s_[:, :3], np.s_[:, -3:]),
    "a bar, with more ink than the 7": with_ink(0.1, np.s_[8:20, 5:145]),
    "box": with_ink(
        0.1, np.s_[[30, 31, 170, 171], 20:130], np.s_[30:172, [20, 21, 128, 129]]
    ),
    "pen": with_ink(0.1, np.s_[10:190, 2:9]),
    "toolbar": with_toolbar(),
    "fingers": with_fingers(),
}


@pytest.mark.parametrize("what", AROUND)
def test_what_is_around_a_digit_is_no_ink(what: str) -> None:
    assert likeness(center_digit(AROUND[what]), PLAIN) > 0.9


def test_ink_of_the_paper_s_own_grey_is_ink() -> None:
    is_ink = seven()[..., None] < 0.5
    colours = np.where(is_ink, (60, 90, 255), (225, 45, 25)).astype(np.uint8)
    assert likeness(center_digit(colours), PLAIN) > 0.95


def test_a_digit_cut_to_its_own_box_is_found() -> None:
    assert likeness(center_digit(seven()[60:140, 50:100]), PLAIN) > 0.95


def test_strokes_that_meet_the_border_are_no_ruled_lines(mnist: Arrays) -> None:
    four = np.full((250, 200), 0.9)
    four[137:140, 48:140] = four[60:, 120:123] = 0.2
    for row in range(60, 140):
        left = int(80 - 0.4 * (row - 60))
        four[row, left : left + 4] = 0.2
    whole = center_digit(np.pad(four, 12, constant_values=0.9))
    assert likeness(center_digit(four), whole) > 0.85
    small = mnist["x_test"][:50, :, 6:]  # of one, a loose part is taken instead
    pairs = [(center_digit(digit), center_digit(np.pad(digit, 12))) for digit in small]
    assert sum(likeness(*pair) > 0.85 for pair in pairs) >= 49


def test_a_digit_that_nearly_meets_the_border_is_on_the_sheet() -> None:
    two = np.hstack([np.roll(seven(), down, axis=0) for down in (30, 58)])
    assert count_digits(center_digit(1 - two)) == 2  # light strokes have edges


def test_a_straight_1_beside_a_blot_is_no_pen() -> None:
    sheet = np.full((200, 150), 0.9)
    sheet[40:140, 60:68] = 0.2
    alone = center_digit(sheet)
    sheet[120:132, 110:122] = 0.2
    assert likeness(center_digit(sheet), alone) > 0.95


def test_a_hair_line_is_drawn_wider() -> None:
    sheet = np.full((400, 300), 0.9)
    sheet[120:122, 100:200] = 0.2
    for row in range(122, 280):
        sheet[row, int(198 - 0.4 * (row - 122)) : int(201 - 0.4 * (row - 122))] = 0.2
    assert center_digit(sheet).sum() > 0.4 * PLAIN.sum()


def test_the_paler_part_of_a_thin_stroke_is_ink() -> None:
    sheet = np.full((200, 150), 0.9)
    sheet[60:62, 50:100] = 0.2
    for row in range(62, 140):
        sheet[row, int(98 - 0.4 * (row - 62)) :][:2] = 0.65  # a third of that
    assert likeness(center_digit(sheet), PLAIN) > 0.8


def test_light_ink_at_one_end_moves_the_digit_inside_the_picture() -> None:
    picture = np.zeros((60, 60))
    picture[10:14, 10:50] = picture[10:50, 10:14] = 0.5
    picture[35:50, 35:50] = 1
    rows, columns = np.nonzero(center_digit(picture))
    assert np.ptp(rows) == np.ptp(columns) == 19


@pytest.mark.parametrize("level", [0, 180, 255])
def test_a_picture_without_ink_is_refused(level: int) -> None:
    with pytest.raises(ValueError, match="No ink stands out"):
        center_digit(np.full((30, 40, 3), level, np.uint8))


@pytest.mark.parametrize("value", [-0.5, 1.5, np.nan])
def test_fractions_beyond_0_and_1_are_refused(value: float) -> None:
    with pytest.raises(ValueError, match=re.escape("[0, 1]")):
        center_digit(np.pad([[value]], 9))


# Picture files


def reread(path: Path, pixels: Picture, **options: Any) -> Picture:
    Image.fromarray(pixels).save(path, **options)
    return read_picture(path)


def test_grey_and_colours_are_read_as_they_are(few: Arrays, tmp_path: Path) -> None:
    colours, grey = np.stack([*few["x_train"]], axis=-1), few["x_test"][0]
    for pixels, expected in ((colours, colours), (grey, np.dstack([grey] * 3))):
        read = reread(tmp_path / "digit.png", pixels)
        np.testing.assert_array_equal(read, expected, strict=True)


def test_sixteen_bits_are_scaled_by_the_largest(tmp_path: Path) -> None:
    for levels, expected in (
        ([0, 257, 51399, 65535], [0, 1, 199, 255]),
        ([0, 51, 255], [0, 51, 255]),
        ([0, 2048, 4095], [0, 127, 255]),
    ):
        read = reread(tmp_path / "scan.png", np.array([levels], np.uint16))
        assert read[0, :, 0].tolist() == expected


@pytest.mark.parametrize(("ink", "expected"), [(0, [255, 0, 204]), (255, [0, 255, 51])])
def test_transparent_paper_is_unlike_its_ink(
    tmp_path: Path, ink: int, expected: list[int]
) -> None:
    pixels = np.full((1, 3, 4), ink, np.uint8)
    pixels[0, :, 3] = [0, 255, 51]  # transparent, opaque, and one fifth of the ink
    read = reread(tmp_path / "drawing.png", pixels)
    assert read[0, :, 0].tolist() == expected


@pytest.mark.parametrize(
    ("orientation", "quarter_turns_left"), [(1, 0), (3, 2), (6, 3), (8, 1)]
)
@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_a_photo_is_turned_upright(
    tmp_path: Path, orientation: int, quarter_turns_left: int, suffix: str
) -> None:
    stored = np.zeros((24, 40), np.uint8)
    stored[:8, :8] = 255
    exif = Image.Exif()
    exif[0x0112] = orientation
    read = reread(tmp_path / f"photo.{suffix}", stored, exif=exif)[..., 0]
    upright = np.rot90(stored, quarter_turns_left).astype(float)
    np.testing.assert_allclose(read, upright, atol=1)


def test_a_large_jpeg_is_read_shrunk(tmp_path: Path) -> None:
    Image.new("RGB", (4000, 3000), (200, 100, 50)).save(tmp_path / "photo.jpg")
    picture = read_picture(tmp_path / "photo.jpg")
    assert picture.shape == (768, 1024, 3)
    np.testing.assert_allclose(picture[0, 0].astype(int), (200, 100, 50), atol=3)


def test_a_picture_of_ninety_one_million_pixels_is_refused(tmp_path: Path) -> None:
    Image.new("1", (9500, 9600)).save(tmp_path / "large.png")
    with pytest.raises(ValueError, match=r"large\.png has 9500 by 9600 pixels.*shrink"):
        read_picture(tmp_path / "large.png")


def test_an_iphone_s_own_format_is_read_or_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heif = pytest.importorskip("pillow_heif")
    path = tmp_path / "photo.heic"
    heif.from_pillow(Image.new("RGB", (64, 48), (200, 100, 50))).save(path)
    colour = read_picture(path)[0, 0].astype(int)
    np.testing.assert_allclose(colour, (200, 100, 50), atol=6)
    monkeypatch.setattr("mnist_tutorial.pictures.register_heif", lambda: False)
    with pytest.raises(ValueError, match="save it as JPEG"):
        read_picture(path)


def test_a_picture_of_another_kind_is_refused(few: Arrays, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not a picture that can be read"):
        reread(tmp_path / "digit.png", few["x_test"][0], format="TIFF")


def test_half_a_note_by_a_camera_is_no_reason_to_refuse(
    few: Arrays, tmp_path: Path
) -> None:
    note = b"Exif\0\0II*\0\x08\0\0\0\x05\0"  # five entries promised, and none there
    read = reread(tmp_path / "photo.png", few["x_test"][0], exif=note)
    np.testing.assert_array_equal(read[..., 0], few["x_test"][0])
