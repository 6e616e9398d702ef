"""Bring digits and labels to the form that a network takes (chapters: reshaping, one_hot, draw)."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

CLASSES = 10
SIZE = 28  # the side of an MNIST picture, in pixels
BOX = 20  # the side of the box in it that the digit fills


def add_channel(images: NDArray[Any], data_format: str = "channels_last") -> NDArray[Any]:
    """Give grey images the channel axis that a convolution expects; no value changes.

    images: shape (n, height, width). Returns shape (n, height, width, 1) for "channels_last",
    (n, 1, height, width) for "channels_first". Raises TypeError or ValueError. Chapter: reshaping.
    """
    _check_array("images", images, "(n, height, width)", 3)
    if data_format not in ("channels_last", "channels_first"):
        raise ValueError(f'data_format must be "channels_last" or "channels_first", got {data_format!r}.')
    return images[..., np.newaxis] if data_format == "channels_last" else images[:, np.newaxis]


def scale_pixels(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Scale pixels from whole numbers 0..255 to float32 in [0, 1].

    images: uint8 of any shape. Raises TypeError for any other dtype, so that pixels which are
    scaled already are not scaled twice. Chapter: reshaping.
    """
    if not isinstance(images, np.ndarray) or images.dtype != np.uint8:
        raise TypeError(f"images must be a uint8 array with pixels 0 to 255, got {_describe(images)}.")
    return images.astype(np.float32) / np.float32(255)


def one_hot(labels: NDArray[Any]) -> NDArray[np.float32]:
    """Turn each label 0..9 into a row of ten numbers: 1 at the label's place, 0 elsewhere.

    labels: integers of shape (n,). Returns float32 of shape (n, 10), as `keras.utils.to_categorical`
    does. Raises TypeError or ValueError. Chapter: one_hot.
    """
    _check_array("labels", labels, "(n,)", 1)
    if not np.issubdtype(labels.dtype, np.integer):
        raise TypeError(f"labels must be whole numbers from 0 to 9, got {_describe(labels)}.")
    wrong = labels[(labels < 0) | (labels >= CLASSES)]
    if len(wrong):
        raise ValueError(f"labels must be whole numbers from 0 to 9, found {wrong[0]}.")
    return np.eye(CLASSES, dtype=np.float32)[labels]


def from_one_hot(rows: NDArray[Any]) -> NDArray[np.uint8]:
    """Turn one-hot rows back into labels 0..9.

    rows: shape (n, 10), each row one 1 and nine 0s. Returns uint8 of shape (n,). Raises TypeError or
    ValueError; for rows of probabilities use `argmax(axis=1)`. Chapter: one_hot.
    """
    _check_array("rows", rows, "(n, 10)", 2)
    if rows.shape[1] != CLASSES:
        raise ValueError(f"rows must have shape (n, 10), got {_describe(rows)}.")
    is_one_hot = ((rows == 0) | (rows == 1)).all(axis=1) & (rows.sum(axis=1) == 1)
    if not is_one_hot.all():
        index = int(np.argmin(is_one_hot))
        raise ValueError(f"each row must be one 1 and nine 0s, but row {index} is {rows[index]}.")
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
        raise ValueError(f"images must have shape (n, 28, 28), got {_describe(images)}.")
    if len(x) != len(y):
        raise ValueError(f"there must be one label for each image, got {len(x)} images and {len(y)} labels.")
    return x, y


def read_picture(path: str | Path) -> NDArray[np.uint8]:
    """Read a picture file (PNG, JPEG...) as grey levels: uint8 of shape (height, width).

    Transparent parts become white; a photo is turned upright as its camera noted. Raises
    FileNotFoundError, or ValueError if the file is no picture that can be read. Chapter: draw.
    """
    from PIL import Image, ImageOps  # the data chapters need no pictures from outside

    if not Path(path).is_file():
        raise FileNotFoundError(f"There is no file {path}.")
    try:
        with Image.open(path) as file:
            picture = ImageOps.exif_transpose(file).convert("RGBA")
            paper = Image.new("RGBA", picture.size, "white")
            return np.asarray(Image.alpha_composite(paper, picture).convert("L"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(
            f"{path} is not a picture that can be read; expected a PNG or JPEG file ({error})."
        ) from error


def center_digit(picture: NDArray[Any]) -> NDArray[np.uint8]:
    """Bring a picture of one digit to MNIST's form: light on dark, fitted to 20x20, centred in 28x28.

    picture: grey levels of shape (height, width), uint8 0..255 or float in [0, 1], dark on light or
    light on dark. Returns uint8 of shape (28, 28). Chapter: draw. The steps:

    1. The border shows the paper: its median is the paper's level, and what it varies by is noise.
    2. Ink is what differs from the paper, on the side (darker or lighter) that differs more.
    3. Noise counts as 0, the strongest ink as 1.
    4. The smallest box with all ink above 1/10 is scaled, its shape kept, to fit 20x20.
    5. It is placed in 28x28 with its centre of mass at pixel 14, as MNIST has it, to the nearest pixel.

    Raises TypeError or ValueError, for a picture without a digit too.
    """
    _check_array("picture", picture, "(height, width)", 2)
    if picture.dtype == np.uint8:
        grey = picture.astype(np.float64) / 255
    elif np.issubdtype(picture.dtype, np.floating):
        grey = picture.astype(np.float64)
        if not (np.isfinite(grey).all() and grey.min() >= 0 and grey.max() <= 1):
            raise ValueError(f"float pixels must lie in [0, 1], found {grey.min()} to {grey.max()}.")
    else:
        raise TypeError(f"picture must be uint8 or float, got {_describe(picture)}.")

    border = np.concatenate([grey[0], grey[-1], grey[1:-1, 0], grey[1:-1, -1]])
    paper = np.median(border)
    noise = 4 * np.median(np.abs(border - paper))
    darker, lighter = np.clip(paper - grey, 0, None), np.clip(grey - paper, 0, None)
    ink = darker if (darker**2).sum() > (lighter**2).sum() else lighter
    strongest = ink.max()
    if strongest - noise < 0.1:
        raise ValueError("The picture shows no digit: it is blank, or its ink hardly differs from its paper.")
    ink = np.clip((ink - noise) / (strongest - noise), 0, 1)

    rows, columns = np.flatnonzero((ink > 0.1).any(axis=1)), np.flatnonzero((ink > 0.1).any(axis=0))
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = BOX / max(ink.shape)
    height, width = (max(1, int(side * scale + 0.5)) for side in ink.shape)
    ink = _resampling(ink.shape[0], height) @ ink @ _resampling(ink.shape[1], width).T
    ink /= ink.max()

    top, left = _offset(ink.sum(axis=1)), _offset(ink.sum(axis=0))
    centred = np.zeros((SIZE, SIZE))
    centred[top : top + height, left : left + width] = ink
    return (centred * 255 + 0.5).astype(np.uint8)


def _resampling(length: int, new_length: int) -> NDArray[np.float64]:
    """Weights (new_length, length) of a triangle filter: it averages where a line shrinks."""
    step = length / new_length
    reach = max(step, 1)
    centres = (np.arange(new_length) + 0.5) * step
    distances = np.abs(np.arange(length) + 0.5 - centres[:, np.newaxis]) / reach
    weights = np.clip(1 - distances, 0, None)
    return weights / weights.sum(axis=1, keepdims=True)


def _offset(mass: NDArray[np.float64]) -> int:
    """Where a line of ink must start so that its centre of mass is at pixel 14."""
    centre = (np.arange(len(mass)) * mass).sum() / mass.sum()
    return int(np.clip(np.floor(SIZE / 2 - centre + 0.5), 0, SIZE - len(mass)))


def _check_array(name: str, array: Any, wanted: str, dimensions: int) -> None:
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{name} must be a NumPy array of shape {wanted}, got {_describe(array)}.")
    if array.ndim != dimensions or array.size == 0:
        raise ValueError(f"{name} must have shape {wanted} and not be empty, got {_describe(array)}.")


def _describe(value: Any) -> str:
    return (
        f"{value.dtype} of shape {value.shape}"
        if isinstance(value, np.ndarray)
        else f"{type(value).__name__} {value!r:.60}"
    )
