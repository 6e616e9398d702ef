"""Find the digit's ink on a sheet under real light (chapter: draw)."""

import numpy as np
from jaxtyping import Float, Integer, UInt8
from scipy import ndimage

SCALES = (0.03, 0.06, 0.1, 0.16, 0.24)  # the width of a stroke, of the longer side
GAP = 0.03  # of the longer side: ink that is no further apart is one piece
LEVELS = (0.6, 0.2)  # of the strongest: shadows are weaker, but pencil beside black too
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
    r = window(grey.shape, fraction) // 2
    wide = np.pad(grey, r, mode="edge")
    return ndimage.grey_closing(wide, 2 * (2 * r + 1,), mode="nearest")[r:-r, r:-r]


def dark_on_light(grey: Grey) -> tuple[Grey, float]:
    """Turn light ink into dark, and say how wide strokes are (one of SCALES).

    Ink is what is thin: closing fills a dark stroke in a window as narrow as itself,
    and the paper between strokes only in a wider one. The first window that clearly
    fills more of one side decides; of the dark one, a part of its strokes is enough.
    The fourth power counts strong contrast, which grain and pale squares do not have.
    """
    blur = np.outer((1, 2, 1), (1, 2, 1)) / 16  # a speck is no stroke
    smooth = ndimage.correlate(grey, blur, mode="nearest")
    sides = (smooth, 255 - smooth)
    filled = [[((close(s, scale) - s) ** 4).sum() for scale in SCALES] for s in sides]
    dark, light = np.array(filled)
    is_dark = (dark**2 >= 0.8 * light * dark[-1]) & (dark >= 0.06 * light[-2])
    is_light = (light**2 >= dark * light[-1]) & (light >= dark[-2] / 2)
    first = int(np.argmax(is_dark | is_light))
    ink, inks = (grey, dark) if is_dark[first] else (255 - grey, light)
    return ink, SCALES[int(np.argmax(inks >= inks[-1] / 2))]


def lift_ink(grey: Grey, scale: float) -> Grey:
    """What fraction of the paper's own light is missing at each pixel."""
    # In the smallest pictures a stroke takes 3 pixels, and its window 7:
    paper = close(grey, max(2.5 * scale, 7 / max(grey.shape)))
    return (paper - grey) / np.maximum(paper, 1)


def without_lines(ink: Grey) -> Grey:
    """Take away what is long, thin, straight and nearly level, as ruled lines are."""
    rows, columns = np.indices(ink.shape)
    wide, lines = ndimage.grey_dilation(ink, (5, 1)), np.zeros(ink.shape)
    for slope in np.arange(-5, 6) / 25:  # the camera is not held quite straight
        sunk = np.floor(slope * columns + 0.5).astype(int)
        level = wide[(rows + sunk) % len(ink), columns]
        level = ndimage.grey_opening(level, (1, window(ink.shape, 0.3)))
        lines = np.maximum(lines, level[(rows - sunk) % len(ink), columns])
    # What goes on across a line, thicker than lines are, is a stroke that crosses it:
    crossing = ndimage.grey_opening(ink, (2 * int(0.011 * max(ink.shape)) + 1, 1))
    return np.where(lines > ink / 2, crossing, ink)


def pieces_of(ink: Grey, level: float, free: bool) -> tuple[Labels, Pieces]:
    """Number the pieces of ink; list (strength, number, top, left, bottom, right).

    The strongest comes first: dark before large, and in the middle, where a person
    points the camera. Free ones do not meet the border.
    """
    wide = ndimage.maximum_filter(ink > level, window(ink.shape, GAP), mode="constant")
    labels, n = ndimage.label(wide, TOUCHING)
    # A pen that skips leaves gaps, and one piece of ink:
    labels = labels * (ink > level)
    places = ndimage.find_objects(labels)
    boxes = np.reshape([(r.start, c.start, r.stop, c.stop) for r, c in places], (n, 4))
    numbers = np.arange(1, n + 1)
    middles = (boxes[:, :2] + boxes[:, 2:]) / np.multiply(2, ink.shape)
    strengths = ndimage.sum_labels(ink**2, labels, numbers)
    strengths = strengths * (4 * middles * (1 - middles)).prod(axis=1)
    inside = ((boxes[:, :2] > 0) & (boxes[:, 2:] < ink.shape)).all(axis=1)
    pieces = np.column_stack([strengths, numbers, boxes])[inside | (not free)]
    return labels, pieces[np.argsort(-pieces[:, 0], kind="stable")]


def strongest(pieces: Pieces) -> float:
    """How strong the strongest piece is; 0 where there is none."""
    return float(pieces[:, 0].max(initial=0))


def find_pieces(ink: Grey, free: bool) -> tuple[Labels, Pieces]:
    """Number and list the pieces of ink, at a low level where that finds far more.

    Or where it adds no piece, and changes only what is thin: a stroke thinner than a
    pixel or two is faint, and a shadow is wide.
    """
    strong, weak = (pieces_of(ink, part * ink.max(), free) for part in LEVELS)
    main, longer = (np.isin(labels, pieces[:, 1]) for labels, pieces in (strong, weak))
    is_wide = ndimage.binary_erosion(main ^ longer, TOUCHING, border_value=1).any()
    gain = 2 if is_wide or len(weak[1]) > len(strong[1]) else 1
    return weak if strongest(weak[1]) > gain * strongest(strong[1]) else strong


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
    What spans the picture and is far stronger may be lines that the digit crosses.
    """
    labels, pieces = find_pieces(ink, free=True)
    rivals = find_pieces(ink, free=False)[1]
    spans = (rivals[:1, 4:] - rivals[:1, 2:4] > 0.9 * np.array(ink.shape)).any()
    if spans and strongest(pieces) < 0.1 * strongest(rivals):
        plain = without_lines(without_lines(ink).T).T
        freed = find_pieces(plain, free=True)
        if strongest(freed[1]) > strongest(pieces):
            ink, (labels, pieces) = plain, freed
    if not len(pieces):
        paper = np.median(grey[grey >= (grey.min() + grey.max()) / 2])
        ink = np.clip((paper - grey) / max(paper, 1), 0, 1)
        labels, pieces = find_pieces(ink, free=False)
    if not len(pieces):
        raise ValueError(NO_INK)
    main = pieces[0]
    for piece in pieces:
        if piece[0] > 0.1 * main[0] and is_object(labels, main, piece):
            main = piece
    gaps = np.maximum(pieces[:, 2:4] - main[4:], main[2:4] - pieces[:, 4:])
    near = gaps.max(axis=1) < 0.25 * (main[4:] - main[2:4]).max()
    beside = gaps[:, 0] < -0.5 * (main[4] - main[2])  # as another digit is
    least = np.where(near, 0.01, np.where(beside, 0.2, np.inf))
    strong = pieces[pieces[:, 0] >= least * main[0]]
    chosen = [piece[1] for piece in strong if not is_object(labels, piece, main)]
    digit = np.isin(labels, chosen)
    around = ndimage.binary_dilation(digit, TOUCHING, 2)
    inked = ndimage.binary_dilation(labels > 0, TOUCHING, 2)
    grain, noise = np.quantile(ink[~inked], (0.4, 0.95)) if not inked.all() else (0, 0)
    full = np.quantile(ink[digit], 0.9)
    if full < 4 * grain:
        raise ValueError(NO_INK)
    ink = around * np.clip((ink - noise) / (full - noise), 0, 1)
    return ink[ndimage.find_objects((ink > 0.1).astype(int))[0]]
