"""Held to a linear network, where all can be worked out by hand, and to a small convolutional one."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mnist_tutorial import interpretation, models
from mnist_tutorial.backend import keras

Array = NDArray[Any]
layers = keras.layers


@pytest.fixture(scope="module")
def cnn() -> keras.Model:
    """A small network of the book's kind; its biases are not 0, as they would be before training."""
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(4, 3, bias_initializer="random_normal", name="conv_1"),
            layers.Activation("relu", name="relu_1"),
            layers.MaxPooling2D(2, name="pool_1"),
            layers.BatchNormalization(
                moving_mean_initializer="random_normal", name="norm_1"
            ),
            layers.Conv2D(
                5, (3, 2), strides=2, bias_initializer="random_normal", name="conv_2"
            ),
            layers.Activation("relu", name="relu_2"),
            layers.Flatten(name="flatten"),
            layers.Dropout(0.5, name="dropout"),
            layers.Dense(10, bias_initializer="random_normal", name="logits"),
            layers.Activation("softmax", name="softmax"),
        ]
    )
    return model


@pytest.fixture(scope="module")
def linear() -> keras.Model:
    keras.utils.set_random_seed(2)
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Flatten(),
            layers.Dense(10, bias_initializer="random_normal", name="logits"),
            layers.Activation("softmax"),
        ]
    )


def weights_between(linear: keras.Model, label: int, rival: int) -> Array:
    """The weight of each pixel in a linear network's margin."""
    kernel, _ = linear.get_layer("logits").get_weights()
    weights: Array = (kernel[:, label] - kernel[:, rival]).reshape(28, 28)
    return weights


@pytest.fixture(scope="module")
def images() -> Array:
    return np.random.default_rng(0).random((6, 28, 28, 1), dtype=np.float32)


@pytest.mark.parametrize("layer", ["conv_1", "norm_1", "relu_2", "dropout", "softmax"])
def test_feature_maps_are_what_keras_computes_up_to_that_layer(
    cnn: keras.Model, images: Array, layer: str
) -> None:
    expected = keras.Model(cnn.inputs, cnn.get_layer(layer).output).predict(
        images, verbose=0
    )
    np.testing.assert_allclose(
        interpretation.feature_maps(cnn, images, layer), expected, atol=1e-6
    )


def test_feature_maps_of_many_images_are_those_of_each(
    cnn: keras.Model, images: Array, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = interpretation.feature_maps(cnn, images, "relu_2")
    monkeypatch.setattr(interpretation, "BATCH", 4)
    np.testing.assert_allclose(
        interpretation.feature_maps(cnn, images, "relu_2"), whole, atol=1e-6
    )


def test_the_strongest_places_are_one_a_digit_in_their_order() -> None:
    maps = np.zeros((4, 5, 6, 2))
    maps[0, 4, 5, 1] = 2
    maps[1, 0, 3, 1], maps[1, 0, 4, 1] = 9, 8
    maps[3, 2, 0, 1] = 3
    maps[2, 1, 1, 0] = 99
    maps[2, :, :, 1] = 0.6  # much in all, little at each place
    assert interpretation.strongest(maps, 1, 3).tolist() == [
        [1, 0, 3],
        [3, 2, 0],
        [0, 4, 5],
    ]
    assert interpretation.strongest(maps, 0, 1).tolist() == [[2, 1, 1]]


@pytest.mark.parametrize("layer", ["conv_1", "relu_1", "pool_1", "conv_2", "relu_2"])
def test_a_receptive_field_holds_the_pixels_that_change_the_number_and_no_other(
    layer: str,
) -> None:
    """With weights of 1 nothing cancels: the pixels that count are found by lighting one at a time."""
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(1, 3, kernel_initializer="ones", name="conv_1"),
            layers.Activation("relu", name="relu_1"),
            layers.MaxPooling2D(2, name="pool_1"),
            layers.Conv2D(
                1, (3, 2), strides=2, kernel_initializer="ones", name="conv_2"
            ),
            layers.Activation("relu", name="relu_2"),
        ]
    )
    single_pixels = np.eye(784, dtype=np.float32).reshape(784, 28, 28, 1)
    maps = interpretation.feature_maps(model, single_pixels, layer)[..., 0].reshape(
        28, 28, -1
    )
    shape = model.get_layer(layer).output.shape[1:3]
    for place, (row, column) in enumerate(np.ndindex(*shape)):
        expected = np.zeros((28, 28), bool)
        expected[interpretation.receptive_field(model, layer, row, column)] = True
        np.testing.assert_array_equal(maps[..., place] > 0, expected)


def test_the_receptive_fields_of_the_books_network() -> None:
    model = models.build_cnn()
    sides = {"relu_1": 3, "relu_2": 6, "relu_3": 10, "relu_4": 16}
    for layer, side in sides.items():
        rows, columns = interpretation.receptive_field(model, layer, 1, 0)
        assert (rows.stop - rows.start, columns.stop - columns.start) == (side, side)
    assert interpretation.receptive_field(model, "relu_4", 3, 3) == (
        slice(12, 28),
        slice(12, 28),
    )


def test_a_field_past_the_maps_or_outside_of_them_is_refused(cnn: keras.Model) -> None:
    with pytest.raises(ValueError, match="logits has no maps"):
        interpretation.receptive_field(cnn, "logits", 0, 0)
    with pytest.raises(
        ValueError, match="column must be a whole number from 0 to 25, got 26"
    ):
        interpretation.receptive_field(cnn, "conv_1", 0, 26)
    padded = keras.Sequential(
        [keras.Input((28, 28, 1)), layers.Conv2D(1, 3, padding="same", name="wide")]
    )
    with pytest.raises(ValueError, match="wide has padding 'same'"):
        interpretation.receptive_field(padded, "wide", 0, 0)


def test_ascent_finds_the_input_that_excites_a_first_layer_filter_most(
    cnn: keras.Model,
) -> None:
    """Known exactly: ink where the filter's weight is positive, paper where it is negative."""
    kernel, bias = cnn.get_layer("conv_1").get_weights()
    start = np.full((4, 28, 28, 1), 0.5, np.float32)
    units = [(7, 9 + number, number) for number in range(4)]
    found = interpretation.ascend(cnn, start, "conv_1", units, size=20)
    for image, (row, column, number) in zip(found, units, strict=True):
        expected = np.full((28, 28, 1), 0.5)
        expected[row : row + 3, column : column + 3] = kernel[..., number] > 0
        np.testing.assert_allclose(image, expected, atol=1e-3)
        reached = interpretation.feature_maps(cnn, image[np.newaxis], "conv_1")[
            0, row, column, number
        ]
        best = np.maximum(kernel[..., number], 0).sum() + bias[number]
        assert reached == pytest.approx(best, abs=1e-3)


def test_ascent_raises_each_logit_and_keeps_to_the_range_of_pixels(
    cnn: keras.Model, images: Array
) -> None:
    units = np.array([[3], [1], [4], [1], [5], [9]])
    found = interpretation.ascend(cnn, images, "logits", units, steps=20)
    before, after = (
        np.take_along_axis(
            interpretation.feature_maps(cnn, pictures, "logits"), units, axis=1
        )
        for pictures in (images, found)
    )
    assert (after > before + 0.1).all()
    assert found.min() >= 0
    assert found.max() <= 1


def test_the_steps_of_an_ascent_are_as_long_as_they_are_said_to_be(
    linear: keras.Model,
) -> None:
    start = np.full((2, 28, 28, 1), 0.5, np.float32)
    found = interpretation.ascend(
        linear, start, "logits", [[7], [1]], steps=4, size=0.1
    )
    kernels = linear.get_layer("logits").get_weights()[0][:, [7, 1]].T
    expected = (
        0.1
        * (1 + 0.75 + 0.5 + 0.25)
        * kernels
        / np.linalg.norm(kernels, axis=1, keepdims=True)
    )
    np.testing.assert_allclose((found - start).reshape(2, -1), expected, atol=1e-6)


def test_ascent_refuses_a_unit_that_is_not_there(
    cnn: keras.Model, images: Array
) -> None:
    with pytest.raises(
        ValueError, match=r"units must have shape \(6, 3\).*got .*\(6, 2\)"
    ):
        interpretation.ascend(cnn, images, "conv_1", [(0, 0)] * 6)
    with pytest.raises(ValueError, match="from 0 to 3, got 4"):
        interpretation.ascend(cnn, images, "conv_1", [(0, 0, 4)] * 6)
    with pytest.raises(ValueError, match="from 0 to 9, got -1"):
        interpretation.ascend(cnn, images, "logits", [[-1]] * 6)


def test_the_margin_is_the_logarithm_of_how_many_times_as_probable(
    cnn: keras.Model, images: Array
) -> None:
    probabilities = cnn.predict(images, verbose=0)
    expected = np.log(probabilities[:, 2] / probabilities[:, 7])
    np.testing.assert_allclose(
        interpretation.margin(cnn, images, 2, 7), expected, atol=1e-4
    )


@pytest.mark.parametrize(("size", "fill"), [(1, 0.0), (3, 0.0), (5, 1.0), (27, 0.5)])
def test_occlusion_of_a_linear_network_is_the_sum_of_what_was_covered(
    linear: keras.Model, images: Array, size: int, fill: float
) -> None:
    found = interpretation.occlusion_map(linear, images[0], 2, 7, size, fill)
    parts = np.pad(
        weights_between(linear, 2, 7) * (images[0, :, :, 0] - fill), size // 2
    )
    windows = np.lib.stride_tricks.sliding_window_view(parts, (size, size))
    np.testing.assert_allclose(found, windows.sum(axis=(2, 3)), atol=1e-4)


def test_occlusion_leaves_the_image_alone(linear: keras.Model, images: Array) -> None:
    before = images.copy()
    interpretation.occlusion_map(linear, images[0], 2, 7)
    np.testing.assert_array_equal(images, before)


@pytest.mark.parametrize("size", [0, 4, -3])
def test_occlusion_needs_a_square_with_a_centre(
    linear: keras.Model, images: Array, size: int
) -> None:
    with pytest.raises(ValueError, match=f"size must be .*got {size}"):
        interpretation.occlusion_map(linear, images[0], 2, 7, size)


def test_integrated_gradients_of_a_linear_network_are_weight_times_ink(
    linear: keras.Model, images: Array
) -> None:
    found = interpretation.integrated_gradients(
        linear, images[:2], [2, 5], [7, 0], steps=3
    )
    for shares, image, (label, rival) in zip(
        found, images, [(2, 7), (5, 0)], strict=False
    ):
        expected = weights_between(linear, label, rival) * image[..., 0]
        np.testing.assert_allclose(shares, expected, atol=1e-5)


def test_integrated_gradients_add_up_to_the_change_of_the_margin(
    cnn: keras.Model, images: Array
) -> None:
    """The axiom that their authors call completeness."""
    labels, rivals = [2, 5, 0, 1, 9, 4], [7, 0, 3, 8, 4, 9]
    blank = np.zeros_like(images[:1])
    shares = interpretation.integrated_gradients(cnn, images, labels, rivals, steps=200)
    for share, image, label, rival in zip(shares, images, labels, rivals, strict=True):
        pair = np.concatenate([image[np.newaxis], blank])
        with_ink, without = interpretation.margin(cnn, pair, label, rival)
        assert abs(with_ink - without) > 0.05
        assert share.sum() == pytest.approx(with_ink - without, rel=0.02, abs=0.005)


def test_integrated_gradients_follow_a_curve_by_its_middles() -> None:
    """The logit of 0 is the square of one pixel: 0.8 squared is to be found, and with one step exactly."""
    square = layers.Lambda(lambda numbers: keras.ops.square(numbers[:, 5, 6, :]))
    logits = layers.Dense(
        10, kernel_initializer=lambda shape, dtype: np.eye(*shape), name="logits"
    )
    model = keras.Sequential([keras.Input((28, 28, 1)), square, logits])
    image = np.zeros((1, 28, 28, 1), np.float32)
    image[0, 5, 6], image[0, 2, 2] = 0.8, 1
    for steps in (1, 10):
        shares = interpretation.integrated_gradients(model, image, [0], [1], steps)
        assert shares[0, 5, 6] == pytest.approx(0.64)
        assert np.count_nonzero(shares) == 1


def test_a_label_is_needed_for_each_image(linear: keras.Model, images: Array) -> None:
    with pytest.raises(
        ValueError, match=r"labels must have shape \(6,\).*got .*\(2,\)"
    ):
        interpretation.integrated_gradients(linear, images, [1, 2], [3, 4])


@pytest.mark.parametrize("numbers", [[], [2], [0, 3]])
@pytest.mark.parametrize("values", [0, 0.7, np.float32(0.7), [0.1, 0.2, 0.3, 0.4]])
def test_switching_off_equals_a_filter_without_weights(
    cnn: keras.Model, images: Array, numbers: list[int], values: Any
) -> None:
    changed = keras.models.clone_model(cnn)
    changed.set_weights(cnn.get_weights())
    kernel, bias = changed.get_layer("conv_1").get_weights()
    kernel[..., numbers], bias[numbers] = 0, np.broadcast_to(values, 4)[numbers]
    changed.get_layer("conv_1").set_weights([kernel, bias])
    expected = interpretation.feature_maps(changed, images, "logits")
    found = interpretation.switch_off(cnn, images, "relu_1", numbers, values)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    intact = interpretation.feature_maps(cnn, images, "logits")
    assert np.allclose(found, intact, atol=1e-5) == (not numbers)


def test_what_a_filter_puts_out_instead_goes_on_to_the_next_layer(
    cnn: keras.Model, images: Array
) -> None:
    numbers = interpretation.feature_maps(cnn, images, "relu_1")
    numbers[..., 2] = -3
    for layer in cnn.layers[2:9]:
        numbers = layer(numbers)
    found = interpretation.switch_off(cnn, images, "relu_1", [2], -3)
    np.testing.assert_allclose(found, numbers, atol=1e-4)


def test_switching_off_needs_one_value_or_one_for_each_filter(
    cnn: keras.Model, images: Array
) -> None:
    with pytest.raises(
        ValueError, match=r"values must have shape \(4,\).*got .*\(2,\)"
    ):
        interpretation.switch_off(cnn, images, "relu_1", [0, 1], [0.5, 0.6])
    for values in (2e6, [0, 0, 0, 2e6]):
        with pytest.raises(ValueError, match=r"values must be .*2000000"):
            interpretation.switch_off(cnn, images, "relu_1", [0], values)


def test_nothing_is_switched_off_behind_the_logits(
    cnn: keras.Model, images: Array
) -> None:
    with pytest.raises(ValueError, match=r"layer must be .*'softmax'"):
        interpretation.switch_off(cnn, images, "softmax", [3])


def test_maps_of_whole_numbers_whose_negatives_may_not_fit_are_refused() -> None:
    with pytest.raises(TypeError, match="maps must be an array of floats"):
        interpretation.strongest(np.ones((1, 2, 2, 4), np.uint8), 0, 1)


@pytest.mark.parametrize("number", [4, -1, True, 1.0])
def test_a_filter_that_is_not_there_is_named(
    cnn: keras.Model, images: Array, number: Any
) -> None:
    with pytest.raises(
        ValueError, match=f"a filter's number must be .* from 0 to 3, got {number}"
    ):
        interpretation.switch_off(cnn, images, "relu_1", [number])
    with pytest.raises(
        ValueError, match=f"number must be .* from 0 to 3, got {number}"
    ):
        interpretation.strongest(np.zeros((1, 2, 2, 4)), number, 1)


def test_a_layer_that_is_not_there_is_named(cnn: keras.Model, images: Array) -> None:
    with pytest.raises(ValueError, match="relu_9"):
        interpretation.feature_maps(cnn, images, "relu_9")


@pytest.mark.parametrize("label", [-1, 10, 2.5])
def test_a_label_that_is_no_digit_is_named(
    linear: keras.Model, images: Array, label: Any
) -> None:
    with pytest.raises(
        ValueError, match=f"a label must be a whole number from 0 to 9, got {label}"
    ):
        interpretation.margin(linear, images, 0, label)
    with pytest.raises(
        ValueError, match=f"a label must be a whole number from 0 to 9, got {label}"
    ):
        interpretation.integrated_gradients(linear, images[:1], [label], [0])


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        (np.zeros((2, 28, 28, 1), np.uint8), TypeError, "floats.* got uint8"),
        ([[0.0]], TypeError, "got list"),
        (np.zeros((28, 28, 1)), ValueError, r"got .*\(28, 28, 1\)"),
        (np.zeros((2, 28, 29, 1)), ValueError, r"got .*\(2, 28, 29, 1\)"),
        (np.zeros((0, 28, 28, 1)), ValueError, r"got .*\(0, 28, 28, 1\)"),
    ],
)
def test_images_that_are_not_prepared_are_refused(
    cnn: keras.Model, wrong: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        interpretation.feature_maps(cnn, wrong, "relu_1")
