"""Let several networks answer together, and measure how much that helps."""

from itertools import combinations
from math import comb
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Integer

from mnist_tutorial.scalars import Positive, Seed


class Ensembles(NamedTuple):
    """The errors of each ensemble, and their mean without each member in turn."""

    errors: Integer[np.ndarray, "ensembles"]
    means_without: Float[np.ndarray, "members"]


def average(
    probabilities: Float[np.ndarray, "members n classes"],
) -> Float[np.ndarray, "n classes"]:
    """Average the members' probabilities."""
    check_members(probabilities)
    return probabilities.mean(axis=0, dtype=np.float64)


def majority_vote(
    probabilities: Float[np.ndarray, "members n classes"],
) -> Integer[np.ndarray, "n"]:
    """Let each member vote for its most probable class; return the winners.

    In a tie, the class with the higher average probability wins.
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
    """Average the probabilities of ensembles of `size` members, and count the errors.

    Takes every possible ensemble, or `samples` random ones where more are possible. The
    mean without a member is NaN where that member is in every ensemble.
    """
    check_members(probabilities)
    members, random = len(probabilities), np.random.default_rng(seed)
    if size > members:
        raise ValueError(f"size must be at most {members}, got {size}.")
    if comb(members, size) <= samples:
        rows = np.array(list(combinations(range(members), int(size))))
    else:
        choices = [random.choice(members, size, replace=False) for _ in range(samples)]
        rows = np.array(choices)
    chosen = np.zeros((len(rows), members), np.float32)
    np.put_along_axis(chosen, rows, 1, axis=1)  # 1 for each member of an ensemble
    sums = np.tensordot(chosen, probabilities, axes=1)  # ensembles, n, classes
    errors = (sums.argmax(axis=2) != labels).sum(axis=1)
    without = [errors[chosen[:, member] == 0].mean() for member in range(members)]
    return Ensembles(errors, np.array(without))


def jackknife(estimates: Float[np.ndarray, "members"]) -> float:
    """Return the standard error of a result, from estimates without one member each.

    Source: Efron and Stein, The jackknife estimate of variance, 1981.
    """
    members = len(estimates)
    if members < 2:
        raise ValueError(f"estimates must be two or more, got {members}.")
    squares = ((estimates - estimates.mean()) ** 2).sum()
    return float(np.sqrt((members - 1) / members * squares))


def check_members(probabilities: Float[np.ndarray, "members n classes"]) -> None:
    """Raise ValueError unless there are members whose numbers lie between 0 and 1."""
    if not (
        probabilities.size and 0 <= probabilities.min() <= probabilities.max() < 1.01
    ):
        raise ValueError(
            "probabilities must be numbers from 0 to 1, of one or more members."
        )
