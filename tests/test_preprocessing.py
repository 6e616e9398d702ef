from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from mnist_tutorial import prepare
from mnist_tutorial.preprocessing import (
    add_channel,
    from_one_hot,
    one_hot,
    scale_pixels,
)

Arrays = dict[str, NDArray[Any]]
Picture = NDArray[Any]

some_labels = arrays(np.int64, st.integers(1, 20), elements=st.integers(0, 9))
some_pixels = arrays(np.uint8, array_shapes(max_side=5))


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
