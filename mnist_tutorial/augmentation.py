"""Random small rotations, shifts, shears and zooms, as one Keras layer (chapter: augmentation)."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from mnist_tutorial import checks
from mnist_tutorial.backend import keras

ops = keras.ops
LARGEST = {"rotation": 180, "shift": 1, "shear": 90, "zoom": 1}


def check_ranges(ranges: Mapping[str, Any]) -> dict[str, float]:
    """Return ranges, if RandomAffine has them; one that is not named is 0. Raises ValueError."""
    for name in ranges:
        checks.choice("a range of augmentation", name, LARGEST)
    return {
        name: checks.number_between(name, ranges.get(name, 0), 0, most)
        for name, most in LARGEST.items()
    }


def affine_coefficients(
    rotation: Any,
    row_shift: Any,
    column_shift: Any,
    shear: Any,
    row_zoom: Any,
    column_zoom: Any,
    height: int,
    width: int,
) -> Any:
    """Compose one rotation, shift, shear and zoom an image into the eight numbers that Keras wants.

    Each argument is a tensor of shape (batch,): `rotation` and `shear` in degrees, the shifts in
    pixels, the zooms as factors. The order is that of Keras's `ImageDataGenerator` of 2017: the matrix
    is rotation @ shift @ shear @ zoom, in (row, column) coordinates from the centre of the picture. It
    answers the question "where does this output pixel come from?", so a zoom of 2 shows the digit at
    half its size, and a row shift of 3 reads three rows below.

    Returns a tensor of shape (batch, 8), as `keras.ops.image.affine_transform` takes it: x (the
    column) before y (the row). Chapter: augmentation.
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
    return ops.stack(
        [x_from_x, x_from_y, x_start, y_from_x, y_from_y, y_start, zero, zero], axis=1
    )


@keras.saving.register_keras_serializable(package="mnist_tutorial")
class RandomAffine(keras.layers.Layer):
    """Rotate, shift, shear and zoom each image at random, with a single interpolation.

    Takes and returns float images of shape (batch, height, width, channels); pixels that come from
    outside the picture are 0. It acts only in training (`training=True`). Chapter: augmentation.

    rotation: largest angle, in degrees, either way.
    shift: largest shift, as a fraction of the height and of the width, either way.
    shear: largest shear angle, in degrees, either way.
    zoom: the zoom factors (one for the height, one for the width) are drawn from 1 - zoom to 1 + zoom.
    seed: an integer makes the draws repeatable.

    Raises ValueError if a range is not a number, is negative, or could turn the picture inside out, if the
    seed is none, or if it is given anything but float images of that shape.
    """

    def __init__(
        self,
        rotation: float = 8,
        shift: float = 0.08,
        shear: float = 17,
        zoom: float = 0.08,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_ranges(
            {"rotation": rotation, "shift": shift, "shear": shear, "zoom": zoom}
        )
        if seed is not None:
            checks.seed(seed)
        self.rotation, self.shift, self.shear, self.zoom, self.seed = (
            rotation,
            shift,
            shear,
            zoom,
            seed,
        )
        self.input_spec = keras.layers.InputSpec(ndim=4)
        self.seed_generator = keras.random.SeedGenerator(seed)
        # The TensorFlow kernel behind affine_transform has no XLA version.
        self.supports_jit = keras.backend.backend() != "tensorflow"

    def draw(self, batch_size: Any, height: int, width: int) -> dict[str, Any]:
        """Draw the six numbers of each image, uniformly: the arguments of `affine_coefficients`."""
        numbers = keras.random.uniform((6, batch_size), -1, 1, seed=self.seed_generator)
        rotation, row_shift, column_shift, shear, row_zoom, column_zoom = ops.unstack(
            numbers, 6
        )
        return {
            "rotation": self.rotation * rotation,
            "row_shift": self.shift * height * row_shift,
            "column_shift": self.shift * width * column_shift,
            "shear": self.shear * shear,
            "row_zoom": 1 + self.zoom * row_zoom,
            "column_zoom": 1 + self.zoom * column_zoom,
        }

    def call(self, images: Any, training: bool = False) -> Any:
        if "float" not in keras.backend.standardize_dtype(images.dtype):
            raise ValueError(
                f"images must be floats, as `prepare` makes them, got {images.dtype}."
            )
        if not training:
            return images
        batch_size, height, width, _ = ops.shape(images)
        coefficients = affine_coefficients(
            **self.draw(batch_size, height, width), height=height, width=width
        )
        return ops.image.affine_transform(
            images,
            coefficients,
            interpolation="bilinear",
            fill_mode="constant",
            fill_value=0,
            data_format="channels_last",
        )

    def compute_output_shape(
        self, input_shape: tuple[int | None, ...]
    ) -> tuple[int | None, ...]:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        ranges = {
            "rotation": self.rotation,
            "shift": self.shift,
            "shear": self.shear,
            "zoom": self.zoom,
        }
        return {**super().get_config(), **ranges, "seed": self.seed}
