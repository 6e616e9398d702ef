"""Find the digit's ink on a sheet under real light (chapter: draw)."""

import numpy as np
from jaxtyping import Bool, Float, Integer, UInt8
from scipy import ndimage

SCALES = (0.03, 0.06, 0.1, 0.16, 0.24)  # the width of a stroke, of the longer side
GAP = 0.018  # of the longer side: ink that is no further apart is one piece
FAINTEST = 0.03  # the smallest fraction of the paper's light that ink takes away
NO_INK = "No ink stands out in the picture: write larger or with more contrast."
TOUCHING = np.ones((3, 3), bool)  # pixels that meet at a corner are one piece

Grey = Float[np.ndarray, "height width"]
Mask = Bool[np.ndarray, "height width"]
Labels = Integer[np.ndarray, "height width"]
Pieces = Float[np.ndarray, "n 6"]


def one_grey(picture: UInt8[np.ndarray, "height width *colours"]) -> Grey:
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


def pieces_of(
    ink: Grey, grey: Grey, threshold: float, free: bool
) -> tuple[Labels, Pieces]:
    """Number the pieces of ink; list (strength, number, top, left, bottom, right).

    The strongest comes first. Free ones do not meet the border, have paper all around,
    and are neither lines nor specks.
    """
    mask = without_lines(ink > threshold) if free else ink > threshold
    wide = ndimage.binary_dilation(mask, np.ones((max(window(ink.shape, GAP), 3),) * 2))
    labels, n = ndimage.label(wide, TOUCHING)
    around = labels * ~mask
    labels = labels * mask  # a pen that skips leaves gaps, and one piece of ink
    places = ndimage.find_objects(labels)
    boxes = [(r.start, c.start, r.stop, c.stop) for r, c in places]
    numbers = np.arange(1, n + 1)
    strengths = ndimage.sum_labels(ink, labels, numbers)
    pieces = np.column_stack([strengths, numbers, np.reshape(boxes, (n, 4))])
    if free and n:
        # Part of something larger is as dark around as itself, where it is no ink.
        halves = grey * (1 - 0.5 * ink) / (1 - ink).clip(0.01)  # between ink and paper
        half = ndimage.mean(halves, labels, numbers)
        dark = (grey < np.append(0, half)[around]) & (ink < threshold / 2)
        dark = ndimage.mean(dark, around, numbers)
        inside = (pieces[:, 2:4] > 0) & (pieces[:, 4:] < ink.shape)
        large = extents(pieces) >= 0.04 * max(ink.shape)
        strong = strengths >= 0.03 * strengths.max(initial=0)
        pieces = pieces[inside.all(axis=1) & large & strong & (dark < 0.1)]
    return labels, pieces[np.argsort(-pieces[:, 0])]


def extents(pieces: Pieces) -> Float[np.ndarray, "n"]:
    """The longer side of each piece's box."""
    return (pieces[:, 4:] - pieces[:, 2:4]).max(axis=1)


def hold(outer: Pieces, inner: Float[np.ndarray, "m 6"]) -> Bool[np.ndarray, "k"]:
    """Whether one box lies within another, as in a frame: one piece against many."""
    starts, ends = outer[:, 2:4] < inner[:, 2:4], outer[:, 4:] > inner[:, 4:]
    return np.all(starts & ends, axis=1)


def pick_digit(ink: Grey, grey: Grey) -> Float[np.ndarray, "rows columns"]:
    """Choose the pieces of ink that are the digit, and cut their box out.

    Ink is written on paper, so that paper is all around it. Only where no piece stands
    free, the digit fills the picture, and its paper is the median of what is light.
    """
    threshold, free = max(otsu_threshold(ink), FAINTEST), True
    labels, pieces = pieces_of(ink, grey, threshold, free)
    if not len(pieces):  # what ties a digit to the border may be a shadow, and weaker
        threshold = max(threshold, 0.5 * ink.max())
        labels, pieces = pieces_of(ink, grey, threshold, free)
    if not len(pieces):
        paper = np.median(grey[grey >= (grey.min() + grey.max()) / 2])
        ink, free = np.clip((paper - grey) / max(paper, 1), 0, 1), False
        threshold = max(otsu_threshold(ink), FAINTEST)
        labels, pieces = pieces_of(ink, grey, threshold, free)
    if not len(pieces):
        raise ValueError(NO_INK)
    stronger = 0.4 * np.quantile(ink[labels == pieces[0, 1]], 0.95)
    if stronger > threshold:  # nor is a shadow ink that touches the digit elsewhere
        again = pieces_of(ink, grey, stronger, free)
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
