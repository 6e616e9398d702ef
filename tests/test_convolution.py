from typing import Any

import numpy as np
import pytest
import scipy.special
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mnist_tutorial import convolution, prepare
from mnist_tutorial.backend import keras
from mnist_tutorial.convolution import conv2d, convolve2d
from mnist_tutorial.weights import load_pretrained

Array = NDArray[Any]
layers = keras.layers
sides, windows, strides, channels = (st.integers(1, most) for most in (11, 5, 3, 6))
paddings: Any = st.sampled_from(["valid", "same"])
seeds = st.integers(0, 2**32 - 1)


def fit(sizes: tuple[int, int, int, int, str]) -> Any:
    """Enlarge a picture that is smaller than the window, unless it is padded."""
    height, width, rows, columns, padding = sizes
    if padding == "valid":
        height, width = max(height, rows), max(width, columns)
    return height, width, rows, columns, padding


sizes = st.tuples(sides, sides, windows, windows, paddings).map(fit)


def numbers(seed: int, *shape: int) -> Array:
    """Draw numbers from -1 to 1 in an array of this shape."""
    random = np.random.default_rng([seed, *shape])
    return random.uniform(-1, 1, shape).astype(np.float32)


def set_up(layer: Any, weights: list[Array], x: Array) -> Any:
    layer.build(x.shape)
    layer.set_weights(weights)
    return layer


def assert_equal_to_keras(found: Array, layer: Any, x: Array) -> None:
    expected = keras.ops.convert_to_numpy(layer(x))
    assert found.shape == expected.shape  # since assert_allclose would broadcast
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


# One picture, one kernel


@given(sizes, strides, seeds)
def test_convolve2d_equals_keras(sizes: Any, stride: int, seed: int) -> None:
    height, width, rows, columns, padding = sizes
    x, kernel = numbers(seed, 1, height, width, 1), numbers(seed, rows, columns, 1, 1)
    layer = layers.Conv2D(1, (rows, columns), stride, padding, use_bias=False)
    found = convolve2d(x[0, :, :, 0], kernel[:, :, 0, 0], stride, padding)
    assert_equal_to_keras(found[None, :, :, None], set_up(layer, [kernel], x), x)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int64])
def test_whole_numbers_give_whole_numbers_and_do_not_overflow(dtype: Any) -> None:
    largest = np.full((4, 4), 127, dtype)
    expected = np.full((2, 2), 9 * 127**2, np.int64)
    np.testing.assert_array_equal(
        convolve2d(largest, largest[:3, :3]), expected, strict=True
    )


# The layers


@given(sizes, channels, channels, strides, seeds)
def test_conv2d_equals_keras(
    sizes: Any, channels_in: int, filters: int, stride: int, seed: int
) -> None:
    height, width, rows, columns, padding = sizes
    x = numbers(seed, 3, height, width, channels_in)
    kernels = numbers(seed, rows, columns, channels_in, filters)
    weights = [kernels, numbers(seed, filters)]
    layer = layers.Conv2D(filters, (rows, columns), stride, padding)
    found = conv2d(x, *weights, stride=stride, padding=padding)
    assert found.dtype == np.float32
    assert_equal_to_keras(found, set_up(layer, weights, x), x)


@given(sizes, strides, channels, seeds)
def test_max_pool2d_equals_keras(
    sizes: Any, stride: int, count: int, seed: int
) -> None:
    height, width, *window, padding = sizes
    size = min(window)
    # All below zero, so that padding with zeros would show.
    x = numbers(seed, 2, height, width, count) - 1
    layer = layers.MaxPooling2D(size, stride, padding)
    assert_equal_to_keras(convolution.max_pool2d(x, size, stride, padding), layer, x)


@given(sides, sides, channels, seeds)
def test_relu_and_batch_normalize_equal_keras(
    height: int, width: int, count: int, seed: int
) -> None:
    x = numbers(seed, 2, height, width, count)
    assert_equal_to_keras(convolution.relu(x), layers.Activation("relu"), x)
    scale, shift, mean, variance = numbers(seed, 4, count)
    weights = [scale, shift, mean, variance**4]  # near 0 too, where epsilon counts
    layer = set_up(layers.BatchNormalization(), weights, x)
    assert_equal_to_keras(convolution.batch_normalize(x, *weights), layer, x)


@given(st.integers(1, 4), st.integers(1, 40), channels, seeds)
def test_dense_equals_keras(count: int, inputs: int, outputs: int, seed: int) -> None:
    x = numbers(seed, count, inputs)
    weights = [numbers(seed, inputs, outputs), numbers(seed, outputs)]
    layer = set_up(layers.Dense(outputs), weights, x)
    assert_equal_to_keras(convolution.dense(x, *weights), layer, x)


@given(st.integers(1, 4), st.integers(2, 12), st.sampled_from([1, 10, 1000]), seeds)
def test_softmax_equals_scipy(count: int, classes: int, size: int, seed: int) -> None:
    x = size * numbers(seed, count, classes)
    expected = scipy.special.softmax(x, axis=1)
    np.testing.assert_allclose(convolution.softmax(x), expected, atol=1e-6)


def test_one_bias_for_all_filters_is_refused_though_numpy_would_add_it() -> None:
    with pytest.raises(TypeError, match="bias"):
        conv2d(np.zeros((2, 4, 4, 3)), np.zeros((3, 3, 3, 5)), np.zeros(1))


def test_a_window_larger_than_the_picture_is_refused() -> None:
    for image in (np.zeros((2, 5)), np.zeros((5, 2)), np.zeros((0, 5))):
        with pytest.raises(ValueError, match="window"):
            convolve2d(image, np.zeros((3, 3)))


# The whole network


def test_forward_equals_the_pretrained_network(mnist: dict[str, Array]) -> None:
    x, _ = prepare(mnist["x_test"][:50], mnist["y_test"][:50])
    network = load_pretrained()
    until_logits = keras.Model(network.inputs, network.get_layer("logits").output)
    expected = until_logits.predict(x, verbose=0)
    weights = {layer.name: layer.get_weights() for layer in network.layers}
    logits = convolution.forward(weights, x)
    np.testing.assert_allclose(logits, expected, rtol=0, atol=1e-3)
