"""Bring images and labels into the form that a network expects."""

from typing import Literal

import numpy as np
from jaxtyping import Float32, Integer, Shaped, UInt8


def add_channel(
    images: Shaped[np.ndarray, "n height width"],
    data_format: Literal["channels_last", "channels_first"] = "channels_last",
) -> Shaped[np.ndarray, "n _ _ _"]:
    """Add the channel axis that a convolution expects, last or first."""
    if data_format == "channels_last":
        return images[:, :, :, np.newaxis]
    return images[:, np.newaxis, :, :]


def scale_pixels(images: UInt8[np.ndarray, "*shape"]) -> Float32[np.ndarray, "*shape"]:
    """Scale uint8 pixels to [0, 1]. Refusing floats prevents scaling twice."""
    return images.astype(np.float32) / np.float32(255)


def one_hot(labels: Integer[np.ndarray, "n"]) -> Float32[np.ndarray, "n 10"]:
    """Turn each label into a one-hot row: 1 at the label's index, 0 elsewhere.

    The same as `keras.utils.to_categorical`, but it raises ValueError for a label
    outside 0 to 9.
    """
    if np.any((labels < 0) | (labels > 9)):
        raise ValueError(f"labels must be 0 to 9, got {labels.min()}..{labels.max()}.")
    identity = np.eye(10, dtype=np.float32)  # its row k is the one-hot row of class k
    return identity[labels]


def prepare(
    images: UInt8[np.ndarray, "n 28 28"], labels: Integer[np.ndarray, "n"]
) -> tuple[Float32[np.ndarray, "n 28 28 1"], Float32[np.ndarray, "n 10"]]:
    """Prepare images and labels for training: channel axis, [0, 1], one-hot rows."""
    return add_channel(scale_pixels(images)), one_hot(labels)
