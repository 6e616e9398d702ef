"""The networks: their layers, shapes and parameters, worked out by hand."""

from collections.abc import Callable
from functools import reduce

import numpy as np
import pytest
import scipy.special
from numpy.typing import NDArray

from mnist_tutorial import models
from mnist_tutorial.backend import keras

Pixels = NDArray[np.float32]


@pytest.fixture(scope="module")
def digits(mnist: dict[str, NDArray[np.uint8]]) -> Pixels:
    return mnist["x_test"][:16, ..., None].astype(np.float32) / np.float32(255)


def with_random_weights(model: keras.Model) -> keras.Model:
    """Leave no weight 0, and no normalization that changes nothing."""
    generator = np.random.default_rng(0)
    for variable in model.weights:
        low, high = (0.5, 2) if "variance" in variable.path else (-0.1, 0.1)
        variable.assign(generator.uniform(low, high, variable.shape))
    return model


@pytest.fixture(scope="module")
def model() -> keras.Model:
    return with_random_weights(models.build_cnn())


def test_each_layer_has_the_shape_and_the_parameters_worked_out_by_hand(
    model: keras.Model,
) -> None:
    described = models.describe(model)
    assert described == [
        ("conv_1", (26, 26, 32), (3 * 3 * 1 + 1) * 32),
        ("relu_1", (26, 26, 32), 0),
        ("conv_2", (24, 24, 32), (3 * 3 * 32 + 1) * 32),
        ("pool_2", (12, 12, 32), 0),
        ("norm_2", (12, 12, 32), 4 * 32),
        ("relu_2", (12, 12, 32), 0),
        ("conv_3", (10, 10, 64), (3 * 3 * 32 + 1) * 64),
        ("relu_3", (10, 10, 64), 0),
        ("conv_4", (8, 8, 64), (3 * 3 * 64 + 1) * 64),
        ("pool_4", (4, 4, 64), 0),
        ("norm_4", (4, 4, 64), 4 * 64),
        ("relu_4", (4, 4, 64), 0),
        ("flatten", (1024,), 0),
        ("dense_5", (512,), (1024 + 1) * 512),
        ("norm_5", (512,), 4 * 512),
        ("relu_5", (512,), 0),
        ("dropout", (512,), 0),
        ("logits", (10,), (512 + 1) * 10),
        ("softmax", (10,), 0),
    ]
    assert model.count_params() == sum(count for *_, count in described) == 597_354
    plain = models.build_cnn(normalize=False)
    assert models.describe(plain) == [row for row in described if "norm" not in row[0]]
    assert plain.count_params() == 594_922


def test_the_deep_network_has_the_shapes_and_the_parameters_worked_out_by_hand() -> (
    None
):
    described = models.describe(models.build_deep_cnn())
    assert [row for row in described if row[2]] == [
        ("conv_1", (26, 26, 32), (3 * 3 * 1 + 1) * 32),
        ("conv_2", (24, 24, 32), (3 * 3 * 32 + 1) * 32),
        ("norm_2", (12, 12, 32), 4 * 32),
        ("conv_3", (10, 10, 64), (3 * 3 * 32 + 1) * 64),
        ("norm_3", (10, 10, 64), 4 * 64),
        ("conv_4", (10, 10, 64), (3 * 3 * 64 + 1) * 64),
        ("norm_4", (5, 5, 64), 4 * 64),
        ("conv_5", (5, 5, 128), (3 * 3 * 64 + 1) * 128),
        ("norm_5", (5, 5, 128), 4 * 128),
        ("conv_6", (3, 3, 128), (3 * 3 * 128 + 1) * 128),
        ("norm_6", (3, 3, 128), 4 * 128),
        ("logits", (10,), (3 * 3 * 128 + 1) * 10),
    ]


def test_the_layer_named_logits_gives_the_numbers_before_softmax(
    model: keras.Model, digits: Pixels
) -> None:
    logits = keras.Model(model.inputs[0], model.get_layer("logits").output)(digits)
    assert np.min(logits) < 0, "logits are no probabilities yet"
    np.testing.assert_allclose(
        model(digits), scipy.special.softmax(logits, axis=1), atol=1e-6
    )


def test_relu_before_pooling_gives_the_same(digits: Pixels) -> None:
    plain = with_random_weights(models.build_cnn(normalize=False))
    order = " ".join(layer.name for layer in plain.layers)
    articles = order.replace("pool_2 relu_2", "relu_2 pool_2")
    articles = articles.replace("pool_4 relu_4", "relu_4 pool_4")
    assert articles != order
    output = reduce(lambda x, name: plain.get_layer(name)(x), articles.split(), digits)
    np.testing.assert_array_equal(plain(digits), output)


def test_relu_makes_negative_numbers_0(model: keras.Model, digits: Pixels) -> None:
    layers = [layer for layer in model.layers if layer.name.startswith("relu")]
    outputs = [[layer.input, layer.output] for layer in layers]
    for before, after in keras.Model(model.inputs[0], outputs)(digits):
        assert np.min(before) < 0
        np.testing.assert_array_equal(after, np.maximum(before, 0))


@pytest.mark.parametrize("build", [models.build_cnn, models.build_deep_cnn])
def test_dropout_switches_off_the_fraction_asked_for(
    build: Callable[..., keras.Model],
) -> None:
    features = np.ones((1, 100_000), np.float32)
    for dropout in (0, 0.5):
        dropped = build(dropout=dropout).get_layer("dropout")(features, training=True)
        assert np.mean(np.equal(dropped, 0)) == pytest.approx(dropout, abs=0.01)


@pytest.mark.parametrize("build", [models.build_cnn, models.build_deep_cnn])
def test_a_network_is_the_same_when_keras_puts_the_channels_first(
    build: Callable[..., keras.Model], digits: Pixels
) -> None:
    expected = with_random_weights(build())
    keras.config.set_image_data_format("channels_first")
    try:
        model = with_random_weights(build())
        np.testing.assert_array_equal(model(digits), expected(digits))
    finally:
        keras.config.set_image_data_format("channels_last")
