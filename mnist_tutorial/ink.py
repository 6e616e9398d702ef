"""Find the digit's ink on a sheet under real light (chapter: draw)."""

import numpy as np
from jaxtyping import Float, Integer, UInt8
from scipy import ndimage

SCALES = (0.03, 0.06, 0.1, 0.16, 0.24)  # the width of a stroke, of the longer side
GAP = 0.03  # of the longer side: ink that is no further apart is one piece
STRONG = 0.6  # of the strongest ink: shadows and ruling are weaker than this
WEAK = 0.2  # of the strongest ink: pencil is not weaker, beside what is black
NO_INK = "No ink stands out in the picture: write larger or with more contrast."
TOUCHING = np.ones((3, 3), bool)  # pixels that meet at a corner are one piece

Grey = Float[np.ndarray, "height width"]
Labels = Integer[np.ndarray, "height width"]
Piece = Float[np.ndarray, "6"]
Pieces = Float[np.ndarray, "n 6"]


def one_grey(picture: UInt8[np.ndarray, "height width *colours"]) -> Grey:
    """See colours along the direction in which neighbours differ most, as 0 to 255.

    That is the first principal component of the changes from pixel to pixel.
    """
    if not picture.size:
        raise ValueError(f"picture has no pixels: its shape is {picture.shape}.")
    colours = np.atleast_3d(picture).astype(float)
    if (colours == colours[..., :1]).all():  # grey already
        return colours[..., 0]
    changes = [np.diff(colours, axis=axis).reshape(-1, 3) for axis in (0, 1)]
    axis = np.linalg.eigh(sum(change.T @ change for change in changes))[1][:, -1]
    axis = axis * (1 if axis.sum() > 0 else -1)
    levels = (colours @ axis - 255 * axis.clip(max=0).sum()) / np.abs(axis).sum()
    return np.floor(levels + 0.5)


def window(shape: tuple[int, ...], fraction: float) -> int:
    """An odd number of pixels, 3 at least: this fraction of the longer side."""
    return max(2 * int(max(shape) * fraction / 2) + 1, 3)


def close(grey: Grey, fraction: float) -> Grey:
    """Fill what is dark and narrower than a square, as if the border went on outwards.

    A shadow or a desk at the border is wide then, however little of it is seen.
    """
    size = window(grey.shape, fraction)
    r = size // 2
    wide = np.pad(grey, r, mode="edge")
    return ndimage.grey_closing(wide, (size, size), mode="nearest")[r:-r, r:-r]


def dark_on_light(grey: Grey) -> tuple[Grey, float]:
    """Turn light ink into dark, and say how wide strokes are (one of SCALES).

    Ink is what is thin: closing fills a dark stroke in a window as narrow as itself,
    and the paper between strokes only in a wider one. The fourth power counts strong
    contrast, which pencil's grid and paper's grain do not have.
    """
    blur = np.outer((1, 2, 1), (1, 2, 1)) / 16  # a speck is no stroke
    smooth = ndimage.correlate(grey, blur, mode="nearest")
    dark, light = (
        np.array([((close(side, scale) - side) ** 4).sum() for scale in SCALES])
        for side in (smooth, 255 - smooth)
    )
    is_dark = dark >= np.maximum(dark[-1] / 2, light)
    is_light = (light > dark) & (light >= max(light[-1], dark[-2]) / 2)
    first = int(np.argmax(is_dark | is_light))
    return (grey if is_dark[first] else 255 - grey), SCALES[first]


def lift_ink(grey: Grey, scale: float) -> Grey:
    """What fraction of the paper's own light is missing at each pixel."""
    least = 7 / max(grey.shape)  # in the smallest pictures a stroke takes 3 pixels
    paper = close(grey, max(2.5 * scale, least))
    return (paper - grey) / np.maximum(paper, 1)


def pieces_of(ink: Grey, level: float, free: bool) -> tuple[Labels, Pieces]:
    """Number the pieces of ink; list (strength, number, top, left, bottom, right).

    The strongest comes first. Free ones do not meet the border.
    """
    mask = ink > level
    size = window(ink.shape, GAP)
    wide = ndimage.grey_dilation(mask.astype(np.uint8), (size, size), mode="constant")
    labels, n = ndimage.label(wide, TOUCHING)
    labels = labels * mask  # a pen that skips leaves gaps, and one piece of ink
    places = ndimage.find_objects(labels)
    boxes = [(r.start, c.start, r.stop, c.stop) for r, c in places]
    numbers = np.arange(1, n + 1)
    strengths = ndimage.sum_labels(ink**1.5, labels, numbers)  # dark before large
    pieces = np.column_stack([strengths, numbers, np.reshape(boxes, (n, 4))])
    height, width = (pieces[:, 4:] - pieces[:, 2:4]).T
    pieces[width > 3 * height, 0] *= 0.1  # a flat line is no whole digit
    if free:
        inside = (pieces[:, 2:4] > 0) & (pieces[:, 4:] < ink.shape)
        pieces = pieces[inside.all(axis=1)]
    return labels, pieces[np.argsort(-pieces[:, 0], kind="stable")]


def find_pieces(ink: Grey, free: bool) -> tuple[Labels, Pieces, float]:
    """Number and list the pieces of ink, with the level that suits the strongest."""
    tried = [pieces_of(ink, part * ink.max(), free) for part in (STRONG, WEAK)]
    labels, pieces = max(tried, key=lambda one: one[1][:, 0].max(initial=0))
    if not len(pieces):
        return labels, pieces, 0.0
    level = STRONG * float(np.quantile(ink[labels == pieces[0, 1]], 0.95))
    again, faint = (pieces_of(ink, part * level, free) for part in (1, 0.5))
    if len(again[1]):
        labels, pieces = again
    if len(faint[1]) and (faint[0] == faint[1][0, 1])[labels == pieces[0, 1]].any():
        # A stroke is fainter where it is thinner than a pixel or two; a shadow is wide.
        added = np.isin(faint[0], faint[1][:, 1]) & (ink <= level)
        if not ndimage.binary_erosion(added, TOUCHING, border_value=1).any():
            return *faint, level / 2
    return labels, pieces, level


def is_object(labels: Labels, piece: Piece, digit: Piece) -> bool:
    """Whether a piece is a frame around a digit, or a pen that lies beside it.

    A pen is a straight bar, away from the digit and two to five times as long: beside
    something smaller, a straight bar is a 1.
    """
    top, left, bottom, right = digit[2:].astype(int)
    mask = labels == piece[1]
    across, down = mask[top:bottom].any(axis=0), mask[:, left:right].any(axis=1)
    sides = across[:left], across[right:], down[:top], down[bottom:]
    is_frame = all(ends.any() for ends in sides)
    size, side = piece[4:] - piece[2:4], (digit[4:] - digit[2:4]).max()
    gap = np.maximum(piece[2:4] - digit[4:], digit[2:4] - piece[4:]).max()
    if is_frame or gap < 0.5 * side or not 2 <= np.hypot(*size) / side < 5:
        return is_frame
    spread = np.cov(np.nonzero(mask))  # a bar ten times as long as wide is straight
    return bool(np.linalg.det(spread) < 0.01 * np.trace(spread) ** 2)


def pick_digit(ink: Grey, grey: Grey) -> Float[np.ndarray, "rows columns"]:
    """Choose the pieces of ink that are the digit, and cut their box out.

    Ink is written on paper, so that paper is all around it. Only where no piece stands
    free, the digit fills the picture, and its paper is the median of what is light.
    """
    labels, pieces, level = find_pieces(ink, free=True)
    if not len(pieces):
        paper = np.median(grey[grey >= (grey.min() + grey.max()) / 2])
        ink = np.clip((paper - grey) / max(paper, 1), 0, 1)
        labels, pieces, level = find_pieces(ink, free=False)
    if not len(pieces):
        raise ValueError(NO_INK)
    main = pieces[0]
    for piece in pieces:
        if piece[0] > 0.1 * main[0] and is_object(labels, main, piece):
            main = piece
    gaps = np.maximum(pieces[:, 2:4] - main[4:], main[2:4] - pieces[:, 4:])
    height, width = main[4:] - main[2:4]
    near = gaps.max(axis=1) < 0.25 * max(height, width)
    beside = gaps[:, 0] < -0.5 * height  # as another digit is
    least = np.where(near, 0.01, np.where(beside, 0.3, np.inf))
    strong = pieces[pieces[:, 0] >= least * main[0]]
    chosen = [piece[1] for piece in strong if not is_object(labels, piece, main)]
    digit = np.isin(labels, chosen)
    near, inked = (
        ndimage.binary_dilation(mask, TOUCHING, 2) for mask in (digit, ink > level)
    )
    grain, noise = np.quantile(ink[~inked], (0.75, 0.95)) if not inked.all() else (0, 0)
    full = np.quantile(ink[digit], 0.9)
    if full < 4 * grain:
        raise ValueError(NO_INK)
    ink = near * np.clip((ink - noise) / (full - noise), 0, 1)
    return ink[ndimage.find_objects((ink > 0.1).astype(int))[0]]
