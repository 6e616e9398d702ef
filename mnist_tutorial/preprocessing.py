"""Bring digits and labels to the form that a network takes (chapters: reshaping, one_hot)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnist_tutorial import checks

CLASSES = 10
SIZE = 28  # the side of an MNIST picture, in pixels


def add_channel(
    images: NDArray[Any], data_format: str = "channels_last"
) -> NDArray[Any]:
    """Give grey images the channel axis that a convolution expects; no value changes.

    images: shape (n, height, width). Returns shape (n, height, width, 1) for "channels_last",
    (n, 1, height, width) for "channels_first". Raises TypeError or ValueError. Chapter: reshaping.
    """
    checks.array("images", images, ("n", "height", "width"))
    checks.choice("data_format", data_format, ("channels_last", "channels_first"))
    return (
        images[..., np.newaxis]
        if data_format == "channels_last"
        else images[:, np.newaxis]
    )


def scale_pixels(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Scale pixels from whole numbers 0..255 to float32 in [0, 1].

    images: uint8 of any shape. Raises TypeError for any other dtype, so that pixels which are
    scaled already are not scaled twice. Chapter: reshaping.
    """
    if not isinstance(images, np.ndarray) or images.dtype != np.uint8:
        raise TypeError(
            f"images must be a uint8 array with pixels 0 to 255, got {checks.shown(images)}."
        )
    return images.astype(np.float32) / np.float32(255)


def one_hot(labels: NDArray[Any]) -> NDArray[np.float32]:
    """Turn each label 0..9 into a row of ten numbers: 1 at the label's place, 0 elsewhere.

    labels: integers of shape (n,). Returns float32 of shape (n, 10), with the values that
    `keras.utils.to_categorical` gives. Raises TypeError or ValueError. Chapter: one_hot.
    """
    checks.array("labels", labels, ("n",), "iu")
    wrong = labels[(labels < 0) | (labels >= CLASSES)]
    if len(wrong):
        raise ValueError(f"labels must be whole numbers from 0 to 9, found {wrong[0]}.")
    return np.eye(CLASSES, dtype=np.float32)[labels]


def from_one_hot(rows: NDArray[Any]) -> NDArray[np.uint8]:
    """Turn one-hot rows back into labels 0..9.

    rows: shape (n, 10), each row one 1 and nine 0s. Returns uint8 of shape (n,). Raises TypeError or
    ValueError; for rows of probabilities use `argmax(axis=1)`. Chapter: one_hot.
    """
    checks.array("rows", rows, ("n", CLASSES))
    is_one_hot = ((rows == 0) | (rows == 1)).all(axis=1) & (
        (rows == 1).sum(axis=1) == 1
    )
    if not is_one_hot.all():
        index = int(np.argmin(is_one_hot))
        raise ValueError(
            f"each row must be one 1 and nine 0s, but row {index} is {rows[index]}."
        )
    return rows.argmax(axis=1).astype(np.uint8)


def prepare(
    images: NDArray[np.uint8], labels: NDArray[Any]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Bring digits and labels to the form in which the network learns from them.

    images: uint8 (n, 28, 28); labels: integers (n,). Returns float32 images (n, 28, 28, 1) in [0, 1]
    and float32 one-hot labels (n, 10). Raises TypeError or ValueError. Chapter: one_hot.
    """
    x, y = add_channel(scale_pixels(images)), one_hot(labels)
    if x.shape[1:] != (SIZE, SIZE, 1):
        raise ValueError(
            f"images must have shape (n, 28, 28), got {checks.shown(images)}."
        )
    if len(x) != len(y):
        raise ValueError(
            f"there must be one label for each image, got {len(x)} images and {len(y)} labels."
        )
    return x, y
