"""Bring a picture from outside, a photo or a drawing, to MNIST's form."""

import warnings
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageOps

SIZE = 28  # the side of an MNIST picture, in pixels
BOX = 20  # the side of the box in it that the digit fills
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP")  # not EPS, which Pillow would execute

Grey = Float[np.ndarray, "height width"]


def read_picture(path: str | Path) -> UInt8[np.ndarray, "height width"]:
    """Read a picture file as grey levels.

    Transparent parts become white, and a photo is turned upright as its camera noted.
    Raises FileNotFoundError, or ValueError if the file is no picture that can be read.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {path}.")
    try:
        with warnings.catch_warnings(action="ignore"):  # of odd notes by a camera
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as file:
                file.verify()  # a PNG file has checksums, which nothing else looks at
            with Image.open(path, formats=FORMATS) as file:
                picture = ImageOps.exif_transpose(file)
                if picture.mode.startswith("I"):  # 16 bits, which Pillow would clip
                    levels = np.asarray(picture) // 257
                    picture = Image.fromarray(levels.astype(np.uint8))
                picture = picture.convert("RGBA")
                paper = Image.new("RGBA", picture.size, "white")
                return np.asarray(Image.alpha_composite(paper, picture).convert("L"))
    except Exception as error:  # readers of damaged files raise errors of many types
        raise ValueError(
            f"{path} is not a picture that can be read; expected a PNG or JPEG file "
            f"({error})."
        ) from error


def center_digit(
    picture: UInt8[np.ndarray, "height width"],
) -> UInt8[np.ndarray, "28 28"]:
    """Bring a picture of one digit to MNIST's form: light on dark, 20x20 within 28x28.

    1. A picture with a side over 200 pixels is shrunk to 200.
    2. Otsu's threshold parts dark from light; the paper is what most of the border is.
    3. A plane through the border's paper is the paper's level everywhere, under uneven
       light too.
    4. Ink is what differs from the paper. What the border's paper varies by is noise and
       counts as 0; the strongest ink counts as 1.
    5. The smallest box with all ink above 1/10 is scaled, its shape kept, to fit 20x20.
    6. It is placed in 28x28 with its centre of mass at pixel 14, as MNIST has it.

    Raises ValueError for a picture without a digit. Source of the threshold: Otsu, A
    threshold selection method from gray-level histograms, 1979.
    """
    grey = picture / 255
    if max(grey.shape) > 200:
        grey = fit(grey, 200)
    is_light = grey > otsu_threshold(grey)
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
            "The picture shows no digit: it is blank, or its ink hardly differs from its "
            "paper."
        )
    ink = np.clip((ink - noise) / (strongest - noise), 0, 1)

    rows, columns = np.nonzero(ink > 0.1)
    box = slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1)
    ink = fit(ink[box], BOX)
    top, left = offset(ink.sum(axis=1)), offset(ink.sum(axis=0))
    centred = np.zeros((SIZE, SIZE))
    centred[top : top + ink.shape[0], left : left + ink.shape[1]] = ink / ink.max()
    return (centred * 255 + 0.5).astype(np.uint8)


def otsu_threshold(grey: Grey) -> float:
    """Find the level that parts the pixels into two groups with the least spread within."""
    counts = np.bincount((grey * 255 + 0.5).astype(int).ravel(), minlength=256)
    below, total = np.cumsum(counts), counts.sum()
    sum_below = np.cumsum(counts * np.arange(256.0))
    apart = (sum_below * total - sum_below[-1] * below) ** 2
    return float((apart / np.maximum(below * (total - below), 1)).argmax() + 0.5) / 255


def fit(picture: Grey, side: int) -> Float[np.ndarray, "rows columns"]:
    """Scale a picture, its shape kept, so that its longer side has this many pixels."""
    scale = side / max(picture.shape)
    height, width = (max(1, int(length * scale + 0.5)) for length in picture.shape)
    levels = Image.fromarray(picture.astype(np.float32))
    fitted = levels.resize((width, height), Image.Resampling.BICUBIC)
    return np.clip(np.asarray(fitted, np.float64), 0, 1)


def offset(mass: Float[np.ndarray, "n"]) -> int:
    """Say where a line of ink must start to have its centre of mass at pixel 14."""
    centre = (np.arange(len(mass)) * mass).sum() / mass.sum()
    start = np.floor(
        SIZE / 2 - centre + 0.5 + 1e-6
    )  # a tie must not depend on rounding
    return int(np.clip(start, 0, SIZE - len(mass)))
