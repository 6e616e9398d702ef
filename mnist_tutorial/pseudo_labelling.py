"""Learn from digits without labels: keep what a network is sure of, and mix it into its training.

Chapter: pseudo_labelling.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnist_tutorial import checks
from mnist_tutorial.backend import tensorflow

Indices = NDArray[np.intp]


class Part(NamedTuple):
    """Images, their labels (one-hot, or probabilities), and the share of each batch that is theirs."""

    x: NDArray[np.float32]
    y: NDArray[np.float32]
    share: float


def draw_labelled(
    labels: NDArray[np.integer], count: int, seed: int
) -> tuple[Indices, Indices]:
    """Draw digits whose labels are to be known, equally many of each class; the other labels are hidden.

    labels: whole numbers (n,). count: how many to draw, a multiple of the number of classes. Returns the
    places of the digits drawn and those of all others, both in rising order. Raises TypeError, or
    ValueError if `count` is no such number or more than there are. Chapter: pseudo_labelling.
    """
    labels = checks.array_like("labels", labels, ("n",), "iu")
    classes, sizes = np.unique(labels, return_counts=True)
    checks.whole_number("count", count, 1, len(labels))
    random = np.random.default_rng(checks.seed(seed))
    each, rest = divmod(count, len(classes))
    if rest or not 1 <= each <= sizes.min():
        raise ValueError(
            f"count must be a multiple of {len(classes)}, from {len(classes)} to "
            f"{len(classes) * sizes.min()}, got {count!r}."
        )
    drawn = [
        random.choice(np.flatnonzero(labels == label), each, replace=False)
        for label in classes
    ]
    known = np.zeros(len(labels), bool)
    known[np.concatenate(drawn)] = True
    return np.flatnonzero(known), np.flatnonzero(~known)


def choose_confident(
    probabilities: NDArray[np.floating], threshold: float
) -> tuple[Indices, Indices]:
    """Find the digits that a network is sure of, and what it takes them for: their pseudo-labels.

    probabilities: (n, classes). threshold: the least probability of the likeliest class, 0 to 1. Returns
    the places of these digits in rising order, and the likeliest class of each. Raises TypeError or
    ValueError. Source: Lee, Pseudo-Label, 2013; the threshold is from Sohn et al., FixMatch, 2020. Chapter:
    pseudo_labelling.
    """
    probabilities = checks.array_like(
        "probabilities", probabilities, ("n", "classes"), "iuf"
    )
    checks.shares("probabilities", probabilities)
    checks.number_between("threshold", threshold, 0, 1)
    chosen = np.flatnonzero(probabilities.max(axis=1) >= threshold)
    return chosen, probabilities[chosen].argmax(axis=1)


def mixed_batches(
    parts: Sequence[Part], batch_size: int, steps: int, seed: int
) -> tensorflow.data.Dataset:
    """Make batches in which each part has its share, for `training.fit`.

    Each part is gone through in an order of its own, and again in another order when it is used up, so a
    small part comes round more often than a large one. steps: the number of batches an epoch. Raises
    TypeError, or ValueError if a part is empty or has images and labels of different number, or if the shares
    do not cut a batch into whole numbers of digits, 1 or more each. Chapter: pseudo_labelling.
    """
    checks.kind("parts", parts, Sequence, "a list of parts")
    checks.whole_number("batch_size", batch_size, 1)
    checks.whole_number("steps", steps, 1)
    checks.seed(seed)
    for part in parts:
        checks.kind("each of parts", part, Part, "a Part")
        checks.number_between("share", part.share, 0, 1)
        _check_images(part)
    sizes = [
        round(part.share * batch_size, 6) for part in parts
    ]  # 0.55 * 100 is 55.00000000000001
    if sum(sizes) != batch_size or any(size != int(size) or size < 1 for size in sizes):
        raise ValueError(
            f"the shares must cut a batch of {batch_size} into whole numbers of digits, 1 or more each, "
            f"got {[part.share for part in parts]}."
        )
    if len({(part.x.shape[1:], part.y.shape[1:]) for part in parts}) != 1:
        raise ValueError(
            "the images of all parts must have one shape, and the labels of all parts too."
        )
    tensorflow.random.set_seed(seed)

    def draw(part: Part, size: int, number: int) -> tensorflow.data.Dataset:
        images, labels = (
            tensorflow.constant(part.x, "float32"),
            tensorflow.constant(part.y, "float32"),
        )
        order = (
            tensorflow.data.Dataset.range(len(part.x))
            .shuffle(len(part.x), seed=seed + number)
            .repeat()
        )
        return order.batch(size).map(
            lambda chosen: (
                tensorflow.gather(images, chosen),
                tensorflow.gather(labels, chosen),
            )
        )

    drawn = [
        draw(part, int(size), number)
        for number, (part, size) in enumerate(zip(parts, sizes, strict=True))
    ]
    together = tensorflow.data.Dataset.zip(tuple(drawn)).map(
        lambda *pairs: tuple(
            tensorflow.concat(each, axis=0) for each in zip(*pairs, strict=True)
        )
    )
    options = tensorflow.data.Options()
    options.autotune.enabled = False  # as in training.batches
    return together.take(steps).prefetch(2).with_options(options)


def _check_images(part: Part) -> None:
    checks.finite(
        "images",
        checks.array("images", part.x, ("n", "rows", "columns", "channels"), "f"),
    )
    checks.finite("labels", checks.array("labels", part.y, ("n", "classes"), "f"))
    if len(part.x) != len(part.y):
        found = f"{len(part.x)} images and {len(part.y)} labels"
        raise ValueError(f"each part must have as many labels as images, got {found}.")
