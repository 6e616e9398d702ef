from typing import Any

import numpy as np
import pytest
import scipy.signal
from numpy.typing import NDArray

from mnist_tutorial import attribution
from mnist_tutorial.attribution import ablate_filters, integrated_gradients
from mnist_tutorial.backend import keras
from mnist_tutorial.interpretation import feature_maps
from mnist_tutorial.weights import load_pretrained

Array = NDArray[Any]
layers = keras.layers
IMAGES = np.random.default_rng(0).random((6, 28, 28, 1), dtype=np.float32)


@pytest.fixture(scope="module")
def network() -> keras.Model:
    return load_pretrained()


@pytest.fixture(scope="module")
def linear() -> keras.Model:
    """A network whose margin is a weighted sum of the pixels."""
    keras.utils.set_random_seed(2)
    dense = layers.Dense(10, bias_initializer="random_normal", name="logits")
    stack = [layers.Flatten(), dense, layers.Activation("softmax")]
    return keras.Sequential([keras.Input((28, 28, 1)), *stack])


def weights_between(linear: keras.Model, label: int, rival: int) -> Array:
    """The weight of each pixel in a linear network's margin."""
    kernel, _ = linear.get_layer("logits").get_weights()
    return (kernel[:, label] - kernel[:, rival]).reshape(28, 28)


def test_the_margin_is_the_logarithm_of_the_ratio_of_probabilities(
    linear: keras.Model,
) -> None:
    probabilities = linear.predict(IMAGES, verbose=0)
    expected = np.log(probabilities[:, 2] / probabilities[:, 7])
    found = attribution.margin(linear, IMAGES, 2, 7)
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize(("size", "fill"), [(1, 0), (4, 1.0), (27, 0.5)])
def test_occlusion_of_a_linear_network_is_the_sum_of_what_was_covered(
    linear: keras.Model, size: int, fill: float
) -> None:
    found = attribution.occlusion_map(linear, IMAGES[0], 2, 7, size, fill)
    parts = weights_between(linear, 2, 7) * (IMAGES[0, :, :, 0] - fill)
    expected = scipy.signal.convolve2d(parts, np.ones((size, size)), mode="same")
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_integrated_gradients_of_a_linear_network_are_weight_times_ink(
    linear: keras.Model,
) -> None:
    labels, rivals = np.array([2, 5]), np.array([7, 0])
    found = integrated_gradients(linear, IMAGES[:2], labels, rivals, steps=3)
    for parts, image, *pair in zip(found, IMAGES[:2], labels, rivals, strict=True):
        expected = weights_between(linear, *pair) * image[..., 0]
        np.testing.assert_allclose(parts, expected, atol=1e-5)


def test_integrated_gradients_take_the_gradient_in_the_middle_of_each_step() -> None:
    """For the square of a pixel, the logit of 0 here, even one step is exact."""
    square = layers.Lambda(lambda numbers: keras.ops.square(numbers[:, 5, 6, :]))
    logits = layers.Dense(10, kernel_initializer="zeros", name="logits")
    model = keras.Sequential([keras.Input((28, 28, 1)), square, logits])
    logits.kernel.assign(np.eye(1, 10))
    image = np.zeros((1, 28, 28, 1), np.float32)
    image[0, 5, 6], image[0, 2, 2] = 0.8, 1
    for steps in (1, 10):
        parts = integrated_gradients(model, image, np.array([0]), np.array([1]), steps)
        assert parts[0, 5, 6] == pytest.approx(0.64)
        assert np.count_nonzero(parts) == 1


@pytest.mark.parametrize("filters", [[], [2, 30]])
@pytest.mark.parametrize("values", [0, 0.7, np.linspace(0, 1, 32)])
def test_ablation_equals_filters_with_weights_of_zero_and_the_value_as_bias(
    network: keras.Model, filters: list[int], values: Any
) -> None:
    changed = load_pretrained()
    kernel, bias = changed.get_layer("conv_1").get_weights()
    kernel[..., filters] = 0
    bias[filters] = np.broadcast_to(values, 32)[filters]
    changed.get_layer("conv_1").set_weights([kernel, bias])
    chosen = np.array(filters, int)
    found = ablate_filters(network, IMAGES, "relu_1", chosen, values)
    expected = feature_maps(changed, IMAGES, "logits")
    np.testing.assert_allclose(found, expected, atol=1e-4)
    intact = feature_maps(network, IMAGES, "logits")
    assert np.allclose(found, intact, atol=1e-4) == (not filters)


def test_ablation_refuses_filters_and_layers_that_are_not_there(
    network: keras.Model,
) -> None:
    with pytest.raises(IndexError):
        ablate_filters(network, IMAGES, "relu_1", np.array([32]))
    with pytest.raises(ValueError, match="softmax"):
        ablate_filters(network, IMAGES, "softmax", np.array([3]))
