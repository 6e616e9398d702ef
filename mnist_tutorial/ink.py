"""Find the digit's ink on a sheet under real light (chapter: draw)."""

import numpy as np
from jaxtyping import Bool, Float, Integer, UInt8
from scipy import ndimage

SCALES = (0.03, 0.06, 0.1, 0.16, 0.24)  # the width of a stroke, of the longer side
GAP = 0.03  # of the longer side: ink that is no further apart is one piece
LEVELS = (0.6, 0.2)  # of the strongest: shadows are weaker, but pencil beside black too
NO_INK = "No ink stands out in the picture: write larger or with more contrast."
TOUCHING = np.ones((3, 3), bool)  # pixels that meet at a corner are one piece

Grey = Float[np.ndarray, "height width"]
Mask = Bool[np.ndarray, "height width"]
Labels = Integer[np.ndarray, "height width"]
Cut = Float[np.ndarray, "rows columns"]
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


def blur(grey: Grey) -> Grey:
    """Mix each pixel a little with its neighbours: a speck is no stroke and no edge."""
    weights = np.outer((1, 2, 1), (1, 2, 1)) / 16
    return ndimage.correlate(grey, weights, mode="nearest")


def find_sheet(grey: Grey) -> Mask:
    """Find the sheet: the largest smooth part of the picture, and what it encloses.

    Its ruled lines are filled first. What is light, and in the middle, counts more.
    Whatever else meets the border for some length lies around it: a digit that runs
    into the border meets it only shortly. All of the picture is taken where the sheet
    would be under a quarter of it, or where it is so small that an edge fills a margin.
    """
    smooth = blur(close(grey, 0.04)) + 32  # where it is dark, grain is no edge either
    edges = ndimage.morphological_gradient(smooth, (5, 5), mode="nearest")
    labels, _ = ndimage.label(edges < 0.12 * smooth, TOUCHING)
    rows, columns = ((np.arange(side) + 0.5) / side for side in grey.shape)
    middle = np.outer(rows * (1 - rows), columns * (1 - columns))
    sizes = np.bincount(labels.flat, ((labels > 0) * middle * smooth).flat)
    others, _ = ndimage.label(labels != sizes.argmax(), TOUCHING)
    frame = ~ndimage.binary_erosion(np.ones(grey.shape), TOUCHING)
    met = np.bincount(others.flat, frame.flat)
    sheet = (others == 0) | (met[others] <= 0.15 * max(grey.shape))
    is_sheet = sheet.mean() > 0.25 and max(grey.shape) >= 100
    return sheet if is_sheet else np.ones_like(sheet)


def dark_on_light(grey: Grey) -> tuple[Grey, float]:
    """Turn light ink into dark, and say how wide strokes are (one of SCALES).

    Ink is what is thin: closing fills a dark stroke in a window as narrow as itself,
    and the paper between strokes only in a wider one. The first window that clearly
    fills more of one side decides; of the dark one, a part of its strokes is enough.
    The fourth power counts strong contrast, which grain and pale squares do not have.
    """
    smooth = blur(grey)
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


def pieces_of(ink: Grey, level: float, border: Mask) -> tuple[Labels, Pieces]:
    """Number the pieces of ink; list (strength, number, top, left, bottom, right).

    The strongest comes first: dark before large, and in the middle, where a person
    points the camera. Those that meet the border are left out.
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
    pieces = np.column_stack([strengths, numbers, boxes])
    pieces = pieces[~np.isin(numbers, labels[border])]
    return labels, pieces[np.argsort(-pieces[:, 0], kind="stable")]


def strongest(pieces: Pieces) -> float:
    """How strong the strongest piece is; 0 where there is none."""
    return float(pieces[:, 0].max(initial=0))


def find_pieces(ink: Grey, border: Mask) -> tuple[Labels, Pieces]:
    """Number and list the pieces of ink, at a low level where that finds far more.

    Or where it adds no piece, and changes only what is thin: a stroke thinner than a
    pixel or two is faint, and a shadow is wide.
    """
    strong, weak = (pieces_of(ink, part * ink.max(), border) for part in LEVELS)
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


def pick_digit(ink: Grey, grey: Grey, sheet: Mask) -> Cut:
    """Choose the pieces of ink that are the digit, and cut their box out.

    Ink is written on paper, so that paper is all around it. Only where the sheet is the
    whole picture, and no piece stands free, the digit fills it, and its paper is the
    median of what is light. What spans the sheet and is far stronger may be lines that
    the digit crosses. Raises ValueError where no ink stands out.
    """
    border, is_whole = ~ndimage.binary_erosion(sheet, TOUCHING), sheet.all()
    labels, pieces = find_pieces(ink, border)
    rivals = find_pieces(ink, np.zeros_like(sheet))[1]
    is_weak = strongest(pieces) <= 0.1 * strongest(rivals)
    sides = np.ptp(np.nonzero(sheet), axis=1)
    if is_weak and (rivals[:1, 4:] - rivals[:1, 2:4] > 0.9 * sides).any():
        plain = without_lines(without_lines(ink).T).T
        freed = find_pieces(plain, border)
        if strongest(freed[1]) > strongest(pieces):
            ink, (labels, pieces), is_weak = plain, freed, False
    if is_whole and not len(pieces):
        paper = np.median(grey[grey >= (grey.min() + grey.max()) / 2])
        ink = np.clip((paper - grey) / max(paper, 1), 0, 1)
        labels, pieces = find_pieces(ink, np.zeros_like(sheet))
    if not len(pieces) or (is_weak and not is_whole):
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
    if full < (4 * grain if is_whole else max(4 * grain, 0.15)):
        raise ValueError(NO_INK)
    ink = around * np.clip((ink - noise) / (full - noise), 0, 1)
    return ink[ndimage.find_objects((ink > 0.1).astype(int))[0]]


def find_digit(picture: UInt8[np.ndarray, "height width *colours"]) -> Cut:
    """Cut the digit out of the sheet; where that holds none, out of the whole picture.

    The edge of a shadow looks like the sheet's, and may cross the digit.
    """
    grey = one_grey(picture)
    sheet = find_sheet(grey)
    try:
        return digit_on(grey, sheet)
    except ValueError:
        return digit_on(grey, np.ones_like(sheet))


def digit_on(grey: Grey, sheet: Mask) -> Cut:
    """Cut the digit out of a sheet, around which everything is painted over."""
    grey, scale = dark_on_light(np.where(sheet, grey, np.median(grey[sheet])))
    return pick_digit(lift_ink(grey, scale), grey, sheet)
