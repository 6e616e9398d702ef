"""Bring digits and labels to the form that a network takes (chapters: reshaping, one_hot, draw)."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnist_tutorial import checks

CLASSES = 10
SIZE = 28  # the side of an MNIST picture, in pixels
BOX = 20  # the side of the box in it that the digit fills
FORMATS = (
    "PNG",
    "JPEG",
    "GIF",
    "BMP",
    "WEBP",
)  # not EPS, which Pillow has another program execute


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


def read_picture(path: str | Path) -> NDArray[np.uint8]:
    """Read a picture file (PNG, JPEG...) as grey levels: uint8 of shape (height, width).

    Transparent parts become white; a photo is turned upright as its camera noted. Raises
    FileNotFoundError, or ValueError if the file is no picture that can be read. Chapter: draw.
    """
    from PIL import Image, ImageOps  # the data chapters need no pictures from outside

    path = checks.path(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {path}.")
    try:
        with warnings.catch_warnings(action="ignore"):  # of odd notes by a camera
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as file:
                file.verify()  # a PNG file has sums of its own, which nothing else looks at
            with Image.open(path, formats=FORMATS) as file:
                picture = ImageOps.exif_transpose(file)
                if picture.mode.startswith(
                    "I"
                ):  # 16 bits, which Pillow would clip and not scale to 8
                    picture = Image.fromarray(
                        (np.asarray(picture) // 257).astype(np.uint8)
                    )
                picture = picture.convert("RGBA")
                paper = Image.new("RGBA", picture.size, "white")
                return np.asarray(Image.alpha_composite(paper, picture).convert("L"))
    except (
        Exception
    ) as error:  # the readers of damaged files raise errors of many types
        raise ValueError(
            f"{path} is not a picture that can be read; expected a PNG or JPEG file ({error})."
        ) from error


def center_digit(picture: NDArray[Any]) -> NDArray[np.uint8]:
    """Bring a picture of one digit to MNIST's form: light on dark, fitted to 20x20, centred in 28x28.

    picture: grey levels of shape (height, width), uint8 0..255 or float in [0, 1], dark on light or
    light on dark. Returns uint8 of shape (28, 28). Chapter: draw. The steps:

    1. A picture with a side over 200 pixels is shrunk to 200.
    2. Otsu's threshold parts dark from light; the paper is the part to which most of the border belongs.
    3. A plane through the border's paper is the paper's level everywhere, under uneven light too.
    4. Ink is what is darker than the paper, or lighter if the paper is the dark part. What the border's
       paper varies by is noise and counts as 0; the strongest ink counts as 1.
    5. The smallest box with all ink above 1/10 is scaled, its shape kept, to fit 20x20.
    6. It is placed in 28x28 with its centre of mass at pixel 14, as MNIST has it, to the nearest pixel.

    Raises TypeError or ValueError, for a picture without a digit too. Source of the threshold: Otsu,
    A threshold selection method from gray-level histograms, 1979.
    """
    grey = _shrink(_as_grey(picture), 200)
    is_light = grey > _otsu_threshold(grey)
    edge = np.ones(grey.shape, bool)
    edge[1:-1, 1:-1] = False
    paper_is_light = is_light[edge].mean() > 0.5
    border = edge & (is_light == paper_is_light)

    places = np.stack([np.ones(grey.shape), *np.indices(grey.shape)], axis=-1)
    paper = places @ np.linalg.lstsq(places[border], grey[border], rcond=None)[0]
    ink = np.clip(paper - grey if paper_is_light else grey - paper, 0, None)
    noise = 4 * np.quantile(ink[border], 0.9)
    strongest = ink.max()
    if strongest - noise < 0.1:
        raise ValueError(
            "The picture shows no digit: it is blank, or its ink hardly differs from its paper."
        )
    ink = np.clip((ink - noise) / (strongest - noise), 0, 1)

    rows, columns = np.nonzero(ink > 0.1)
    ink = _fit(ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1], BOX)
    top, left = _offset(ink.sum(axis=1)), _offset(ink.sum(axis=0))
    centred = np.zeros((SIZE, SIZE))
    centred[top : top + ink.shape[0], left : left + ink.shape[1]] = ink / ink.max()
    return (centred * 255 + 0.5).astype(np.uint8)


def _as_grey(picture: NDArray[Any]) -> NDArray[np.float64]:
    """Check a picture and return its grey levels as float64 in [0, 1]."""
    checks.array("picture", picture, ("height", "width"))
    if picture.dtype == np.uint8:
        return picture / 255
    if picture.dtype.kind != "f":
        raise TypeError(f"picture must be uint8 or float, got {checks.shown(picture)}.")
    if not (np.isfinite(picture).all() and picture.min() >= 0 and picture.max() <= 1):
        raise ValueError(
            f"float pixels must lie in [0, 1], found {picture.min()} to {picture.max()}."
        )
    return picture.astype(np.float64)


def _otsu_threshold(grey: NDArray[np.float64]) -> float:
    """Find the grey level that parts the pixels into two groups with the least spread within them."""
    counts = np.bincount((grey * 255 + 0.5).astype(int).ravel(), minlength=256).astype(
        float
    )
    below, total = np.cumsum(counts), counts.sum()
    sum_below = np.cumsum(counts * np.arange(256))
    apart = (sum_below * total - sum_below[-1] * below) ** 2 / np.maximum(
        below * (total - below), 1
    )
    return (apart.argmax() + 0.5) / 255


def _shrink(picture: NDArray[np.float64], side: int) -> NDArray[np.float64]:
    return _fit(picture, side) if max(picture.shape) > side else picture


def _fit(picture: NDArray[np.float64], side: int) -> NDArray[np.float64]:
    """Scale a picture, its shape kept, so that its longer side has this many pixels."""
    scale = side / max(picture.shape)
    height, width = (max(1, int(length * scale + 0.5)) for length in picture.shape)
    fitted = (
        _resampling(picture.shape[0], height)
        @ picture
        @ _resampling(picture.shape[1], width).T
    )
    return np.clip(fitted, 0, 1)


def _resampling(length: int, new_length: int) -> NDArray[np.float64]:
    """Weights (new_length, length) of a cubic filter: it averages where a line shrinks."""
    step = length / new_length
    reach = max(step, 1)
    centres = (np.arange(new_length) + 0.5) * step
    far = np.abs(np.arange(length) + 0.5 - centres[:, np.newaxis]) / reach
    near = (1.5 * far - 2.5) * far**2 + 1
    weights = np.where(
        far < 1, near, np.where(far < 2, ((-0.5 * far + 2.5) * far - 4) * far + 2, 0)
    )
    return weights / weights.sum(axis=1, keepdims=True)


def _offset(mass: NDArray[np.float64]) -> int:
    """Where a line of ink must start so that its centre of mass is at pixel 14."""
    centre = (np.arange(len(mass)) * mass).sum() / mass.sum()
    start = np.floor(SIZE / 2 - centre + 0.5 + 1e-6)  # a tie must not hang on rounding
    return int(np.clip(start, 0, SIZE - len(mass)))
