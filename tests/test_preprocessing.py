"""The form that a network takes: values against NumPy and Keras, and refusals."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from mnist_tutorial import prepare
from mnist_tutorial.preprocessing import add_channel, one_hot, scale_pixels

Arrays = dict[str, NDArray[Any]]

some_labels = arrays(np.int64, st.integers(0, 20), elements=st.integers(0, 9))
some_pixels = arrays(np.uint8, array_shapes(max_side=5))


@given(arrays(np.uint8, array_shapes(min_dims=3, max_dims=3, max_side=5)))
def test_add_channel_adds_one_axis_and_changes_no_value(images: NDArray[Any]) -> None:
    last, first = add_channel(images), add_channel(images, "channels_first")
    np.testing.assert_array_equal(last, np.expand_dims(images, -1), strict=True)
    np.testing.assert_array_equal(first, np.expand_dims(images, 1), strict=True)


@given(some_pixels)
def test_scale_pixels_divides_by_255_in_float32(pixels: NDArray[Any]) -> None:
    expected = (pixels / 255).astype(np.float32)  # divided in float64
    np.testing.assert_array_equal(scale_pixels(pixels), expected, strict=True)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int64, np.uint64])
@given(labels=some_labels)
def test_one_hot_equals_keras(dtype: Any, labels: NDArray[Any]) -> None:
    from mnist_tutorial.backend import keras  # which nothing else here needs

    expected = keras.utils.to_categorical(labels, 10).astype(np.float32)
    np.testing.assert_array_equal(one_hot(labels.astype(dtype)), expected, strict=True)


def test_prepare_does_all_three_steps(few: Arrays) -> None:
    x, y = prepare(few["x_train"], few["y_train"])
    pixels = few["x_train"][..., None].astype(np.float32) / 255
    np.testing.assert_array_equal(x, pixels, strict=True)
    expected = np.eye(10, dtype=np.float32)[[5, 0, 4]]
    np.testing.assert_array_equal(y, expected, strict=True)


@pytest.mark.parametrize(
    "images", [np.zeros((1, 28, 28), np.float32), np.array([1, 2]), [0, 255]]
)
def test_pixels_that_may_be_scaled_already_are_refused(images: Any) -> None:
    with pytest.raises(TypeError, match="images"):
        scale_pixels(images)


@pytest.mark.parametrize("labels", [[3, 10], [3, -1], [1.0, 2.0], [True], ["3"], [[3]]])
def test_what_is_no_label_is_refused(labels: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="labels"):
        one_hot(np.array(labels))


@pytest.mark.parametrize(
    ("shape", "labels"), [((2, 28, 28), 1), ((1, 27, 28), 1), ((1, 28, 28, 1), 1)]
)
def test_prepare_refuses_other_shapes_and_counts(
    shape: tuple[int, ...], labels: int
) -> None:
    with pytest.raises(TypeError, match=r"'(images|labels)'"):
        prepare(np.zeros(shape, np.uint8), np.zeros(labels, np.uint8))
