"""Random small rotations, shifts, shears and zooms, as one Keras layer."""

from collections.abc import Mapping
from typing import Any, no_type_check

import numpy as np

from mnist_tutorial.backend import keras
from mnist_tutorial.scalars import Number, Seed

ops = keras.ops


def affine_coefficients(
    rotation: Any,
    row_shift: Any,
    column_shift: Any,
    shear: Any,
    row_zoom: Any,
    column_zoom: Any,
    height: Any,
    width: Any,
) -> Any:
    """Compose one rotation, shift, shear and zoom per image into Keras's eight numbers.

    Each of the six is a tensor of shape (n,): angles in degrees, shifts in pixels,
    zooms as factors. The matrix is rotation @ shift @ shear @ zoom, in (row, column)
    from the centre, as in Keras's `ImageDataGenerator` of 2017. It says where a pixel
    of the new image comes from, so a zoom of 2 shows the digit at half its size.
    Returns (n, 8) for `keras.ops.image.affine_transform`, which has x (columns) before
    y (rows).
    """
    theta = rotation * (np.pi / 180)
    slant = (rotation + shear) * (np.pi / 180)
    x_from_x, x_from_y = ops.cos(slant) * column_zoom, ops.sin(theta) * row_zoom
    y_from_x, y_from_y = -ops.sin(slant) * column_zoom, ops.cos(theta) * row_zoom
    x_centre, y_centre = (width - 1) / 2, (height - 1) / 2
    x_shift = ops.sin(theta) * row_shift + ops.cos(theta) * column_shift
    y_shift = ops.cos(theta) * row_shift - ops.sin(theta) * column_shift
    x_start = x_centre + x_shift - x_from_x * x_centre - x_from_y * y_centre
    y_start = y_centre + y_shift - y_from_x * x_centre - y_from_y * y_centre
    zero = ops.zeros_like(theta)
    rows = [x_from_x, x_from_y, x_start, y_from_x, y_from_y, y_start, zero, zero]
    return ops.stack(rows, axis=1)


@no_type_check  # leaves the methods as they are: Keras reads their signatures
@keras.saving.register_keras_serializable(package="mnist_tutorial")
class RandomAffine(keras.layers.Layer):
    """Rotate, shift, shear and zoom each image at random, with a single interpolation.

    Takes and returns float images (n, height, width, channels), and acts only where
    `training=True`; outside a picture lies paper, 0. Each range extends equally in both
    directions: `rotation` and `shear` in degrees, `shift` as a fraction of each side,
    `zoom` around the factor 1. With a seed, the samples can be repeated.
    """

    def __init__(
        self,
        rotation: Number = 8,
        shift: Number = 0.08,
        shear: Number = 17,
        zoom: Number = 0.08,
        seed: Seed | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        ranges = {"rotation": rotation, "shift": shift, "shear": shear, "zoom": zoom}
        for (name, value), largest in zip(ranges.items(), (180, 1, 90, 1), strict=True):
            if not 0 <= value <= largest:
                raise ValueError(f"{name} must be from 0 to {largest}, got {value}.")
        self.ranges, self.seed = ranges, seed
        self.input_spec = keras.layers.InputSpec(ndim=4)
        self.seed_generator = keras.random.SeedGenerator(seed)
        # The TensorFlow kernel behind affine_transform has no XLA version.
        self.supports_jit = keras.backend.backend() != "tensorflow"

    def sample(self, n: Any, height: Any, width: Any) -> dict[str, Any]:
        """Sample six numbers per image, uniformly, for `affine_coefficients`."""
        numbers = keras.random.uniform((6, n), -1, 1, seed=self.seed_generator)
        rotation, row_shift, column_shift, shear, *zooms = ops.unstack(numbers, 6)
        return {
            "rotation": self.ranges["rotation"] * rotation,
            "row_shift": self.ranges["shift"] * height * row_shift,
            "column_shift": self.ranges["shift"] * width * column_shift,
            "shear": self.ranges["shear"] * shear,
            "row_zoom": 1 + self.ranges["zoom"] * zooms[0],
            "column_zoom": 1 + self.ranges["zoom"] * zooms[1],
        }

    def call(self, images: Any, training: bool = False) -> Any:
        if not training:
            return images
        n, height, width, _ = ops.shape(images)
        samples = self.sample(n, height, width)
        return ops.image.affine_transform(
            images,
            affine_coefficients(**samples, height=height, width=width),
            interpolation="bilinear",
            fill_mode="constant",
            fill_value=0,
            data_format="channels_last",
        )

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.ranges, "seed": self.seed}


def with_augmentation(
    model: keras.Model, ranges: Mapping[str, Number], seed: Seed
) -> keras.Model:
    """Put RandomAffine in front of a network; a range that is not named is 0."""
    still = {"rotation": 0, "shift": 0, "shear": 0, "zoom": 0}
    augment = RandomAffine(**{**still, **ranges}, seed=seed)
    return keras.Sequential([keras.Input(model.input_shape[1:]), augment, model])
