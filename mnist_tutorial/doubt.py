"""Say when an answer should not be trusted, and what may help (chapter: draw)."""

import numpy as np
from jaxtyping import Float, UInt8
from scipy import ndimage

from mnist_tutorial.pictures import TOUCHING


LIMITS = {"logit": 2.62, "probability": 0.78}  # of the network that comes along
INKED = 50  # of 255: what counts as ink here
TALL = 0.5  # of the height of them all: so tall is a digit, and no part of one
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
    """Return a sentence that says what is doubtful and what may help, or "" for a sure answer.

    pixels: as the network is given them. probabilities: as they are shown, calibrated or
    not. limits: what `export.limits` returns for such logits and such probabilities.
    """
    digits = count_digits(pixels)
    second, best = np.argsort(probabilities, kind="stable")[-2:]
    if digits > 1:
        return f"There seem to be {digits} digits: write or crop one at a time."
    if np.ptp(np.nonzero(pixels > INKED)[1]) > WIDEST * np.ptp(
        np.nonzero(pixels > INKED)[0]
    ):
        return "This is wider than any digit: write or crop one at a time."
    if ndimage.binary_erosion(pixels > 127, np.ones((THICKEST, THICKEST))).any():
        return "This is a filled shape, not a stroke: use a thinner pen."
    help_ = (
        "crop to the paper, write larger, or give it more contrast and more even light"
    )
    if pixels.sum() > HEAVY * 255:
        help_ = "use a thinner pen"
    if logits[best] < limits["logit"]:
        return (
            f"Unlike any digit it has learned; if it is one, perhaps a {best}: {help_}."
        )
    if probabilities[best] < limits["probability"]:
        return f"Not sure, a {best} or perhaps a {second}: {help_}."
    return ""


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
    return 1 + sum(b[0] >= a[1] - 1 for a, b in zip(tall, tall[1:], strict=False))
