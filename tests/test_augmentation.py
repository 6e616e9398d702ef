"""RandomAffine: held to SciPy and to the generator of 2017."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.ndimage
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mnist_tutorial.augmentation import RandomAffine, with_augmentation
from mnist_tutorial.backend import keras

Images = NDArray[np.float32]
ops = keras.ops

# Each number that is sampled, the generator's name of it, and ends to try
NUMBERS = {
    "rotation": ("theta", -180, 180),
    "row_shift": ("tx", -9, 9),
    "column_shift": ("ty", -9, 9),
    "shear": ("shear", -80, 80),
    "row_zoom": ("zx", 0.3, 3),
    "column_zoom": ("zy", 0.3, 3),
}
SAMPLES = st.fixed_dictionaries(
    {name: st.floats(*ends) for name, (_, *ends) in NUMBERS.items()}
)


class Affine(RandomAffine):
    """The layer with given numbers instead of random ones."""

    def __init__(self, numbers: dict[str, float]) -> None:
        super().__init__()
        self.numbers = numbers

    def sample(self, n: Any, height: Any, width: Any) -> dict[str, Any]:
        return {name: ops.full((n,), number) for name, number in self.numbers.items()}


def move_with_scipy(image: Images, **numbers: float) -> Images:
    theta, slant = np.deg2rad([numbers["rotation"], numbers["shear"]])
    cos, sin = np.cos(theta), np.sin(theta)
    rotate = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    shift = np.eye(3)
    shift[:2, 2] = numbers["row_shift"], numbers["column_shift"]
    slide = np.array([[1, -np.sin(slant), 0], [0, np.cos(slant), 0], [0, 0, 1]])
    zoom = np.diag([numbers["row_zoom"], numbers["column_zoom"], 1])
    from_centre = np.eye(3)
    from_centre[:2, 2] = (np.array(image.shape) - 1) / 2
    matrix = from_centre @ rotate @ shift @ slide @ zoom @ np.linalg.inv(from_centre)
    return scipy.ndimage.affine_transform(
        image, matrix, order=1, mode="grid-constant", cval=0
    )


@pytest.fixture(scope="module")
def digits(mnist: dict[str, NDArray[np.uint8]]) -> Images:
    return mnist["x_test"][:8, ..., None].astype(np.float32) / np.float32(255)


# What one transform does


@pytest.mark.filterwarnings(
    "ignore:Please import .* from the `scipy.ndimage`:DeprecationWarning"
)
@given(numbers=SAMPLES, place=st.integers(0, 7))
def test_a_digit_moves_as_in_image_data_generator(
    digits: Images, numbers: dict[str, float], place: int
) -> None:
    image = digits[place, ..., 0]
    generator = tf.keras.preprocessing.image.ImageDataGenerator(fill_mode="constant")
    expected = generator.apply_transform(
        image.T[..., None],  # its first axis is x, the column; the layer's is the row
        {NUMBERS[name][0]: number for name, number in numbers.items()},
    )[..., 0].T
    moved = Affine(numbers)(image[None, ..., None], training=True)
    np.testing.assert_allclose(moved[0, ..., 0], expected, atol=1e-3)


# What the layer samples


def test_the_numbers_are_uniform_in_their_ranges_and_independent() -> None:
    layer = RandomAffine(rotation=20, shift=0.1, shear=30, zoom=0.25, seed=1)
    samples = layer.sample(20_000, 10, 40)
    centre_and_reach = {
        "rotation": (0, 20),
        "row_shift": (0, 1),
        "column_shift": (0, 4),
        "shear": (0, 30),
        "row_zoom": (1, 0.25),
        "column_zoom": (1, 0.25),
    }
    units = [
        (ops.convert_to_numpy(samples[name]) - centre) / reach
        for name, (centre, reach) in centre_and_reach.items()
    ]
    for unit in units:
        assert np.abs(unit).max() <= 1 + 1e-6
        np.testing.assert_allclose([unit.min(), unit.max()], [-1, 1], atol=0.001)
        np.testing.assert_allclose([unit.mean(), unit.var()], [0, 1 / 3], atol=0.015)
    np.testing.assert_allclose(np.corrcoef(units), np.eye(6), atol=0.03)


# The layer in a network


def test_each_picture_of_each_batch_moves_by_its_own_numbers() -> None:
    images = np.random.default_rng(0).uniform(size=(4, 9, 14, 2)).astype(np.float32)
    first, second = (RandomAffine(rotation=40, zoom=0.3, seed=7) for _ in range(2))
    for _ in range(2):
        samples = first.sample(4, 9, 14)
        moved = ops.convert_to_numpy(second(images, training=True))
        assert (moved.shape, str(moved.dtype)) == (images.shape, "float32")
        for place, channel in np.ndindex(4, 2):
            numbers = {name: float(number[place]) for name, number in samples.items()}
            expected = move_with_scipy(images[place, ..., channel], **numbers)
            np.testing.assert_allclose(moved[place, ..., channel], expected, atol=1e-4)


def test_the_seed_decides_and_no_batch_is_like_the_one_before(digits: Images) -> None:
    layers = [RandomAffine(seed=seed) for seed in (5, 5, 6)]
    first, same, other, second = (
        ops.convert_to_numpy(layer(digits, training=True))
        for layer in (*layers, layers[0])
    )
    np.testing.assert_array_equal(first, same)
    assert (first != other).any() and (first != second).any()


def test_in_front_of_a_network_it_moves_in_training_alone(digits: Images) -> None:
    network = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.ReLU()])
    learner = with_augmentation(network, {"rotation": 10}, seed=3)
    augment, inner = learner.layers
    assert augment.ranges == {"rotation": 10, "shift": 0, "shear": 0, "zoom": 0}
    assert (inner, augment.seed) == (network, 3)
    for output in (augment(digits), learner.predict(digits, verbose=0)):
        np.testing.assert_array_equal(output, digits)
    assert (ops.convert_to_numpy(learner(digits, training=True)) != digits).any()


def test_the_layer_comes_back_in_a_saved_model(digits: Images, tmp_path: Path) -> None:
    layer = RandomAffine(rotation=1, shift=0.2, shear=3, zoom=0.4, seed=5, name="moves")
    keras.Sequential([keras.Input((28, 28, 1)), layer]).save(tmp_path / "model.keras")
    (copy,) = keras.saving.load_model(tmp_path / "model.keras").layers
    assert isinstance(copy, RandomAffine)
    assert copy.get_config() == layer.get_config()
    moved = (each(digits, training=True) for each in (copy, layer))
    np.testing.assert_array_equal(*moved)


@pytest.mark.parametrize(
    ("name", "limit"), [("rotation", 180), ("shift", 1), ("shear", 90), ("zoom", 1)]
)
def test_a_range_that_makes_no_sense_is_refused(name: str, limit: int) -> None:
    for value in (-0.1, limit + 0.1, float("nan")):
        ranges: dict[str, Any] = {name: value}
        with pytest.raises(ValueError, match=name):
            RandomAffine(**ranges)
