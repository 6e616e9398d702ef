from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mnist_tutorial import interpretation
from mnist_tutorial.backend import keras
from mnist_tutorial.interpretation import feature_maps, maximize_activation

Array = NDArray[Any]
layers = keras.layers
NORMAL = "random_normal"
IMAGES = np.random.default_rng(0).random((6, 28, 28, 1), dtype=np.float32)


@pytest.fixture(scope="module")
def cnn() -> keras.Model:
    """A small network of the book's kind, with biases other than their initial 0."""
    keras.utils.set_random_seed(1)
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(4, 3, bias_initializer=NORMAL, name="conv_1"),
            layers.Activation("relu", name="relu_1"),
            layers.MaxPooling2D(2, name="pool_1"),
            layers.BatchNormalization(moving_mean_initializer=NORMAL, name="norm_1"),
            layers.Conv2D(5, (3, 2), strides=2, name="conv_2"),
            layers.Activation("relu", name="relu_2"),
            layers.Flatten(name="flatten"),
            layers.Dropout(0.5, name="dropout"),
            layers.Dense(10, bias_initializer=NORMAL, name="logits"),
            layers.Activation("softmax", name="softmax"),
        ]
    )


@pytest.mark.parametrize("layer", ["conv_1", "norm_1", "softmax"])
def test_feature_maps_are_what_keras_computes_up_to_that_layer(
    cnn: keras.Model, layer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(interpretation, "BATCH", 4)  # so that 6 images take two
    part = keras.Model(cnn.inputs, cnn.get_layer(layer).output)
    expected = part.predict(IMAGES, verbose=0)
    found = feature_maps(cnn, IMAGES, layer)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_the_top_activations_are_one_place_per_image_the_strongest_first() -> None:
    maps = np.zeros((4, 5, 6, 2))
    maps[0, 4, 5, 1] = 2
    maps[1, 0, 3, 1], maps[1, 0, 4, 1] = 9, 8
    maps[3, 2, 0, 1] = 3
    maps[2, 1, 1, 0] = 99
    maps[2, :, :, 1] = 0.6  # a large sum, but little at each place
    expected = [[1, 0, 3], [3, 2, 0], [0, 4, 5]]
    assert interpretation.top_activations(maps, 1, 3).tolist() == expected
    assert interpretation.top_activations(maps, 0, 1).tolist() == [[2, 1, 1]]


@pytest.mark.parametrize("layer", ["conv_1", "pool_1", "relu_2"])
def test_a_receptive_field_holds_exactly_the_pixels_that_matter(layer: str) -> None:
    """We light one pixel at a time; with weights of 1 nothing cancels."""
    stack = [
        layers.Conv2D(1, 3, kernel_initializer="ones", name="conv_1"),
        layers.MaxPooling2D(2, name="pool_1"),
        layers.Conv2D(1, (3, 2), 2, kernel_initializer="ones", name="conv_2"),
        layers.Activation("relu", name="relu_2"),
    ]
    model = keras.Sequential([keras.Input((28, 28, 1)), *stack])
    single_pixels = np.eye(784, dtype=np.float32).reshape(784, 28, 28, 1)
    maps = feature_maps(model, single_pixels, layer)[..., 0]
    for row, column in np.ndindex(*maps.shape[1:]):
        expected = np.zeros((28, 28), bool)
        expected[interpretation.receptive_field(model, layer, row, column)] = True
        seen = maps[:, row, column].reshape(28, 28) > 0
        np.testing.assert_array_equal(seen, expected)
    end, edge = maps.shape[1:]
    for row, column in ((end, 0), (0, edge), (-1, 0), (0, -1)):
        with pytest.raises(ValueError, match=f"{layer} has no row {row}"):
            interpretation.receptive_field(model, layer, row, column)


def test_a_receptive_field_is_refused_where_there_is_none(cnn: keras.Model) -> None:
    with pytest.raises(ValueError, match="logits has no maps"):
        interpretation.receptive_field(cnn, "logits", 0, 0)
    wide = layers.Conv2D(1, 3, padding="same", name="wide")
    padded = keras.Sequential([keras.Input((28, 28, 1)), wide])
    with pytest.raises(ValueError, match="wide pads"):  # beyond the image
        interpretation.receptive_field(padded, "wide", 0, 0)


def test_ascent_finds_the_input_that_excites_a_first_layer_filter_most(
    cnn: keras.Model,
) -> None:
    """It is known: ink where the filter's weight is positive, paper elsewhere."""
    kernel, bias = cnn.get_layer("conv_1").get_weights()
    start = np.full((4, 28, 28, 1), 0.5, np.float32)
    units = np.array([(7, 9 + number, number) for number in range(4)])
    found = maximize_activation(cnn, start, "conv_1", units, size=20)
    maps = feature_maps(cnn, found, "conv_1")
    for image, its_maps, (row, column, number) in zip(found, maps, units, strict=True):
        expected = np.full((28, 28, 1), 0.5)
        expected[row : row + 3, column : column + 3] = kernel[..., number] > 0
        np.testing.assert_allclose(image, expected, atol=1e-3)
        best = np.maximum(kernel[..., number], 0).sum() + bias[number]
        assert its_maps[row, column, number] == pytest.approx(best, abs=1e-3)


def test_ascent_raises_each_logit_and_keeps_pixels_within_their_range(
    cnn: keras.Model,
) -> None:
    units = np.array([[3], [1], [4], [1], [5], [9]])
    found = maximize_activation(cnn, IMAGES, "logits", units, steps=20)
    before, after = (feature_maps(cnn, each, "logits") for each in (IMAGES, found))
    assert (np.take_along_axis(after - before, units, axis=1) > 0.1).all()
    assert 0 <= found.min() <= found.max() <= 1


@pytest.mark.parametrize(
    ("layer", "unit"), [("conv_1", [0, 0]), ("conv_1", [0, 0, 4]), ("logits", [-1])]
)
def test_ascent_refuses_a_unit_that_is_not_there(
    cnn: keras.Model, layer: str, unit: list[int]
) -> None:
    with pytest.raises(ValueError):
        maximize_activation(cnn, IMAGES, layer, np.array([unit] * 6))
