"""Learn from digits without labels: keep what a network is sure of, and mix it into its training.

Chapter: pseudo_labelling.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnist_tutorial.backend import tensorflow

Indices = NDArray[np.intp]


class Part(NamedTuple):
    """Images, their labels (one-hot, or probabilities), and the share of each batch that is theirs."""

    x: NDArray[np.float32]
    y: NDArray[np.float32]
    share: float


def draw_labelled(labels: NDArray[np.integer], count: int, seed: int) -> tuple[Indices, Indices]:
    """Draw digits whose labels are to be known, equally many of each class; the other labels are hidden.

    labels: whole numbers (n,). count: how many to draw, a multiple of the number of classes. Returns the
    places of the digits drawn and those of all others, both in rising order. Raises ValueError if `count`
    is no such number or more than there are. Chapter: pseudo_labelling.
    """
    classes, sizes = np.unique(labels, return_counts=True)
    each, rest = divmod(count, len(classes))
    if rest or not 1 <= each <= sizes.min():
        raise ValueError(
            f"count must be a multiple of {len(classes)}, from {len(classes)} to "
            f"{len(classes) * sizes.min()}, got {count!r}."
        )
    random = np.random.default_rng(seed)
    drawn = [random.choice(np.flatnonzero(labels == label), each, replace=False) for label in classes]
    known = np.zeros(len(labels), bool)
    known[np.concatenate(drawn)] = True
    return np.flatnonzero(known), np.flatnonzero(~known)


def choose_confident(probabilities: NDArray[np.floating], threshold: float) -> tuple[Indices, Indices]:
    """Find the digits that a network is sure of, and what it takes them for: their pseudo-labels.

    probabilities: (n, classes). threshold: the least probability of the likeliest class, 0 to 1. Returns
    the places of these digits in rising order, and the likeliest class of each. Raises ValueError. Source:
    Lee, Pseudo-Label, 2013; the threshold is from Sohn et al., FixMatch, 2020. Chapter: pseudo_labelling.
    """
    probabilities = np.asarray(probabilities)
    if probabilities.ndim != 2 or 0 in probabilities.shape:
        raise ValueError(f"probabilities must have shape (n, classes), got {probabilities.shape}.")
    if not 0 <= threshold <= 1:
        raise ValueError(f"threshold must be a number from 0 to 1, got {threshold!r}.")
    if not np.isfinite(probabilities).all():
        raise ValueError("probabilities must be finite numbers, found NaN or infinity.")
    chosen = np.flatnonzero(probabilities.max(axis=1) >= threshold)
    return chosen, probabilities[chosen].argmax(axis=1)


def mixed_batches(parts: Sequence[Part], batch_size: int, steps: int, seed: int) -> tensorflow.data.Dataset:
    """Make batches in which each part has its share, for `training.fit`.

    Each part is gone through in an order of its own, and again in another order when it is used up, so a
    small part comes round more often than a large one. steps: the number of batches an epoch. Raises
    ValueError if a part is empty or has images and labels of different number, or if the shares do not cut
    a batch into whole numbers of digits, 1 or more each. Chapter: pseudo_labelling.
    """
    sizes = [part.share * batch_size for part in parts]
    if sum(sizes) != batch_size or any(size != int(size) or size < 1 for size in sizes):
        raise ValueError(
            f"the shares must cut a batch of {batch_size} into whole numbers of digits, 1 or more each, "
            f"got {[part.share for part in parts]}."
        )
    for part in parts:
        if not 0 < len(part.x) == len(part.y):
            raise ValueError(
                f"each part must have as many labels as images, 1 or more, got {len(part.x)} images and "
                f"{len(part.y)} labels."
            )
    tensorflow.random.set_seed(seed)

    def draw(part: Part, size: int, number: int) -> tensorflow.data.Dataset:
        images, labels = tensorflow.constant(part.x), tensorflow.constant(part.y)
        order = tensorflow.data.Dataset.range(len(part.x)).shuffle(len(part.x), seed=seed + number).repeat()
        return order.batch(size).map(
            lambda chosen: (tensorflow.gather(images, chosen), tensorflow.gather(labels, chosen))
        )

    drawn = [
        draw(part, int(size), number) for number, (part, size) in enumerate(zip(parts, sizes, strict=True))
    ]
    together = tensorflow.data.Dataset.zip(tuple(drawn)).map(
        lambda *pairs: tuple(tensorflow.concat(each, axis=0) for each in zip(*pairs, strict=True))
    )
    options = tensorflow.data.Options()
    options.autotune.enabled = False  # as in training.batches
    return together.take(steps).prefetch(2).with_options(options)
