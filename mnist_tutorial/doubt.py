"""Say when an answer should not be trusted, and what may help."""

from itertools import pairwise

import numpy as np
from jaxtyping import Float, UInt8
from scipy import ndimage

from mnist_tutorial.ink import TOUCHING
from mnist_tutorial.scalars import Digit

# Of the network that comes along, as `export.limits` returns them.
LIMITS = {"logit": 2.611, "probability": 0.99}
INKED = 50  # of 255: what counts as ink here
TALL = 0.5  # of the height of all ink: so tall is a digit, and no part of one
WIDEST = 1.8  # of its height: no digit is so wide, but a dash and touching digits are
THICKEST = 11  # pixels: no pen leaves a square of ink so large
HEAVY = 170  # the sum of the ink from 0 to 1: one digit in a hundred has more

Pixels = UInt8[np.ndarray, "28 28"]


def doubt(
    pixels: Pixels,
    logits: Float[np.ndarray, "10"],
    probabilities: Float[np.ndarray, "10"],
    limits: dict[str, float],
) -> str:
    """Return a sentence: what is doubtful and what may help, or "" for a sure answer.

    pixels: as the network is given them. limits: what `export.limits` returns for such
    logits and such probabilities.
    """
    second, best = np.argsort(probabilities, kind="stable")[-2:]
    height, width = (np.ptp(places) for places in np.nonzero(pixels > INKED))
    square = np.ones((THICKEST, THICKEST))
    if (digits := count_digits(pixels)) > 1:
        return f"There seem to be {digits} digits: it reads one at a time."
    if width > WIDEST * height:
        return "This is wider than any digit: it reads one at a time."
    if ndimage.binary_erosion(pixels > 127, square).any():
        return "This is a filled shape, not a stroke: use a thinner pen."
    advice = "crop closer or light it evenly"
    if pixels.sum() > HEAVY * 255:
        advice = "use a thinner pen"
    if logits[best] < limits["logit"]:
        return f"Unlike any digit it knows, at best {article(best)}: {advice}."
    if probabilities[best] < limits["probability"]:
        return f"Not sure, {article(best)} or {article(second)}: {advice}."
    return ""


def article(digit: Digit) -> str:
    """Put the article before a digit."""
    return "an 8" if digit == 8 else f"a {digit}"


def count_digits(pixels: Pixels) -> int:
    """Count the tall pieces of ink that stand side by side (a broken 4 or 5 is one)."""
    labels, _ = ndimage.label(pixels > INKED, TOUCHING)
    boxes = ndimage.find_objects(labels)
    height = np.ptp([(rows.start, rows.stop) for rows, _ in boxes])
    tall = sorted(
        (columns.start, columns.stop)
        for rows, columns in boxes
        if rows.stop - rows.start >= TALL * height
    )
    return 1 + sum(b[0] >= a[1] - 1 for a, b in pairwise(tall))
