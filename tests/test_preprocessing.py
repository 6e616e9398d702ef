import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray
from PIL import Image

from mnist_tutorial import prepare
from mnist_tutorial.preprocessing import (
    _otsu_threshold,
    add_channel,
    center_digit,
    from_one_hot,
    one_hot,
    read_picture,
    scale_pixels,
)

Arrays = dict[str, NDArray[Any]]
Picture = NDArray[Any]

some_labels = arrays(np.int64, st.integers(1, 20), elements=st.integers(0, 9))
some_pixels = arrays(np.uint8, array_shapes(max_side=5))
places_of_digits = st.integers(0, 9999)


# Digits and labels for the network


@given(arrays(np.uint8, array_shapes(min_dims=3, max_dims=3, max_side=5)))
def test_add_channel_adds_one_axis_and_changes_no_value(images: Picture) -> None:
    np.testing.assert_array_equal(
        add_channel(images), np.expand_dims(images, -1), strict=True
    )
    np.testing.assert_array_equal(
        add_channel(images, "channels_first"), np.expand_dims(images, 1), strict=True
    )


@given(some_pixels)
def test_scale_pixels_divides_by_255_in_float32(pixels: Picture) -> None:
    expected = np.array(
        [float(pixel) / 255 for pixel in pixels.flat], np.float32
    ).reshape(pixels.shape)
    np.testing.assert_array_equal(scale_pixels(pixels), expected, strict=True)


def test_scale_pixels_reaches_0_and_1_exactly() -> None:
    assert scale_pixels(np.array([0, 255], np.uint8)).tolist() == [0.0, 1.0]


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int64, np.uint64])
@given(labels=some_labels)
def test_one_hot_equals_keras(dtype: Any, labels: NDArray[Any]) -> None:
    from mnist_tutorial.backend import keras  # which nothing else here needs

    expected = keras.utils.to_categorical(labels, 10).astype(np.float32)
    np.testing.assert_array_equal(one_hot(labels.astype(dtype)), expected, strict=True)


@given(some_labels)
def test_from_one_hot_is_the_way_back(labels: NDArray[Any]) -> None:
    np.testing.assert_array_equal(
        from_one_hot(one_hot(labels)), labels.astype(np.uint8), strict=True
    )


def test_prepare_does_all_three_steps(few: Arrays) -> None:
    x, y = prepare(few["x_train"], few["y_train"])
    np.testing.assert_array_equal(
        x, few["x_train"][..., None].astype(np.float32) / 255, strict=True
    )
    np.testing.assert_array_equal(
        y, np.eye(10, dtype=np.float32)[[5, 0, 4]], strict=True
    )


@pytest.mark.parametrize(
    ("images", "error", "parts"),
    [
        (
            [[[1]]],
            TypeError,
            [
                "images must be a NumPy array",
                "shape (n, height, width),",
                "list",
                "[[[1]]]",
            ],
        ),
        (
            np.zeros((28, 28)),
            ValueError,
            ["images must have shape (n, height, width) and", "(28, 28)"],
        ),
        (
            np.zeros((5, 28, 28, 1)),
            ValueError,
            ["(n, height, width)", "(5, 28, 28, 1)"],
        ),
        (np.zeros((0, 28, 28)), ValueError, ["empty", "(0, 28, 28)"]),
    ],
)
def test_add_channel_refuses_other_shapes(
    images: Any, error: type[Exception], parts: list[str]
) -> None:
    with pytest.raises(error) as caught:
        add_channel(images)
    assert all(part in str(caught.value) for part in parts)


def test_add_channel_refuses_an_unknown_data_format() -> None:
    with pytest.raises(
        ValueError,
        match=r"^data_format must .*channels_last.*channels_first.*'channels_middle'",
    ):
        add_channel(np.zeros((1, 28, 28)), "channels_middle")


@pytest.mark.parametrize(
    "images", [np.zeros((1, 28, 28), np.float32), np.array([1, 2]), [0, 255], None]
)
def test_scale_pixels_refuses_all_but_uint8(images: Any) -> None:
    found = str(images.dtype) if isinstance(images, np.ndarray) else str(images)
    with pytest.raises(TypeError, match=f"uint8.*{re.escape(found)}"):
        scale_pixels(images)


@pytest.mark.parametrize(
    ("labels", "error", "parts"),
    [
        (np.array([3, 10]), ValueError, ["0 to 9", "found 10"]),
        (np.array([3, -1]), ValueError, ["0 to 9", "found -1"]),
        (np.array([1.0, 2.0]), TypeError, ["whole numbers", "float64"]),
        (np.array([np.nan]), TypeError, ["whole numbers", "float64"]),
        (np.array([True]), TypeError, ["whole numbers", "bool"]),
        (np.array(["3"]), TypeError, ["whole numbers", "<U1"]),
        (np.array([[3]]), ValueError, ["labels must have shape (n,) and", "(1, 1)"]),
        (np.array(3), ValueError, ["(n,)", "()"]),
        (np.array([], int), ValueError, ["(n,)", "(0,)"]),
        (
            [3, 4],
            TypeError,
            ["labels must be a NumPy array", "shape (n,),", "list [3, 4]"],
        ),
    ],
)
def test_one_hot_refuses_what_are_no_labels(
    labels: Any, error: type[Exception], parts: list[str]
) -> None:
    with pytest.raises(error) as caught:
        one_hot(labels)
    assert all(part in str(caught.value) for part in parts)


def row(*values: float) -> NDArray[np.float64]:
    return np.array([np.eye(10)[3], [*values, *[0] * (10 - len(values))]])


@pytest.mark.parametrize(
    ("rows", "error", "parts"),
    [
        (row(), ValueError, ["row 1"]),
        (row(1, 1), ValueError, ["row 1"]),
        (row(0.5, 0.5), ValueError, ["row 1", "0.5"]),
        (row(2, -1), ValueError, ["row 1", "2."]),
        (row(np.nan), ValueError, ["row 1", "nan"]),
        (np.eye(11), ValueError, ["(n, 10)", "(11, 11)"]),
        (np.zeros(10), ValueError, ["rows must have shape (n, 10) and", "(10,)"]),
        ([[1]], TypeError, ["rows must be a NumPy array", "shape (n, 10),", "list"]),
    ],
)
def test_from_one_hot_refuses_other_rows(
    rows: Any, error: type[Exception], parts: list[str]
) -> None:
    with pytest.raises(error) as caught:
        from_one_hot(rows)
    assert all(part in str(caught.value) for part in parts)


@pytest.mark.parametrize(
    ("images", "labels", "error", "parts"),
    [
        (
            np.zeros((2, 28, 28), np.uint8),
            np.array([1]),
            ValueError,
            ["2 images", "1 labels"],
        ),
        (
            np.zeros((1, 27, 28), np.uint8),
            np.array([1]),
            ValueError,
            ["(n, 28, 28)", "(1, 27, 28)"],
        ),
        (
            np.zeros((1, 28, 28, 1), np.uint8),
            np.array([1]),
            ValueError,
            ["(1, 28, 28, 1)"],
        ),
        (np.zeros((1, 28, 28)), np.array([1]), TypeError, ["uint8", "float64"]),
        (np.zeros((1, 28, 28), np.uint8), np.array([11]), ValueError, ["0 to 9", "11"]),
    ],
)
def test_prepare_refuses_what_does_not_fit(
    images: Any, labels: Any, error: type[Exception], parts: list[str]
) -> None:
    with pytest.raises(error) as caught:
        prepare(images, labels)
    assert all(part in str(caught.value) for part in parts)


# A picture from outside brought to MNIST's form


def likeness(first: Picture, second: Picture) -> float:
    """How two pictures correlate where they fit best, moved by up to one pixel: 1 if they are the same."""
    moves = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    moved = [np.roll(first, move, axis=(0, 1)).ravel() for move in moves]
    return max(np.corrcoef(picture, second.ravel())[0, 1] for picture in moved)


def center_of_mass(picture: Picture) -> tuple[float, float]:
    rows, columns = np.indices(picture.shape)
    return float((rows * picture).sum() / picture.sum()), float(
        (columns * picture).sum() / picture.sum()
    )


@given(place=places_of_digits, above=st.integers(1, 40), left=st.integers(1, 40))
def test_where_a_digit_stands_makes_no_difference(
    mnist: Arrays, place: int, above: int, left: int
) -> None:
    digit = mnist["x_test"][place]
    centred = center_digit(np.pad(digit, ((above, 5), (left, 9))))
    assert (str(centred.dtype), centred.shape) == ("uint8", (28, 28))
    np.testing.assert_array_equal(centred, center_digit(np.pad(digit, 1)))


@given(
    place=places_of_digits,
    scale=st.integers(1, 8),
    paper=st.floats(0.6, 1),
    contrast=st.floats(0.4, 1),
    shade=st.floats(-0.2, 0.2),
    noise=st.floats(0, 0.02),
    inverted=st.booleans(),
)
def test_a_scanned_digit_comes_back(
    mnist: Arrays,
    place: int,
    scale: int,
    paper: float,
    contrast: float,
    shade: float,
    noise: float,
    inverted: bool,
) -> None:
    digit = mnist["x_test"][place]
    ink = np.kron(np.pad(digit, 3), np.ones((scale, scale))) / 255
    light = paper * np.linspace(1 - shade / 2, 1 + shade / 2, len(ink))
    scan = light * (1 - contrast * ink) + np.random.default_rng(0).normal(
        0, noise, ink.shape
    )
    scan = np.clip(1 - scan if inverted else scan, 0, 1)
    assert likeness(center_digit(scan), digit) > 0.9


@given(place=places_of_digits)
def test_a_digit_of_mnist_stays_as_it_is(mnist: Arrays, place: int) -> None:
    digit = mnist["x_test"][place]
    assert likeness(center_digit(digit), digit) > 0.99


@given(place=places_of_digits)
def test_light_on_dark_and_dark_on_light_are_the_same(
    mnist: Arrays, place: int
) -> None:
    digit = np.pad(mnist["x_test"][place], 1)
    np.testing.assert_allclose(
        center_digit(255 - digit), center_digit(digit).astype(float), atol=1
    )


@given(place=places_of_digits)
def test_whole_numbers_and_fractions_are_the_same(mnist: Arrays, place: int) -> None:
    digit = mnist["x_test"][place]
    expected = center_digit(digit)
    np.testing.assert_array_equal(center_digit(digit / 255), expected)
    np.testing.assert_allclose(
        center_digit(scale_pixels(digit)), expected.astype(float), atol=1
    )


@given(place=places_of_digits)
def test_the_ink_is_centred_at_pixel_14_as_in_mnist(mnist: Arrays, place: int) -> None:
    digit = mnist["x_test"][place]
    np.testing.assert_allclose(center_of_mass(center_digit(digit)), (14, 14), atol=0.51)
    np.testing.assert_allclose(center_of_mass(digit), (14, 14), atol=0.51)


def ink_sides(picture: Picture) -> tuple[int, int]:
    """The height and the width of the box that holds all ink."""
    return int(np.ptp(np.flatnonzero(picture.any(axis=1))) + 1), int(
        np.ptp(np.flatnonzero(picture.any(axis=0))) + 1
    )


@given(height=st.integers(1, 70), width=st.integers(1, 70), seed=st.integers(0, 99))
def test_the_ink_is_fitted_to_20x20_as_pillow_resizes(
    height: int, width: int, seed: int
) -> None:
    ink = np.random.default_rng(seed).uniform(0.2, 1, (height, width))
    ink.flat[0] = 1
    sides = [
        max(1, int(20 * side / max(height, width) + 0.5)) for side in (height, width)
    ]
    resized = np.asarray(
        Image.fromarray(ink.astype(np.float32)).resize(
            (sides[1], sides[0]), Image.Resampling.BICUBIC
        )
    ).clip(0, 1)
    centred = center_digit(np.pad(ink, 1))
    box = centred[centred.any(axis=1)][:, centred.any(axis=0)]
    np.testing.assert_allclose(box, resized / resized.max() * 255, atol=0.51)


def test_ink_that_fills_the_box_is_kept_exactly() -> None:
    ink = np.full((20, 20), 255, np.uint8)
    ink[5:, 5:] = 100
    picture = np.pad(ink, 9)
    centred = center_digit(picture)
    np.testing.assert_array_equal(
        centred[centred.any(axis=1)][:, centred.any(axis=0)], ink
    )


def test_a_digit_heavy_at_one_end_stays_inside_the_picture() -> None:
    picture = np.zeros((60, 60))
    picture[10, 10:50] = picture[10:50, 10] = 0.15
    picture[35:50, 35:50] = 1
    for heavy_end, first in ((picture, 0), (picture[::-1, ::-1], 8)):
        centred = center_digit(heavy_end)
        assert ink_sides(centred) == (20, 20)
        assert (
            np.flatnonzero(centred.any(axis=1))[0],
            np.flatnonzero(centred.any(axis=0))[0],
        ) == (
            first,
            first,
        )
        assert max(np.abs(np.subtract(center_of_mass(centred), 14))) > 1, (
            "it cannot be at pixel 14"
        )


@given(place=places_of_digits)
def test_a_large_picture_is_shrunk_to_200_as_pillow_resizes(
    mnist: Arrays, place: int
) -> None:
    large = np.kron(np.pad(mnist["x_test"][place], 2), np.ones((10, 10))) / 255
    shrunk = Image.fromarray(large.astype(np.float32)).resize(
        (200, 200), Image.Resampling.BICUBIC
    )
    expected = center_digit(np.clip(np.asarray(shrunk), 0, 1))
    np.testing.assert_allclose(center_digit(large), expected.astype(float), atol=1)


def test_faint_noise_of_the_paper_is_no_ink() -> None:
    paper = 0.9 + np.random.default_rng(0).uniform(-0.02, 0.02, (60, 60))
    paper[20:40, 28:32] = 0.2
    assert ink_sides(center_digit(paper)) == (20, 4)


@pytest.mark.parametrize(("faint", "columns"), [(0.142, 8), (0.122, 4)])
def test_what_is_ink_beside_noise_as_worked_out_by_hand(
    faint: float, columns: int
) -> None:
    # The noise is 4 * 0.02 = 0.08, the strongest ink 0.6: a tenth of the way between is 0.132.
    picture = 0.8 + 0.02 * (-1.0) ** np.indices((60, 60)).sum(axis=0)
    picture[20:40, 28:32] = 0.2
    picture[20:40, 32:36] = 0.8 - faint
    assert ink_sides(center_digit(picture)) == (20, columns)


def test_ink_that_stands_out_from_the_noise_by_less_than_a_tenth_is_no_digit() -> None:
    picture = 0.8 + 0.01 * (-1.0) ** np.indices((60, 60)).sum(axis=0)  # noise of 0.04
    picture[20:40, 28:32] = 0.8 - 0.12
    with pytest.raises(ValueError, match="no digit"):
        center_digit(picture)


def test_a_shadow_on_the_paper_is_no_ink() -> None:
    down, right = np.indices((60, 60)) / 60
    picture = 0.9 - 0.2 * down - 0.1 * right
    picture[20:40, 28:32] -= 0.5
    assert ink_sides(center_digit(picture)) == (20, 4)


def test_ink_that_covers_most_of_the_picture_is_still_ink() -> None:
    picture = np.ones((24, 24))
    picture[1:-1, 1:-1] = 0
    centred = center_digit(picture)
    assert (ink_sides(centred), centred.min(), centred.max()) == ((20, 20), 0, 255)
    assert center_of_mass(centred) == pytest.approx((14.5, 14.5)), (
        "of 13.5 and 14.5 the lower right one"
    )


def test_a_digit_that_runs_over_the_edge_is_ink() -> None:
    picture = np.ones((40, 40))
    picture[:, 15:25] = 0
    assert ink_sides(center_digit(picture)) == (20, 5)


@given(arrays(np.uint8, (6, 7)).filter(lambda pixels: np.ptp(pixels) > 0))
@example(np.array([[100, 101]], np.uint8))
def test_the_threshold_parts_ink_from_paper_with_the_least_spread(
    pixels: Picture,
) -> None:
    def spread(threshold: float) -> float:
        parts = pixels[pixels / 255 > threshold], pixels[pixels / 255 <= threshold]
        return sum(float(part.var() * len(part)) for part in parts if len(part))

    best = min(spread((level + 0.5) / 255) for level in range(255))
    assert spread(_otsu_threshold(pixels / 255)) == pytest.approx(
        best, rel=1e-9, abs=1e-9
    )


@pytest.mark.parametrize(
    ("picture", "error", "parts"),
    [
        (np.zeros((28, 28), np.uint8), ValueError, ["no digit", "blank"]),
        (np.full((28, 28), 0.7), ValueError, ["no digit"]),
        (
            np.pad(np.full((4, 4), 0.5), 9, constant_values=0.45),
            ValueError,
            ["no digit", "hardly differs"],
        ),
        (np.ones((1, 1)), ValueError, ["no digit"]),
        (np.full((28, 28), np.nan), ValueError, ["[0, 1]", "nan"]),
        (np.pad([[np.inf]], 9), ValueError, ["[0, 1]", "inf"]),
        (np.pad([[1.5]], 9), ValueError, ["[0, 1]", "1.5"]),
        (np.pad([[-0.5]], 9), ValueError, ["[0, 1]", "-0.5"]),
        (np.pad([[200]], 9), TypeError, ["uint8 or float", "int64"]),
        (np.pad([[True]], 9), TypeError, ["uint8 or float", "bool"]),
        (
            np.zeros((28, 28, 3), np.uint8),
            ValueError,
            ["picture must have shape (height, width) and", "(28, 28, 3)"],
        ),
        (np.zeros((0, 28), np.uint8), ValueError, ["(height, width)", "(0, 28)"]),
        (
            [[0, 1]],
            TypeError,
            ["picture must be a NumPy array", "shape (height, width),", "list"],
        ),
    ],
)
def test_center_digit_refuses_what_is_no_digit(
    picture: Any, error: type[Exception], parts: list[str]
) -> None:
    with pytest.raises(error) as caught:
        center_digit(picture)
    assert all(part in str(caught.value) for part in parts)


# Picture files


def test_a_grey_png_is_read_as_it_is(few: Arrays, tmp_path: Path) -> None:
    Image.fromarray(few["x_test"][0]).save(tmp_path / "digit.png")
    for path in (tmp_path / "digit.png", str(tmp_path / "digit.png")):
        np.testing.assert_array_equal(read_picture(path), few["x_test"][0], strict=True)


def test_a_jpeg_is_read_nearly_as_it_is(few: Arrays, tmp_path: Path) -> None:
    large = np.kron(few["x_test"][0], np.ones((8, 8), np.uint8))
    Image.fromarray(large).convert("RGB").save(tmp_path / "digit.jpg", quality=95)
    np.testing.assert_allclose(
        read_picture(tmp_path / "digit.jpg"), large.astype(float), atol=16
    )


def test_the_depth_of_16_bits_is_scaled_to_8(tmp_path: Path) -> None:
    Image.fromarray(np.array([[0, 257, 51399, 65535]], np.uint16)).save(
        tmp_path / "scan.png"
    )
    assert read_picture(tmp_path / "scan.png").tolist() == [[0, 1, 199, 255]]


def test_transparent_parts_are_white(tmp_path: Path) -> None:
    black = np.zeros((1, 3, 4), np.uint8)
    black[0, :, 3] = [0, 255, 51]  # transparent, opaque, and one fifth of the ink
    Image.fromarray(black).save(tmp_path / "drawing.png")
    assert read_picture(tmp_path / "drawing.png").tolist() == [[255, 0, 204]]


def test_colours_become_grey_by_their_lightness(tmp_path: Path) -> None:
    Image.fromarray(np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)).save(
        tmp_path / "rgb.png"
    )
    np.testing.assert_allclose(
        read_picture(tmp_path / "rgb.png"), [[76, 150, 29]], atol=1
    )


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
    Image.fromarray(stored).save(tmp_path / f"photo.{suffix}", exif=exif)
    upright = read_picture(tmp_path / f"photo.{suffix}")
    np.testing.assert_allclose(
        upright, np.rot90(stored, quarter_turns_left).astype(float), atol=1
    )


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n", None])
def test_a_file_that_is_no_picture_is_refused(
    few: Arrays, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "digit.png"
    Image.fromarray(few["x_test"][0]).save(path)
    path.write_bytes(path.read_bytes()[:-60] if content is None else content)
    with pytest.raises(ValueError, match=re.escape(str(path)) + ".*PNG or JPEG"):
        read_picture(path)


def test_a_picture_of_another_kind_is_refused(few: Arrays, tmp_path: Path) -> None:
    Image.fromarray(few["x_test"][0]).save(tmp_path / "digit.png", format="TIFF")
    with pytest.raises(ValueError, match="not a picture that can be read"):
        read_picture(tmp_path / "digit.png")


def test_a_camera_that_wrote_half_a_note_is_no_reason_to_refuse(
    few: Arrays, tmp_path: Path
) -> None:
    half = (
        b"Exif\0\0II*\0\x08\0\0\0\x05\0"  # five entries are promised, and none is there
    )
    Image.fromarray(few["x_test"][0]).save(
        tmp_path / "photo.jpg", exif=half, quality=100
    )
    np.testing.assert_allclose(
        read_picture(tmp_path / "photo.jpg"), few["x_test"][0].astype(float), atol=8
    )


def test_a_note_that_is_cut_off_gives_no_warning(few: Arrays, tmp_path: Path) -> None:
    cut = b"Exif\0\0MM\0*\0\0\0\x08\0\x05"
    Image.fromarray(few["x_test"][0]).save(tmp_path / "photo.png", exif=cut)
    np.testing.assert_array_equal(
        read_picture(tmp_path / "photo.png"), few["x_test"][0]
    )


def test_a_picture_of_ninety_million_pixels_is_refused(tmp_path: Path) -> None:
    Image.new("1", (9500, 9500)).save(tmp_path / "large.png")
    with pytest.raises(ValueError, match="not a picture that can be read"):
        read_picture(tmp_path / "large.png")


def test_a_missing_picture_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"photo\.png"):
        read_picture(tmp_path / "photo.png")
