from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.ndimage
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mnist_tutorial.augmentation import RandomAffine
from mnist_tutorial.backend import keras

Images = NDArray[np.float32]
ops = keras.ops

STILL = {
    "rotation": 0.0,
    "row_shift": 0.0,
    "column_shift": 0.0,
    "shear": 0.0,
    "row_zoom": 1.0,
    "column_zoom": 1.0,
}
NUMBERS = {
    "rotation": st.floats(-180, 180),
    "row_shift": st.floats(-9, 9),
    "column_shift": st.floats(-9, 9),
    "shear": st.floats(-80, 80),
    "row_zoom": st.floats(0.3, 3),
    "column_zoom": st.floats(0.3, 3),
}
GENERATOR_NAMES = {
    "rotation": "theta",
    "row_shift": "tx",
    "column_shift": "ty",
    "shear": "shear",
    "row_zoom": "zx",
    "column_zoom": "zy",
}
sides = st.integers(1, 13)


class Affine(RandomAffine):
    """The layer with given numbers instead of random ones."""

    def __init__(self, **numbers: float) -> None:
        super().__init__()
        self.numbers = STILL | numbers

    def draw(self, batch_size: Any, height: int, width: int) -> dict[str, Any]:
        return {
            name: ops.full((batch_size,), number)
            for name, number in self.numbers.items()
        }


def move(image: Images, **numbers: float) -> Images:
    moved: Images = ops.convert_to_numpy(
        Affine(**numbers)(image[None, ..., None], training=True)
    )
    return moved[0, ..., 0]


def move_with_scipy(
    image: Images,
    rotation: float,
    row_shift: float,
    column_shift: float,
    shear: float,
    row_zoom: float,
    column_zoom: float,
) -> Images:
    theta, slant = np.deg2rad(rotation), np.deg2rad(shear)
    rotate = np.array(
        [
            [np.cos(theta), -np.sin(theta), 0],
            [np.sin(theta), np.cos(theta), 0],
            [0, 0, 1],
        ]
    )
    shift = np.array([[1, 0, row_shift], [0, 1, column_shift], [0, 0, 1]])
    slide = np.array([[1, -np.sin(slant), 0], [0, np.cos(slant), 0], [0, 0, 1]])
    zoom = np.diag([row_zoom, column_zoom, 1])
    from_centre = np.eye(3)
    from_centre[:2, 2] = (np.array(image.shape) - 1) / 2
    matrix = from_centre @ rotate @ shift @ slide @ zoom @ np.linalg.inv(from_centre)
    return scipy.ndimage.affine_transform(
        image, matrix, order=1, mode="grid-constant", cval=0
    )


def random_image(height: int, width: int) -> Images:
    return np.random.default_rng(0).uniform(0.2, 1, (height, width)).astype(np.float32)


@pytest.fixture(scope="module")
def digits(mnist: dict[str, NDArray[np.uint8]]) -> Images:
    return mnist["x_test"][:8, ..., None].astype(np.float32) / np.float32(255)


# What one transform does


@pytest.mark.parametrize("name", NUMBERS)
@given(data=st.data(), height=sides, width=sides)
def test_each_transform_alone_equals_scipy(
    name: str, data: st.DataObject, height: int, width: int
) -> None:
    numbers = STILL | {name: data.draw(NUMBERS[name])}
    image = random_image(height, width)
    np.testing.assert_allclose(
        move(image, **numbers), move_with_scipy(image, **numbers), atol=1e-4
    )


@given(numbers=st.fixed_dictionaries(NUMBERS), height=sides, width=sides)
def test_all_transforms_together_equal_the_product_of_their_matrices(
    numbers: dict[str, float], height: int, width: int
) -> None:
    image = random_image(height, width)
    np.testing.assert_allclose(
        move(image, **numbers), move_with_scipy(image, **numbers), atol=1e-4
    )


@pytest.mark.filterwarnings(
    "ignore:Please import .* from the `scipy.ndimage`:DeprecationWarning"
)
@given(numbers=st.fixed_dictionaries(NUMBERS), place=st.integers(0, 7))
def test_a_digit_moves_as_in_image_data_generator(
    digits: Images, numbers: dict[str, float], place: int
) -> None:
    image = digits[place, ..., 0]
    generator = tf.keras.preprocessing.image.ImageDataGenerator(fill_mode="constant")
    expected = generator.apply_transform(
        image.T[..., None],  # its first axis is x, the column; the layer's is the row
        {GENERATOR_NAMES[name]: number for name, number in numbers.items()},
    )[..., 0].T
    np.testing.assert_allclose(move(image, **numbers), expected, atol=1e-3)


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ({"row_shift": 1}, [[4, 5, 6], [7, 8, 9], [0, 0, 0]]),
        ({"row_shift": -1}, [[0, 0, 0], [1, 2, 3], [4, 5, 6]]),
        ({"column_shift": 1}, [[2, 3, 0], [5, 6, 0], [8, 9, 0]]),
        ({"column_shift": 0.5}, [[1.5, 2.5, 1.5], [4.5, 5.5, 3], [7.5, 8.5, 4.5]]),
        ({"rotation": 90}, [[7, 4, 1], [8, 5, 2], [9, 6, 3]]),
        ({"rotation": 180}, [[9, 8, 7], [6, 5, 4], [3, 2, 1]]),
        ({"shear": 90}, [[5, 2, 0], [8, 5, 2], [0, 8, 5]]),
        ({"row_zoom": 2}, [[0, 0, 0], [4, 5, 6], [0, 0, 0]]),
        ({"column_zoom": 0.5}, [[1.5, 2, 2.5], [4.5, 5, 5.5], [7.5, 8, 8.5]]),
    ],
)
def test_a_small_picture_moves_as_worked_out_by_hand(
    numbers: dict[str, float], expected: list[list[float]]
) -> None:
    picture = np.arange(1, 10, dtype=np.float32).reshape(3, 3)
    np.testing.assert_allclose(move(picture, **numbers), expected, atol=1e-5)


# What the layer draws


def draw(
    count: int = 20_000, height: int = 10, width: int = 40, **ranges: float
) -> dict[str, Any]:
    numbers = RandomAffine(seed=1, **ranges).draw(count, height, width)
    return {name: ops.convert_to_numpy(number) for name, number in numbers.items()}


def test_the_numbers_are_drawn_evenly_from_the_ranges_asked_for() -> None:
    drawn = draw(rotation=20, shift=0.1, shear=30, zoom=0.25)
    centre_and_reach = {
        "rotation": (0, 20),
        "row_shift": (0, 1),
        "column_shift": (0, 4),
        "shear": (0, 30),
        "row_zoom": (1, 0.25),
        "column_zoom": (1, 0.25),
    }
    assert drawn.keys() == centre_and_reach.keys()
    for name, (centre, reach) in centre_and_reach.items():
        unit = (drawn[name] - centre) / reach
        assert unit.shape == (20_000,)
        np.testing.assert_allclose([unit.min(), unit.max()], [-1, 1], atol=0.001)
        assert np.abs(unit).max() <= 1 + 1e-6
        np.testing.assert_allclose([unit.mean(), unit.var()], [0, 1 / 3], atol=0.015)


def test_each_number_is_drawn_by_itself() -> None:
    correlation = np.corrcoef(list(draw().values()))
    np.testing.assert_allclose(correlation, np.eye(6), atol=0.03)


def test_without_arguments_the_ranges_are_the_articles() -> None:
    layer = RandomAffine()
    assert (layer.rotation, layer.shift, layer.shear, layer.zoom) == (8, 0.08, 17, 0.08)


# The layer in a network


def test_zero_ranges_change_nothing(digits: Images) -> None:
    moved = RandomAffine(rotation=0, shift=0, shear=0, zoom=0)(digits, training=True)
    np.testing.assert_allclose(moved, digits, atol=1e-6)


def test_each_picture_moves_by_its_own_numbers() -> None:
    images = np.random.default_rng(0).uniform(size=(4, 9, 14, 2)).astype(np.float32)
    drawn = RandomAffine(rotation=40, shift=0.2, zoom=0.3, seed=7).draw(4, 9, 14)
    moved = ops.convert_to_numpy(
        RandomAffine(rotation=40, shift=0.2, zoom=0.3, seed=7)(images, training=True)
    )
    assert (moved.shape, str(moved.dtype)) == ((4, 9, 14, 2), "float32")
    for place, channel in np.ndindex(4, 2):
        numbers = {name: float(number[place]) for name, number in drawn.items()}
        expected = move_with_scipy(images[place, ..., channel], **numbers)
        np.testing.assert_allclose(moved[place, ..., channel], expected, atol=1e-4)


def test_outside_training_nothing_moves(digits: Images) -> None:
    layer = RandomAffine()
    network = keras.Sequential([keras.Input((28, 28, 1)), layer])
    for output in (
        layer(digits),
        layer(digits, training=False),
        network.predict(digits, verbose=0),
    ):
        np.testing.assert_array_equal(output, digits)
    assert (ops.convert_to_numpy(network(digits, training=True)) != digits).any()


def test_the_same_seed_gives_the_same_pictures(digits: Images) -> None:
    first, again, other = (
        ops.convert_to_numpy(RandomAffine(seed=seed)(digits, training=True))
        for seed in (5, 5, 6)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_each_batch_moves_otherwise(digits: Images) -> None:
    layer = RandomAffine(seed=5)
    first, second = (
        ops.convert_to_numpy(layer(digits, training=True)) for _ in range(2)
    )
    assert (first != second).any()


def test_the_layer_comes_back_from_its_configuration(digits: Images) -> None:
    layer = RandomAffine(rotation=1, shift=0.2, shear=3, zoom=0.4, seed=5, name="moves")
    copy = RandomAffine.from_config(layer.get_config())
    assert copy.get_config() == layer.get_config()
    np.testing.assert_array_equal(
        copy(digits, training=True), layer(digits, training=True)
    )


def test_the_layer_comes_back_in_a_saved_model(digits: Images, tmp_path: Path) -> None:
    layer = RandomAffine(rotation=1, shift=0.2, shear=3, zoom=0.4, seed=5)
    keras.Sequential([keras.Input((28, 28, 1)), layer]).save(tmp_path / "model.keras")
    copy = keras.saving.load_model(tmp_path / "model.keras").layers[0]
    assert isinstance(copy, RandomAffine)
    np.testing.assert_array_equal(
        copy(digits, training=True), layer(digits, training=True)
    )


@pytest.mark.parametrize(
    ("name", "limit"), [("rotation", 180), ("shift", 1), ("shear", 90), ("zoom", 1)]
)
def test_a_range_that_makes_no_sense_is_refused(name: str, limit: int) -> None:
    for value in (
        -0.1,
        limit + 0.1,
        float("nan"),
        float("inf"),
        "8",
        None,
        True,
        (1, 2),
    ):
        with pytest.raises(ValueError, match=f"{name} .*0 to {limit}") as error:
            RandomAffine(**{name: value})  # type: ignore[arg-type]
        assert repr(value) in str(error.value)
    for value in (0, limit):
        assert RandomAffine(**{name: value}).get_config()[name] == value
