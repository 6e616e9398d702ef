"""Find the digit in a picture and bring it to MNIST's form (chapter: draw).

The page does the same in JavaScript (book/_extra/drawing/centering.js); the tests hold
the two to each other.
"""

import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Shaped, UInt8
from PIL import Image, ImageOps, UnidentifiedImageError
from scipy import ndimage

SIZE = 28  # the side of an MNIST picture, in pixels
BOX = 20  # the side of the box in it that the digit fills
LARGEST = 256  # a digit is looked for in a picture whose sides are no longer than this
SCALES = (0.03, 0.06, 0.1, 0.16, 0.24)  # the width of a stroke, of the longer side
FAINTEST = 0.03  # the least share of the paper's light that ink takes away
THINNEST = 1.8  # the width of a stroke that is not thickened, of MNIST's pixels
TOUCHING = np.ones((3, 3), bool)  # pixels that meet at a corner are one piece
FORMATS = ("PNG", "JPEG", "MPO", "GIF", "BMP", "WEBP", "HEIF")  # not EPS: it executes

Grey = Float[np.ndarray, "height width"]
Mask = Bool[np.ndarray, "height width"]
Bytes = UInt8[np.ndarray, "height width *colours"]


class Piece(NamedTuple):
    """Ink that hangs together, and the smallest box that holds it."""

    strength: float
    number: int
    top: int
    left: int
    bottom: int
    right: int

    def extent(self) -> int:
        return max(self.bottom - self.top, self.right - self.left)

    def holds(self, other: "Piece") -> bool:
        high = self.top < other.top and other.bottom < self.bottom
        return high and self.left < other.left and other.right < self.right


def center_digit(
    picture: Shaped[np.ndarray, "height width *colours"],
) -> UInt8[np.ndarray, "28 28"]:
    """Find the digit in a picture; fit it to 20x20, centre it in 28x28, light on dark.

    picture: colours (height, width, 3) or grey levels (height, width), uint8 or floats
    in [0, 1], dark on light or light on dark. Raises ValueError where no ink is found.
    """
    if picture.dtype != np.uint8:
        if not (picture.min() >= 0 and picture.max() <= 1):  # not for NaN either
            raise ValueError("float pixels of a picture must lie in [0, 1].")
        picture = (picture * 255 + 0.5).astype(np.uint8)
    if max(picture.shape[:2]) > LARGEST:
        picture = resize(picture, LARGEST)
    grey, scale = dark_on_light(one_grey(picture))
    digit = thicken(pick_digit(lift_ink(grey, scale), grey))
    fitted = resize((digit * 255 + 0.5).astype(np.uint8), BOX)
    top, left = offset(fitted.sum(axis=1)), offset(fitted.sum(axis=0))
    centred = np.zeros((SIZE, SIZE))
    centred[top : top + len(fitted), left : left + fitted.shape[1]] = fitted
    return (centred / fitted.max() * 255 + 0.5).astype(np.uint8)


def resize(picture: Bytes, side: int) -> Bytes:
    """Scale a picture, its shape kept, so that its longer side has this many pixels."""
    scale = side / max(picture.shape[:2])
    height, width = (max(1, int(length * scale + 0.5)) for length in picture.shape[:2])
    image = Image.fromarray(picture)
    return np.asarray(image.resize((width, height), Image.Resampling.BICUBIC))


def one_grey(picture: Bytes) -> Grey:
    """See colours along the direction in which neighbours differ most, as 0 to 255.

    That is the first principal component of the changes from pixel to pixel.
    """
    colours = picture.astype(float)
    if colours.ndim == 2:
        return colours
    if (picture == picture[..., :1]).all():  # grey already
        return colours[..., 0]
    changes = [np.diff(colours, axis=axis).reshape(-1, 3) for axis in (0, 1)]
    axis = np.linalg.eigh(sum(change.T @ change for change in changes))[1][:, -1]
    axis = axis * (1 if axis.sum() > 0 else -1)
    return (colours @ axis - 255 * axis.clip(max=0).sum()) / np.abs(axis).sum()


def window(shape: tuple[int, ...], fraction: float) -> int:
    """An odd number of pixels, three or more: this fraction of the longer side."""
    return max(3, 2 * int(max(shape[:2]) * fraction / 2) + 1)


def close(grey: Grey, size: int) -> Grey:
    """Fill what is dark and narrower than a square, as if the border went on outwards.

    A shadow or a desk at the border is wide then, however little of it is seen.
    """
    r = size // 2
    wide = np.pad(grey, r, mode="edge")
    return ndimage.grey_closing(wide, (size, size), mode="nearest")[r:-r, r:-r]


def dark_on_light(grey: Grey) -> tuple[Grey, float]:
    """Turn light ink into dark, and say how wide strokes are (one of SCALES).

    Ink is what is thin: closing fills a dark stroke in a window as narrow as itself,
    and the paper between strokes only in a wider one. The fourth power counts strong
    contrast, which pencil's grid and paper's grain do not have.
    """
    smooth = ndimage.gaussian_filter(grey, 0.7, mode="nearest")

    def filled(grey: Grey, scale: float) -> float:
        return ((close(grey, window(grey.shape, scale)) - grey) ** 4).sum() + 1

    most_dark, most_light = (filled(side, SCALES[-1]) for side in (smooth, 255 - smooth))
    for scale in SCALES:
        dark, light = filled(smooth, scale), filled(255 - smooth, scale)
        if dark >= max(most_dark / 2, light):
            return grey, scale
        thin = light > dark and light >= most_light / 2
        if thin and light >= 0.3 * filled(smooth, SCALES[-2]):
            return 255 - grey, scale
    return (255 - grey if most_light > most_dark else grey), SCALES[-1]


def lift_ink(grey: Grey, scale: float) -> Grey:
    """What fraction of the paper's own light is missing at each pixel."""
    smooth = ndimage.gaussian_filter(grey, 0.7, mode="nearest")
    paper = close(smooth, window(grey.shape, 2.5 * scale))
    darkest = max(0.4 * np.quantile(paper, 0.9), 1)  # what is darker still is no paper
    return np.clip((paper - grey) / np.maximum(paper, darkest), 0, 1)


def otsu_threshold(values: Float[np.ndarray, "..."]) -> float:
    """The level that parts numbers in [0, 1] with the least spread within both groups.

    Source: Otsu, A threshold selection method from gray-level histograms, 1979.
    """
    counts = np.bincount((values * 255 + 0.5).astype(int).ravel(), minlength=256)
    below, sums = np.cumsum(counts), np.cumsum(counts * np.arange(256.0))
    total = float(counts.sum())
    apart = (sums * total - sums[-1] * below) ** 2
    return float(np.argmax(apart / np.maximum(below * (total - below), 1)) + 0.5) / 255


def without_lines(mask: Mask) -> Mask:
    """Rub out thin lines that run from border to border, but not ink that crosses."""
    thick = int(max(mask.shape) * 0.02) + 2
    for _ in range(2):
        mask = mask.T  # upright lines first, then level ones
        width = mask.shape[1]
        gap, length = max(width // 4, 1), max(width // 10, 2)
        thin = mask & ~ndimage.binary_opening(mask, np.ones((thick, 1)))
        runs = ndimage.binary_dilation(thin, np.ones((3, 1)))
        runs = ndimage.binary_opening(runs, np.ones((1, length)))
        joined = ndimage.binary_closing(np.pad(runs, gap), np.ones((1, gap)))
        labels, _ = ndimage.label(joined[gap:-gap, gap:-gap], TOUCHING)
        boxes = ndimage.find_objects(labels)
        long = [box[1].stop - box[1].start >= 0.85 * width for box in boxes]
        lines = thin & runs & np.array([False, *long])[labels]
        rest = np.pad(mask & ~lines, thick + 3)
        healed = ndimage.binary_closing(rest, np.ones((thick + 3, 1)))
        mask = mask & (~lines | healed[thick + 3 : -thick - 3, thick + 3 : -thick - 3])
    return mask


def pieces_of(mask: Mask, ink: Grey) -> tuple[Shaped[np.ndarray, "height width"], list[Piece]]:
    """Number the pieces of ink and list them, the one with the most ink first."""
    labels, n = ndimage.label(mask, TOUCHING)
    strengths = ndimage.sum_labels(ink, labels, range(1, n + 1))
    pieces = [
        Piece(float(strengths[i]), i + 1, rows.start, columns.start, rows.stop, columns.stop)
        for i, (rows, columns) in enumerate(ndimage.find_objects(labels))
    ]
    return labels, sorted(pieces, reverse=True)


def free_pieces(ink: Grey, threshold: float) -> tuple[Shaped[np.ndarray, "height width"], list[Piece]]:
    """The pieces that stand free of the border, and are neither lines nor specks."""
    labels, pieces = pieces_of(without_lines(ink > threshold), ink)
    free = [
        piece
        for piece in pieces
        if min(piece.top, piece.left) > 0
        and piece.bottom < ink.shape[0]
        and piece.right < ink.shape[1]
        and piece.extent() >= 0.04 * max(ink.shape)
        and piece.strength >= 0.03 * pieces[0].strength
    ]
    return labels, free


def pick_digit(ink: Grey, grey: Grey) -> Grey:
    """Choose the pieces of ink that are the digit, and cut their box out.

    Ink is written on paper, so that paper is all around it. Only where no piece stands
    free, the digit fills the picture, and its paper is the median of what is light.
    """
    threshold = max(otsu_threshold(ink), FAINTEST)
    labels, pieces = free_pieces(ink, threshold)
    while not pieces and threshold < 0.5 * ink.max():
        threshold *= 1.25
        labels, pieces = free_pieces(ink, threshold)
    find = free_pieces
    if not pieces:
        light = grey[grey / 255 > otsu_threshold(grey / 255)]
        ink = np.clip(1 - grey / max(np.median(light), 1), 0, 1) if light.size else ink
        threshold = max(otsu_threshold(ink), FAINTEST)
        find = lambda ink, threshold: pieces_of(ink > threshold, ink)
        labels, pieces = find(ink, threshold)
    if not pieces:
        raise ValueError("no ink stands out from the paper.")
    stronger = 0.4 * np.quantile(ink[labels == pieces[0].number], 0.95)
    if stronger > threshold:  # a shadow that touches the digit is weaker than its ink
        threshold = stronger
        labels, pieces = find(ink, threshold)
    main = pieces[0]
    for piece in pieces[1:]:
        if main.holds(piece) and piece.extent() >= 0.3 * main.extent() and piece.strength > 0.1 * main.strength:
            main = piece  # and the other one is a frame
    digit = np.isin(labels, [piece.number for piece in pieces if belongs(piece, main)])
    near = ndimage.binary_dilation(digit, TOUCHING, iterations=2)
    paper = ink[~ndimage.binary_dilation(ink > threshold, TOUCHING, iterations=2)]
    noise = np.quantile(paper, 0.95) if paper.size else 0.0
    full = np.quantile(ink[digit], 0.9)
    ink = np.where(near, np.clip((ink - noise) / (full - noise), 0, 1), 0)
    rows, columns = np.nonzero(ink > 0.1)
    return ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]


def belongs(piece: Piece, main: Piece) -> bool:
    """Whether a piece is part of the digit, or another digit, and neither speck nor frame."""
    down = max(piece.top - main.bottom, main.top - piece.bottom)
    right = max(piece.left - main.right, main.left - piece.right)
    near = max(down, right) < 0.25 * main.extent()
    least = 0.04 if near else 0.3
    return piece.strength >= least * main.strength and not piece.holds(main)


def thicken(digit: Grey) -> Grey:
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
