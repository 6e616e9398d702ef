"""How far a score can be believed: intervals, paired tests, calibration."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Integer, Real
from scipy import stats

from mnist_tutorial.preprocessing import one_hot
from mnist_tutorial.scalars import Positive, Probability, Whole


class MeanInterval(NamedTuple):
    """The mean and standard deviation of runs, and an interval for the true mean."""

    mean: float
    sd: float
    low: float
    high: float


class McNemar(NamedTuple):
    """How many digits only one of two networks reads, and how odd such a split is."""

    only_a: int
    only_b: int
    p_value: float
    mid_p: float


class Difference(NamedTuple):
    """How many more digits one recipe reads than another, with two 95 % intervals."""

    mean: float
    on_these_digits: tuple[float, float]
    in_general: tuple[float, float]


class Reliability(NamedTuple):
    """One number per bin: the mean confidence, the accuracy, the count of digits."""

    confidence: Float[np.ndarray, "bins"]
    accuracy: Float[np.ndarray, "bins"]
    digits: Integer[np.ndarray, "bins"]


def confusion_matrix(
    labels: Integer[np.ndarray, "n"], predicted: Integer[np.ndarray, "n"]
) -> Integer[np.ndarray, "10 10"]:
    """Count how often each digit is read as each: rows are labels, columns answers."""
    pairs = np.stack([labels, predicted]).astype(np.intp)
    if pairs.size and not 0 <= pairs.min() <= pairs.max() <= 9:
        raise ValueError(
            f"labels and predicted must be 0 to 9, found {pairs.min()}..{pairs.max()}."
        )
    return np.bincount(10 * pairs[0] + pairs[1], minlength=100).reshape(10, 10)


def hardest_digits(
    answers: Integer[np.ndarray, "runs n"], labels: Integer[np.ndarray, "n"]
) -> tuple[Integer[np.ndarray, "hard"], Integer[np.ndarray, "hard"]]:
    """Find the digits that at least one run misreads, the most often misread first.

    Returns their indices, and how many runs misread each; of two with the
    same number the earlier comes first.
    """
    wrong_runs = (answers != labels).sum(axis=0)
    order = np.argsort(-wrong_runs, kind="stable")[: np.count_nonzero(wrong_runs)]
    return order, wrong_runs[order]


def mean_interval(
    values: Real[np.ndarray, "runs"], confidence: Probability = 0.95
) -> MeanInterval:
    """Estimate the mean of all runs that a recipe could have from the few that it had.

    A t-interval; the standard deviation divides by runs - 1 (Student, The probable
    error of a mean, 1908). Raises ValueError for fewer than two runs.
    """
    if len(values) < 2:
        raise ValueError(f"values must be two or more, got {len(values)}.")
    mean, sd = values.mean(dtype=float), values.std(ddof=1, dtype=float)
    reach = stats.t.isf((1 - confidence) / 2, len(values) - 1) * sd / len(values) ** 0.5
    return MeanInterval(mean, sd, mean - reach, mean + reach)


def proportion_interval(
    correct: Whole, digits: Positive, confidence: Probability = 0.95
) -> tuple[float, float]:
    """Bracket a network's accuracy on all digits, from its score on some of them.

    The exact interval, which holds the true accuracy at least as often as `confidence`
    says (Clopper and Pearson, 1934).
    """
    if not 0 <= correct <= digits:  # which not every SciPy refuses
        raise ValueError(f"correct must be 0 to {digits}, got {correct}.")
    test = stats.binomtest(int(correct), int(digits))
    low, high = test.proportion_ci(confidence, method="exact")
    return float(low), float(high)


def mcnemar(
    correct_a: Bool[np.ndarray, "n"], correct_b: Bool[np.ndarray, "n"]
) -> McNemar:
    """Ask whether two networks that read the same digits differ by more than chance.

    Only digits that one of them reads and the other does not can tell. If both were
    equally good, each of these would be a fair coin: the p-value is the probability of
    a split at least as uneven (exact, two-sided; McNemar, 1947; Dietterich, 1998). The
    mid-p counts splits that are just as uneven half (Fagerland et al., 2013).
    """
    only_a = int((correct_a & ~correct_b).sum())
    only_b = int((correct_b & ~correct_a).sum())
    coins = only_a + only_b
    p_value = stats.binomtest(only_a, coins).pvalue if coins else 1
    sides = 1 if only_a == only_b else 2
    just_as_uneven = sides * stats.binom.pmf(only_a, coins, 0.5)
    return McNemar(only_a, only_b, float(p_value), float(p_value - just_as_uneven / 2))


def difference_intervals(
    correct_a: Bool[np.ndarray, "runs_a n"], correct_b: Bool[np.ndarray, "runs_b n"]
) -> Difference:
    """Estimate how many more of n digits recipe a reads than b, on average over seeds.

    The first interval holds for these digits and other seeds (Welch, 1947), the second
    for other digits as well. Raises ValueError for fewer than two runs or digits.
    """
    if min(correct_a.shape + correct_b.shape) < 2:
        raise ValueError("correct_a and correct_b must be two runs or more each.")
    counts_a, counts_b = correct_a.sum(axis=1), correct_b.sum(axis=1)
    welch = stats.ttest_ind(counts_a, counts_b, equal_var=False)
    low, high = welch.confidence_interval(0.95)
    by_digit = correct_a.mean(axis=0) - correct_b.mean(axis=0)
    # Some of its variance is due to the seeds, which the first interval has counted.
    due_to_seeds = sum(
        runs.var(axis=0, ddof=1).mean() / len(runs) for runs in (correct_a, correct_b)
    )
    variance = len(by_digit) * max(0, by_digit.var(ddof=1) - due_to_seeds)
    mean = float(counts_a.mean() - counts_b.mean())
    reach = float(np.hypot((high - low) / 2, 1.96 * variance**0.5))
    return Difference(mean, (float(low), float(high)), (mean - reach, mean + reach))


def reliability(
    probabilities: Float[np.ndarray, "n 10"],
    labels: Integer[np.ndarray, "n"],
    bins: Positive = 15,
) -> Reliability:
    """Compare a network's confidence with its accuracy, in bins of equally many digits.

    The digits are sorted by their largest probability, the least confident bin first
    (Guo et al., 2017, there with bins of equal width). Raises ValueError for more bins
    than digits.
    """
    check_probabilities(probabilities)
    if bins > len(labels):
        raise ValueError(f"bins must be at most {len(labels)}, the digits, got {bins}.")
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    parts = np.array_split(np.argsort(confidence, kind="stable"), bins)
    return Reliability(
        np.array([confidence[part].mean() for part in parts]),
        np.array([correct[part].mean() for part in parts]),
        np.array([len(part) for part in parts]),
    )


def brier_score(
    probabilities: Float[np.ndarray, "n 10"], labels: Integer[np.ndarray, "n"]
) -> float:
    """Return the mean squared distance from the one-hot label, 0 (best) to 2.

    Source: Brier, Verification of forecasts expressed in terms of probability, 1950.
    """
    check_probabilities(probabilities)
    return float(((probabilities - one_hot(labels)) ** 2).sum(axis=1).mean())


def negative_log_likelihood(
    probabilities: Float[np.ndarray, "n 10"], labels: Integer[np.ndarray, "n"]
) -> float:
    """Return the mean of -log of the label's probability: the cross-entropy."""
    check_probabilities(probabilities)
    with np.errstate(divide="ignore"):  # infinite where a label was given 0
        return float(-np.log(probabilities[one_hot(labels) == 1]).mean())


def check_probabilities(rows: Float[np.ndarray, "n 10"]) -> None:
    """Raise ValueError unless each row is ten numbers from 0 to 1 whose sum is 1."""
    sums = rows.sum(axis=1, dtype=np.float64)
    if not (len(rows) and rows.min() >= 0 and np.allclose(sums, 1, atol=1e-3)):
        raise ValueError(
            "probabilities must be rows of numbers from 0 to 1 with sum 1."
        )
