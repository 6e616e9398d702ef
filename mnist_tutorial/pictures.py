"""Find the digit in a picture and bring it to MNIST's form (chapter: draw).

The page does the same in JavaScript (book/_extra/drawing/centering.js); the tests hold
the two to each other.
"""

import warnings
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Integer, Shaped, UInt8
from PIL import Image, ImageOps
from scipy import ndimage

SIZE = 28  # the side of an MNIST picture, in pixels
BOX = 20  # the side of the box in it that the digit fills
LARGEST = 256  # a digit is looked for in a picture whose sides are no longer than this
SCALES = (0.03, 0.06, 0.1, 0.16, 0.24)  # the width of a stroke, of the longer side
GAP = 0.018  # of the longer side: ink that is no further apart is one piece
FAINTEST = 0.03  # the least share of the paper's light that ink takes away
THINNEST = 1.8  # the width of a stroke that is not thickened, of MNIST's pixels
NO_INK = "No ink stands out from the paper: write larger or with more contrast."
TOUCHING = np.ones((3, 3), bool)  # pixels that meet at a corner are one piece
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "HEIF")  # not EPS, which is a program
LARGEST_FILE = 90_000_000  # pixels; more would take a gigabyte of memory
LARGEST_JPEG = 170_000_000  # which is decoded at an eighth of its size

Grey = Float[np.ndarray, "height width"]
Mask = Bool[np.ndarray, "height width"]
Cut = Float[np.ndarray, "rows columns"]
Labels = Integer[np.ndarray, "height width"]
Pieces = Float[np.ndarray, "n 6"]
Bytes = UInt8[np.ndarray, "height width *colours"]


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
    """An odd number of pixels: this fraction of the longer side."""
    return 2 * int(max(shape[:2]) * fraction / 2) + 1


def close(grey: Grey, size: int) -> Grey:
    """Fill what is dark and narrower than a square, as if the border went on outwards.

    A shadow or a desk at the border is wide then, however little of it is seen.
    """
    size = max(size, 3)
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

    most_dark, most_light = (
        filled(side, SCALES[-1]) for side in (smooth, 255 - smooth)
    )
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
    size = max(window(grey.shape, 2.5 * scale), 7)  # the narrowest stroke takes 3
    paper = close(smooth, size)
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
        thin = mask & ~ndimage.binary_opening(mask, np.ones((thick, 1)))
        runs = ndimage.binary_dilation(thin, np.ones((3, 1)))
        runs = ndimage.binary_opening(runs, np.ones((1, max(width // 10, 2))))
        labels, _ = ndimage.label(bridge(runs, (1, max(width // 4, 1))), TOUCHING)
        boxes = ndimage.find_objects(labels)
        long = [box[1].stop - box[1].start >= 0.85 * width for box in boxes]
        lines = thin & runs & np.array([False, *long])[labels]
        mask = mask & (~lines | bridge(mask & ~lines, (thick + 3, 1)))
    return mask


def bridge(mask: Mask, shape: tuple[int, int]) -> Mask:
    """Fill gaps in which this shape finds no room; the border is no end of a gap."""
    pad = max(shape)
    closed = ndimage.binary_closing(np.pad(mask, pad), np.ones(shape))
    return closed[pad:-pad, pad:-pad]


def pieces_of(ink: Grey, threshold: float, free: bool) -> tuple[Labels, Pieces]:
    """Number the pieces of ink; list (strength, number, top, left, bottom, right).

    The strongest comes first. Free ones do not meet the border, and are neither lines
    nor specks.
    """
    mask = without_lines(ink > threshold) if free else ink > threshold
    wide = ndimage.binary_dilation(mask, np.ones((window(ink.shape, GAP),) * 2))
    labels, n = ndimage.label(wide, TOUCHING)
    labels = labels * mask  # a pen that skips leaves gaps, and one piece of ink
    places = ndimage.find_objects(labels)
    boxes = [(r.start, c.start, r.stop, c.stop) for r, c in places]
    strengths = ndimage.sum_labels(ink, labels, np.arange(1, n + 1))
    pieces = np.column_stack(
        [strengths, np.arange(1, n + 1), np.reshape(boxes, (n, 4))]
    )
    if free:
        inside = (pieces[:, 2:4] > 0) & (pieces[:, 4:] < ink.shape)
        large = extents(pieces) >= 0.04 * max(ink.shape)
        strong = strengths >= 0.03 * strengths.max(initial=0)
        pieces = pieces[inside.all(axis=1) & large & strong]
    return labels, pieces[np.argsort(-pieces[:, 0])]


def extents(pieces: Pieces) -> Float[np.ndarray, "n"]:
    """The longer side of each piece's box."""
    return (pieces[:, 4:] - pieces[:, 2:4]).max(axis=1)


def hold(outer: Pieces, inner: Float[np.ndarray, "m 6"]) -> Bool[np.ndarray, "k"]:
    """Whether one box lies within another, as in a frame: one piece against many."""
    starts, ends = outer[:, 2:4] < inner[:, 2:4], outer[:, 4:] > inner[:, 4:]
    return np.all(starts & ends, axis=1)


def pick_digit(ink: Grey, grey: Grey) -> Cut:
    """Choose the pieces of ink that are the digit, and cut their box out.

    Ink is written on paper, so that paper is all around it. Only where no piece stands
    free, the digit fills the picture, and its paper is the median of what is light.
    """
    threshold, free = max(otsu_threshold(ink), FAINTEST), True
    labels, pieces = pieces_of(ink, threshold, free)
    if not len(pieces):  # what ties a digit to the border may be a shadow, and weaker
        threshold = max(threshold, 0.5 * ink.max())
        labels, pieces = pieces_of(ink, threshold, free)
    if not len(pieces):
        paper = np.median(grey[grey >= (grey.min() + grey.max()) / 2])
        ink, free = np.clip((paper - grey) / max(paper, 1), 0, 1), False
        threshold = max(otsu_threshold(ink), FAINTEST)
        labels, pieces = pieces_of(ink, threshold, free)
    if not len(pieces):
        raise ValueError(NO_INK)
    stronger = 0.4 * np.quantile(ink[labels == pieces[0, 1]], 0.95)
    if stronger > threshold:  # nor is a shadow ink that touches the digit elsewhere
        again = pieces_of(ink, stronger, free)
        if len(again[1]):
            threshold, (labels, pieces) = stronger, again
    main = pieces[:1]
    for piece in pieces[:, np.newaxis]:
        framed = hold(main, piece) & (extents(piece) >= 0.3 * extents(main))
        main = piece if framed & (piece[:, 0] > 0.1 * main[:, 0]) else main
    gaps = np.maximum(pieces[:, 2:4] - main[:, 4:], main[:, 2:4] - pieces[:, 4:])
    near = gaps.max(axis=1) < 0.25 * extents(main)
    beside = gaps[:, 0] < -0.5 * (main[:, 4] - main[:, 2])  # as another digit is
    least = np.where(near, 0.04, np.where(beside, 0.3, np.inf))
    strong = pieces[:, 0] >= least * main[:, 0]
    chosen = pieces[strong & ~hold(pieces, main)]
    digit = np.isin(labels, chosen[:, 1])
    near, inked = (
        ndimage.binary_dilation(mask, TOUCHING, 2) for mask in (digit, ink > threshold)
    )
    grain, noise = np.quantile(ink[~inked], (0.75, 0.95)) if not inked.all() else (0, 0)
    full = np.quantile(ink[digit], 0.9)
    if full < 4 * grain:
        raise ValueError(NO_INK)
    ink = near * np.clip((ink - noise) / (full - noise), 0, 1)
    return ink[ndimage.find_objects((ink > 0.1).astype(int))[0]]


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
