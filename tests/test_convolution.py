from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.signal
import scipy.special
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mnist_tutorial import models
from mnist_tutorial.backend import keras
from mnist_tutorial.convolution import (
    batch_normalize,
    conv2d,
    convolve2d,
    dense,
    forward,
    max_pool2d,
    relu,
    softmax,
)

Array = NDArray[Any]
layers = keras.layers
sides = st.integers(1, 11)
windows = st.integers(1, 5)
strides = st.integers(1, 3)
channels = st.integers(1, 6)
paddings = st.sampled_from(["valid", "same"])
seeds = st.integers(0, 2**32 - 1)

ARTICLE_IMAGE = np.array(
    [
        [1, 1, 1, 0, 0],
        [0, 1, 1, 1, 0],
        [0, 0, 1, 1, 1],
        [0, 0, 1, 1, 0],
        [0, 1, 1, 0, 0],
    ]
)
ARTICLE_KERNEL = np.array([[1, 0, 1], [0, 1, 0], [1, 0, 1]])
ARTICLE_RESULT = [[4, 3, 4], [2, 4, 3], [2, 3, 4]]  # by hand


def numbers(seed: int, *shape: int) -> Array:
    """Numbers from -1 to 1, in an array of this shape; none of them is special."""
    return (
        np.random.default_rng([seed, *shape]).uniform(-1, 1, shape).astype(np.float32)
    )


def set_up(layer: Any, weights: list[Array], x: Array) -> Any:
    layer.build(x.shape)
    layer.set_weights(weights)
    return layer


def assert_equal_to_keras(found: Array, layer: Any, x: Array) -> None:
    expected = keras.ops.convert_to_numpy(layer(x))
    assert found.dtype == np.float32
    assert_close(found, expected, rtol=1e-5, atol=1e-5)


def assert_close(
    found: Array, expected: Array, rtol: float = 1e-7, atol: float = 0
) -> None:
    """As NumPy 2's assert_allclose with strict=True, which NumPy 1 does not know: no broadcasting."""
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    np.testing.assert_allclose(found, expected, rtol, atol)


# One picture, one kernel


def test_the_example_worked_by_hand() -> None:
    result = convolve2d(ARTICLE_IMAGE, ARTICLE_KERNEL)
    np.testing.assert_array_equal(
        result, np.array(ARTICLE_RESULT, np.int64), strict=True
    )


def test_the_example_with_stride_2_keeps_the_corners() -> None:
    assert convolve2d(ARTICLE_IMAGE, ARTICLE_KERNEL, stride=2).tolist() == [
        [4, 4],
        [2, 4],
    ]


def test_the_kernel_is_not_turned() -> None:
    single, kernel = np.zeros((5, 5)), np.arange(9.0).reshape(3, 3)
    single[2, 2] = 1
    np.testing.assert_array_equal(convolve2d(single, kernel), kernel[::-1, ::-1])


@given(sides, sides, windows, windows, seeds)
def test_convolve2d_equals_scipy(
    height: int, width: int, rows: int, columns: int, seed: int
) -> None:
    height, width = max(height, rows), max(width, columns)
    image, kernel = numbers(seed, height, width), numbers(seed, rows, columns)
    expected = scipy.signal.correlate2d(image, kernel, mode="valid")
    assert_close(convolve2d(image, kernel), expected, atol=1e-5)


@given(sides, sides, windows, windows, strides, paddings, seeds)
def test_convolve2d_equals_keras(
    height: int,
    width: int,
    rows: int,
    columns: int,
    stride: int,
    padding: str,
    seed: int,
) -> None:
    if padding == "valid":
        height, width = max(height, rows), max(width, columns)
    x, kernel = numbers(seed, 1, height, width, 1), numbers(seed, rows, columns, 1, 1)
    layer = set_up(
        layers.Conv2D(1, (rows, columns), stride, padding, use_bias=False), [kernel], x
    )
    found = convolve2d(x[0, :, :, 0], kernel[:, :, 0, 0], stride, padding)
    assert_equal_to_keras(found[None, :, :, None], layer, x)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.bool_, np.int64])
def test_whole_numbers_do_not_overflow(dtype: Any) -> None:
    largest = 1 if dtype is np.bool_ else int(np.iinfo(np.int8).max)
    ones = np.full((4, 4), largest, dtype)
    found = convolve2d(ones, ones[:3, :3])
    np.testing.assert_array_equal(
        found, np.full((2, 2), 9 * largest**2, np.int64), strict=True
    )


@given(sides, windows, strides)
def test_the_size_is_what_the_formula_says(side: int, window: int, stride: int) -> None:
    image, kernel = np.zeros((side, side)), np.zeros((window, window))
    assert convolve2d(image, kernel, stride, "same").shape == (-(-side // stride),) * 2
    if window <= side:
        assert (
            convolve2d(image, kernel, stride).shape
            == ((side - window) // stride + 1,) * 2
        )


IMAGE = np.zeros((5, 5))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            (IMAGE.tolist(), IMAGE),
            TypeError,
            "image must be a NumPy array of numbers.*got list",
        ),
        ((IMAGE, 3), TypeError, "kernel must be a NumPy array of numbers.*got int"),
        ((IMAGE.astype(str), IMAGE), TypeError, "image must be .*got <U32 of"),
        (
            (IMAGE.astype(complex), IMAGE),
            TypeError,
            "image must be .*got complex128 of",
        ),
        (
            (IMAGE[None], IMAGE),
            ValueError,
            r"image must have shape .*got .*\(1, 5, 5\)",
        ),
        ((IMAGE, IMAGE[0]), ValueError, r"kernel must have shape .*got .*\(5,\)"),
        ((IMAGE[:0], IMAGE), ValueError, r"image must .*not be empty, got .*\(0, 5\)"),
        ((IMAGE, IMAGE, 0), ValueError, "stride must be a whole number from 1 .*got 0"),
        ((IMAGE, IMAGE, 1.5), ValueError, "stride must be .*got 1.5"),
        ((IMAGE, IMAGE, True), ValueError, "stride must be .*got True"),
        (
            (IMAGE, IMAGE, 1, "full"),
            ValueError,
            "padding must be one of valid, same, got 'full'",
        ),
        (
            (IMAGE[:2], IMAGE),
            ValueError,
            r"a kernel of \(5, 5\) does not fit into an image of \(2, 5\)",
        ),
        ((IMAGE[:, :2], IMAGE), ValueError, r"does not fit into an image of \(5, 2\)"),
        ((IMAGE[0], IMAGE), ValueError, r"image must have shape \(height, width\)"),
        (
            (IMAGE + np.nan, IMAGE),
            ValueError,
            "image must be finite numbers, found nan",
        ),
        (
            (IMAGE, IMAGE - np.inf),
            ValueError,
            "kernel must be finite numbers, found -inf",
        ),
        (
            (np.array([[2**63]], np.uint64), IMAGE[:1, :1]),
            ValueError,
            "image must be numbers below .*9223372036854775808",
        ),
    ],
)
def test_convolve2d_names_what_is_wrong(
    arguments: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        convolve2d(*arguments)


@pytest.mark.parametrize(
    ("image", "kernel", "found"),
    [
        (
            np.array([[2**31, 2**31]], np.int64),
            np.array([[2**30, 2**30]], np.int64),
            2**62,
        ),
        (np.array([[2**63 - 1]], np.uint64), np.array([[0]], np.int64), 0),
        (
            np.array([[1e15]], np.float32),
            np.array([[1e15]], np.float32),
            np.float32(1e15) * np.float32(1e15),
        ),
        (np.array([[1e200]], np.float64), np.array([[2]], np.float32), 2e200),
        (np.array([[2]], np.float32), np.array([[1e200]], np.float64), 2e200),
    ],
)
def test_sums_up_to_the_end_of_their_range_are_right(
    image: Array, kernel: Array, found: float
) -> None:
    assert convolve2d(image, kernel).item() == found


@pytest.mark.parametrize(
    ("image", "kernel"),
    [
        (
            np.array([[2**31, 2**31]], np.int64),
            np.array([[2**30, 2**30 + 1]], np.int64),
        ),
        (np.array([[-(2**40)]], np.int64), np.array([[2**40]], np.int64)),
        (np.array([[2**40]], np.int64), np.array([[-(2**40)]], np.int64)),
        (np.array([[1e30]], np.float32), np.array([[1e30]], np.float32)),
    ],
)
def test_sums_beyond_their_range_are_refused(image: Array, kernel: Array) -> None:
    with pytest.raises(ValueError, match="image and kernel are too large"):
        convolve2d(image, kernel)


# The layers


@given(sides, sides, windows, windows, channels, channels, strides, paddings, seeds)
def test_conv2d_equals_keras(
    height: int,
    width: int,
    rows: int,
    columns: int,
    channels_in: int,
    filters: int,
    stride: int,
    padding: str,
    seed: int,
) -> None:
    if padding == "valid":
        height, width = max(height, rows), max(width, columns)
    x = numbers(seed, 3, height, width, channels_in)
    weights = [
        numbers(seed, rows, columns, channels_in, filters),
        numbers(seed, filters),
    ]
    layer = set_up(layers.Conv2D(filters, (rows, columns), stride, padding), weights, x)
    assert_equal_to_keras(conv2d(x, *weights, stride=stride, padding=padding), layer, x)


@given(sides, sides, st.integers(1, 3), strides, channels, paddings, seeds)
def test_max_pool2d_equals_keras(
    height: int,
    width: int,
    size: int,
    stride: int,
    channel_count: int,
    padding: str,
    seed: int,
) -> None:
    if padding == "valid":
        height, width = max(height, size), max(width, size)
    # all below zero, so that padding with zeros would show
    x = numbers(seed, 2, height, width, channel_count) - 1
    assert_equal_to_keras(
        max_pool2d(x, size, stride, padding),
        layers.MaxPooling2D(size, stride, padding),
        x,
    )


def test_max_pool2d_halves_and_leaves_an_odd_last_row_and_column_out() -> None:
    found = max_pool2d(np.arange(25.0).reshape(1, 5, 5, 1))
    assert found[0, :, :, 0].tolist() == [[6, 8], [16, 18]]


@given(sides, channels, seeds)
def test_relu_equals_keras(count: int, width: int, seed: int) -> None:
    x = numbers(seed, count, width)
    assert_equal_to_keras(relu(x), layers.Activation("relu"), x)


@given(sides, sides, channels, seeds)
def test_batch_normalize_equals_keras(
    height: int, width: int, channel_count: int, seed: int
) -> None:
    x = numbers(seed, 2, height, width, channel_count)
    scale, shift, mean, variance = numbers(seed, 4, channel_count)
    # variances near 0 too, where epsilon counts
    weights = [scale, shift, mean, variance**4]
    assert_equal_to_keras(
        batch_normalize(x, *weights), set_up(layers.BatchNormalization(), weights, x), x
    )


@given(st.integers(1, 4), st.integers(1, 40), channels, seeds)
def test_dense_equals_keras(count: int, inputs: int, outputs: int, seed: int) -> None:
    x = numbers(seed, count, inputs)
    weights = [numbers(seed, inputs, outputs), numbers(seed, outputs)]
    assert_equal_to_keras(
        dense(x, *weights), set_up(layers.Dense(outputs), weights, x), x
    )


@given(st.integers(1, 4), st.integers(2, 12), st.sampled_from([1, 10, 1000]), seeds)
def test_softmax_equals_scipy_and_keras(
    count: int, classes: int, size: int, seed: int
) -> None:
    x = size * numbers(seed, count, classes)
    np.testing.assert_allclose(softmax(x), scipy.special.softmax(x, axis=1), atol=1e-6)
    assert_equal_to_keras(softmax(x), layers.Activation("softmax"), x)
    np.testing.assert_array_equal(
        softmax(np.stack([x, x])), np.stack([softmax(x), softmax(x)])
    )


@pytest.mark.parametrize(
    "dtype, wanted", [(np.uint8, np.float32), (np.float16, np.float32), (float, float)]
)
def test_softmax_takes_numbers_of_any_kind(dtype: Any, wanted: Any) -> None:
    found = softmax(np.array([[0, 255], [200, 1]]).astype(dtype))
    np.testing.assert_allclose(found, [[0, 1], [1, 0]], atol=1e-80)
    assert found.dtype == wanted


def test_softmax_takes_numbers_at_both_ends_of_their_range() -> None:
    np.testing.assert_array_equal(softmax(np.array([-3e38, 3e38], np.float32)), [0, 1])


IMAGES = np.zeros((2, 4, 3, 1))
NO_ARRAY: Any = [1]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: relu(NO_ARRAY),
            TypeError,
            r"^numbers must be a NumPy array .*shape \(n,\), got list",
        ),
        (lambda: relu(IMAGES * np.nan), ValueError, "^numbers must be finite"),
        (
            lambda: softmax(np.zeros((3, 0))),
            ValueError,
            "^logits must have shape .*not be empty",
        ),
        (lambda: softmax(np.array([np.inf])), ValueError, "^logits must be finite"),
        (
            lambda: max_pool2d(IMAGES[0]),
            ValueError,
            r"^images must have shape \(n, height, width, channels\)",
        ),
        (lambda: max_pool2d(IMAGES * np.nan), ValueError, "^images must be finite"),
        (
            lambda: max_pool2d(IMAGES, 4),
            ValueError,
            "^size must be a whole number from 1 to 3, got 4",
        ),
        (
            lambda: max_pool2d(IMAGES.swapaxes(1, 2), 4),
            ValueError,
            "^size must .* from 1 to 3, got 4",
        ),
        (
            lambda: max_pool2d(IMAGES, 0),
            ValueError,
            "^size must be a whole number from 1 to 3, got 0",
        ),
        (
            lambda: max_pool2d(IMAGES, 1001, 2, "same"),
            ValueError,
            "^size must .* from 1 to 1000, got 1001",
        ),
        (
            lambda: max_pool2d(IMAGES, 2, 0),
            ValueError,
            "^stride must be a whole number from 1",
        ),
        (
            lambda: max_pool2d(IMAGES, 2, 2, "full"),
            ValueError,
            "^padding must be one of valid, same, got 'full'",
        ),
    ],
)
def test_the_layers_name_what_is_wrong(
    call: Callable[[], Array], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        call()


def test_a_window_may_be_as_large_as_the_picture_or_one() -> None:
    assert max_pool2d(IMAGES, 3).shape == (2, 1, 1, 1)
    np.testing.assert_array_equal(max_pool2d(IMAGES, 1, 1), IMAGES)
    assert max_pool2d(IMAGES.swapaxes(1, 2), 3).shape == (2, 1, 1, 1)


# The whole network


@pytest.fixture(scope="module")
def network() -> Any:
    """The book's network with random weights, the normalizations' statistics included."""
    keras.utils.set_random_seed(0)
    network = models.build_cnn()
    random = np.random.default_rng(0)
    for layer in network.layers:
        if isinstance(layer, layers.BatchNormalization):
            shape = layer.gamma.shape
            lows_and_highs = ((0.5, 2), (-1, 1), (-1, 1), (0.1, 3))
            layer.set_weights(
                [random.uniform(low, high, shape) for low, high in lows_and_highs]
            )
        elif layer.weights:
            kernel, bias = layer.get_weights()
            layer.set_weights([kernel, random.uniform(-0.3, 0.3, bias.shape)])
    return network


def assert_forward_equals_keras(network: Any, x: Array) -> None:
    until_logits = keras.Model(network.inputs, network.get_layer("logits").output)
    expected = until_logits.predict(x, verbose=0)
    weights = {layer.name: layer.get_weights() for layer in network.layers}
    logits = np.concatenate(
        [forward(weights, some) for some in np.array_split(x, len(x) // 100)]
    )
    assert_close(logits, expected, atol=1e-4 * np.abs(expected).max())
    assert np.ptp(expected, axis=0).min() > 0.1  # the logits do depend on the digit


def test_forward_equals_the_network_in_keras(
    network: Any, mnist: dict[str, Array]
) -> None:
    assert_forward_equals_keras(
        network, mnist["x_test"][:200, ..., np.newaxis] / np.float32(255)
    )


def test_forward_equals_the_pretrained_network_on_1000_test_digits(
    mnist: dict[str, Array],
) -> None:
    x = mnist["x_test"][:1000, ..., np.newaxis] / np.float32(255)
    assert_forward_equals_keras(models.load_pretrained(), x)
