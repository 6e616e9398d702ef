"""Let several networks answer together, and say how much that helps."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Integer

from mnist_tutorial.scalars import Positive, Seed


class Ensembles(NamedTuple):
    """The errors of each sampled ensemble, and the standard error of their mean."""

    errors: Integer[np.ndarray, "samples"]
    standard_error: float


def average(
    probabilities: Float[np.ndarray, "members n classes"],
) -> Float[np.ndarray, "n classes"]:
    """Average what the members say."""
    check_members(probabilities)
    return probabilities.mean(axis=0, dtype=np.float64)


def majority_vote(
    probabilities: Float[np.ndarray, "members n classes"],
) -> Integer[np.ndarray, "n"]:
    """Let each member vote for its most probable class; return the winners.

    Of classes with equally many votes the one with the higher average probability wins.
    """
    check_members(probabilities)
    votes = (probabilities == probabilities.max(axis=2, keepdims=True)).sum(axis=0)
    return (votes + average(probabilities) / 2).argmax(axis=1)


def sample_ensembles(
    probabilities: Float[np.ndarray, "members n classes"],
    labels: Integer[np.ndarray, "n"],
    size: Positive,
    samples: Positive,
    seed: Seed,
) -> Ensembles:
    """Sample ensembles of `size` members, average each, and count its errors.

    The ensembles share members, so their mean is less certain than it looks: its
    standard error comes from leaving out one member after the other, that is, all
    ensembles that hold it (the jackknife; Efron and Stein, 1981). It is NaN where a
    member is in every ensemble.
    """
    check_members(probabilities)
    members = len(probabilities)
    random = np.random.default_rng(seed)
    chosen = np.zeros((samples, members), bool)
    for row in chosen:
        row[random.choice(members, size, replace=False)] = True
    sums = np.tensordot(chosen.astype(np.float32), probabilities, axes=1)
    errors = (sums.argmax(axis=2) != labels).sum(axis=1)
    without = np.array([errors[~chosen[:, one]].mean() for one in range(members)])
    variance = (members - 1) / members * ((without - without.mean()) ** 2).sum()
    return Ensembles(errors, float(np.sqrt(variance)))


def check_members(probabilities: Float[np.ndarray, "members n classes"]) -> None:
    """Raise ValueError for no members, and for numbers that are no probabilities."""
    if not (
        probabilities.size and 0 <= probabilities.min() <= probabilities.max() < 1.01
    ):
        raise ValueError("probabilities must be numbers from 0 to 1, one or more.")
