"""Learn from digits without labels: keep the confident predictions, and mix them in."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Float32, Integer

from mnist_tutorial.backend import tensorflow
from mnist_tutorial.scalars import Positive, Probability, Seed
from mnist_tutorial.training import without_tuning


@dataclass(frozen=True)
class Part:
    """Images, their one-hot labels or probabilities, and their fraction of a batch."""

    x: Float32[np.ndarray, "n 28 28 1"]
    y: Float32[np.ndarray, "n 10"]
    fraction: Probability


def sample_labelled(
    labels: Integer[np.ndarray, "n"], count: Positive, seed: Seed
) -> tuple[Integer[np.ndarray, "known"], Integer[np.ndarray, "hidden"]]:
    """Choose at random the digits whose labels are known, as many from each class.

    Returns the indices of these digits and of all others, both in ascending order.
    Raises ValueError if `count` is not a multiple of the number of classes.
    """
    classes = np.unique(labels)
    if count % len(classes):
        raise ValueError(f"count must be a multiple of {len(classes)}, got {count}.")
    random, known = np.random.default_rng(seed), np.zeros(len(labels), bool)
    for label in classes:
        places = np.flatnonzero(labels == label)
        known[random.choice(places, count // len(classes), replace=False)] = True
    return np.flatnonzero(known), np.flatnonzero(~known)


def choose_confident(
    probabilities: Float[np.ndarray, "n classes"], threshold: Probability
) -> tuple[Integer[np.ndarray, "chosen"], Integer[np.ndarray, "chosen"]]:
    """Choose the digits whose most probable class reaches a threshold.

    Returns the indices of these digits, in ascending order, and the class of each, its
    pseudo-label (Lee, Pseudo-Label, 2013; the threshold: Sohn et al., FixMatch, 2020).
    """
    if not np.allclose(probabilities.sum(axis=1), 1, atol=0.01):
        raise ValueError("probabilities must sum to 1 for each digit.")
    chosen = np.flatnonzero(probabilities.max(axis=1) >= threshold)
    return chosen, probabilities[chosen].argmax(axis=1)


def mixed_batches(
    parts: Sequence[Part], batch_size: Positive, steps: Positive, seed: Seed
) -> tensorflow.data.Dataset:
    """Make `steps` batches in which each part has its fraction.

    Each part is shuffled, and shuffled again whenever it is used up, so the digits of a
    small part come up more often. Raises ValueError if the fractions do not divide a
    batch into whole numbers of digits.
    """
    # Rounded, because 0.55 * 100 is 55.00000000000001.
    sizes = [round(part.fraction * batch_size, 6) for part in parts]
    if sum(sizes) != batch_size or any(size < 1 or size % 1 for size in sizes):
        raise ValueError(f"parts must fill {batch_size} places, got {sizes}.")
    tensorflow.random.set_seed(seed)

    def endless(part: Part, size: int, number: int) -> Any:
        images, labels = tensorflow.constant(part.x), tensorflow.constant(part.y)
        order = tensorflow.data.Dataset.range(len(part.x))
        order = order.shuffle(len(part.x), seed=seed + number).repeat().batch(size)
        return order.map(
            lambda at: (tensorflow.gather(images, at), tensorflow.gather(labels, at))
        )

    streams = [
        endless(part, int(size), number)
        for number, (part, size) in enumerate(zip(parts, sizes, strict=True))
    ]
    mixed = tensorflow.data.Dataset.zip(tuple(streams)).map(
        lambda *pairs: tuple(
            tensorflow.concat(each, axis=0) for each in zip(*pairs, strict=True)
        )
    )
    return without_tuning(mixed.take(steps))
