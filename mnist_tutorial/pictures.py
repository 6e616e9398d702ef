"""Find the digit in a picture and bring it to MNIST's format (chapter: draw).

The page does the same in JavaScript (book/_extra/drawing/centering.js); the tests hold
the two to each other.
"""

import warnings
from pathlib import Path

import numpy as np
from jaxtyping import Shaped, UInt8
from PIL import Image, ImageOps
from scipy import ndimage

from mnist_tutorial.ink import Cut, Grey, find_digit

SIZE = 28  # the side of an MNIST picture, in pixels
BOX = 20  # the side of the box in it that the digit fills
LARGEST = 256  # a digit is looked for in a picture whose sides are no longer than this
THINNEST = 1.8  # the width of a stroke that is not thickened, of MNIST's pixels
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "HEIF")  # not EPS, which is a program
LARGEST_FILE = 90_000_000  # pixels; more would take a gigabyte of memory
LARGEST_JPEG = 170_000_000  # which is decoded at an eighth of its size

Bytes = UInt8[np.ndarray, "height width *colours"]


def center_digit(
    picture: Shaped[np.ndarray, "height width"] | Shaped[np.ndarray, "height width 3"],
) -> UInt8[np.ndarray, "28 28"]:
    """Find the digit in a picture; fit it to 20x20, centre it in 28x28, light on dark.

    picture: colours (height, width, 3) or grey levels (height, width), uint8 or floats
    in [0, 1], dark on light or light on dark. Raises ValueError where no ink is found.
    """
    if picture.dtype != np.uint8:
        if not ((picture >= 0) & (picture <= 1)).all():  # not for NaN either
            raise ValueError("float pixels of a picture must lie in [0, 1].")
        picture = (picture * 255 + 0.5).astype(np.uint8)
    if picture.size and max(picture.shape[:2]) > LARGEST:
        picture = resize(picture, LARGEST)
    digit = thicken(find_digit(picture))
    fitted = resize((digit * 255 + 0.5).astype(np.uint8), BOX)
    top, left = offset(fitted.sum(axis=1)), offset(fitted.sum(axis=0))
    centred = np.zeros((SIZE, SIZE))
    centred[top : top + len(fitted), left : left + fitted.shape[1]] = fitted
    return (centred / fitted.max() * 255 + 0.5).astype(np.uint8)


def read_picture(path: str | Path) -> UInt8[np.ndarray, "height width 3"]:
    """Read a picture file (PNG, JPEG, HEIC...) upright, shrunk to 1,024 pixels a side.

    Raises FileNotFoundError, or ValueError for what cannot be read, with what to do.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {path}.")
    with path.open("rb") as file:
        is_heic = file.read(8)[4:] == b"ftyp"
    if is_heic and not register_heif():
        raise ValueError(f"{path} is a HEIC picture: save it as JPEG.")
    try:
        with warnings.catch_warnings(action="ignore"):  # of odd notes by a camera
            with Image.open(path, formats=FORMATS) as image:
                size, is_jpeg = image.size, image.format in ("JPEG", "MPO")
                large = size[0] * size[1] > (LARGEST_JPEG if is_jpeg else LARGEST_FILE)
                if not large:
                    image.verify()  # a PNG file has sums, which nothing else looks at
            if not large:
                with Image.open(path, formats=FORMATS) as image:
                    return np.asarray(on_paper(image))
    except Image.DecompressionBombError as error:
        raise ValueError(f"{path} is too large, shrink it: {error}") from error
    except Exception as error:  # readers of damaged files raise errors of many types
        raise ValueError(
            f"{path} is not a picture that can be read; expected a PNG or JPEG file "
            f"({error})."
        ) from error
    raise ValueError(f"{path} has {size[0]} by {size[1]} pixels, too many: shrink it.")


def register_heif() -> bool:
    """Let Pillow read HEIC where pillow-heif is installed, and say whether it is."""
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        return False
    register_heif_opener()
    return True


def on_paper(image: Image.Image) -> Image.Image:
    """Shrink a picture, turn it upright, and lay what is transparent on its paper."""
    if image.mode.startswith("I"):  # 16 bits, of which scanners may use 8 or 12
        levels = np.asarray(image)
        image = Image.fromarray(
            (levels * (255 / max(levels.max(), 1))).astype(np.uint8)
        )
    image.thumbnail((1024, 1024))  # a JPEG file is decoded no larger than need be
    image = ImageOps.exif_transpose(image).convert("RGBA")
    colours = np.asarray(image)
    ink = np.average(colours[..., :3].mean(axis=2), weights=colours[..., 3] + 1e-9)
    paper = Image.new(
        "RGBA",
        image.size,
        "white" if ink < 128 or colours[..., 3].min() == 255 else "black",
    )
    return Image.alpha_composite(paper, image).convert("RGB")


def resize(picture: Bytes, side: int) -> UInt8[np.ndarray, "rows columns *colours"]:
    """Scale a picture, its shape kept, so that its longer side has this many pixels."""
    scale = side / max(picture.shape[:2])
    height, width = (max(1, int(length * scale + 0.5)) for length in picture.shape[:2])
    image = Image.fromarray(picture)
    for size in ((width, image.height), (width, height)):  # one order in every Pillow
        image = image.resize(size, Image.Resampling.BICUBIC)
    return np.asarray(image)


def thicken(digit: Grey) -> Cut:
    """Draw a thin stroke with a wider pen, so that it survives being shrunk."""
    mask = np.pad(digit > 0.4, 1)
    edge = mask & ~ndimage.binary_erosion(mask)
    pixel = max(digit.shape) / BOX
    radius = int((THINNEST * pixel - 2 * mask.sum() / edge.sum()) / 2 + 0.5)
    if radius < 1:
        return digit
    return ndimage.grey_dilation(np.pad(digit, radius), (2 * radius + 1,) * 2)


def offset(mass: Shaped[np.ndarray, "n"]) -> int:
    """Where a line of ink must start so that its centre of mass is at pixel 14."""
    centre = (np.arange(len(mass)) * mass).sum() / mass.sum()
    start = np.floor(SIZE / 2 - centre + 0.5 + 1e-6)  # a tie must not hang on rounding
    return int(np.clip(start, 0, SIZE - len(mass)))
