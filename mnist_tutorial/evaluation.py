"""How far a score can be believed: errors, intervals, comparisons, calibration (chapter: evaluation)."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from mnist_tutorial import checks

CLASSES = 10

Integers = NDArray[np.intp]
Floats = NDArray[np.float64]


class MeanInterval(NamedTuple):
    """Mean and standard deviation of some runs, and the interval for the mean of all that there could be."""

    mean: float
    sd: float
    low: float
    high: float


class McNemar(NamedTuple):
    """How many digits only one of two networks reads correctly, and how odd that would be for equal ones."""

    only_a: int
    only_b: int
    p_value: float


class Reliability(NamedTuple):
    """One number a bin: the mean confidence, the accuracy, and how many digits the bin holds."""

    confidence: Floats
    accuracy: Floats
    digits: Integers


def confusion_matrix(labels: ArrayLike, predicted: ArrayLike) -> Integers:
    """Count how often each digit is read as each digit.

    labels, predicted: whole numbers 0..9 of shape (n,). Returns counts of shape (10, 10): the row is the
    label, the column the answer. Raises TypeError or ValueError. Chapter: evaluation.
    """
    labels, predicted = _digits("labels", labels), _digits("predicted", predicted)
    _check_same_length("labels", labels, "predicted", predicted)
    return np.bincount(CLASSES * labels + predicted, minlength=CLASSES**2).reshape(
        CLASSES, CLASSES
    )


def hardest_digits(answers: ArrayLike, labels: ArrayLike) -> tuple[Integers, Integers]:
    """Find the digits that at least one run reads wrongly, those with the most such runs first.

    answers: whole numbers 0..9 of shape (runs, n); labels: (n,). Returns the places of these digits among
    the n, and for each the number of runs that read it wrongly; of two with the same number the earlier
    comes first. Raises TypeError or ValueError. Chapter: evaluation.
    """
    answers, labels = (
        _digits("answers", answers, ("runs", "n")),
        _digits("labels", labels),
    )
    _check_same_length("each row of answers", answers[0], "labels", labels)
    wrong_runs = (answers != labels).sum(axis=0)
    order = np.argsort(-wrong_runs, kind="stable")[: np.count_nonzero(wrong_runs)]
    return order, wrong_runs[order]


def mean_interval(values: ArrayLike, confidence: float = 0.95) -> MeanInterval:
    """Estimate the mean of all the runs that a recipe could have from the few that it had.

    values: two or more numbers, one a run. Returns the mean, the standard deviation (n - 1 below the
    fraction line) and the t-interval for the mean. Raises TypeError or ValueError. Source: Student, The
    probable error of a mean, 1908. Chapter: evaluation.
    """
    values = _values(values)
    _check_confidence(confidence)
    mean, sd = values.mean(), values.std(ddof=1)
    reach = (
        stats.t.isf((1 - confidence) / 2, len(values) - 1) * sd / np.sqrt(len(values))
    )
    return MeanInterval(
        float(mean), float(sd), float(mean - reach), float(mean + reach)
    )


def proportion_interval(
    correct: int, digits: int, confidence: float = 0.95
) -> tuple[float, float]:
    """Bracket the accuracy on all digits that there could be, from one network's score on some of them.

    correct: how many of the `digits` it read correctly. Returns the lowest and the highest accuracy, 0 to
    1, of the exact interval, which holds the true one at least as often as `confidence` says. Raises
    ValueError. Source: Clopper and Pearson, 1934. Chapter: evaluation.
    """
    digits = checks.whole_number("digits", digits, 1)
    correct = checks.whole_number("correct", correct, 0, digits)
    _check_confidence(confidence)
    interval = stats.binomtest(correct, digits).proportion_ci(
        confidence, method="exact"
    )
    return float(interval.low), float(interval.high)


def mcnemar(correct_a: ArrayLike, correct_b: ArrayLike) -> McNemar:
    """Ask whether two networks that read the same digits differ by more than chance.

    correct_a, correct_b: True or False for each digit, shape (n,). Only digits that one reads correctly
    and the other does not can tell. If both were equally good, each of these would be a fair coin: the
    p-value is the chance of a split at least as uneven (exact, two-sided). Raises TypeError or ValueError.
    Sources: McNemar, 1947; Dietterich, 1998. Chapter: evaluation.
    """
    correct_a = checks.array_like("correct_a", correct_a, ("n",), "b")
    correct_b = checks.array_like("correct_b", correct_b, ("n",), "b")
    _check_same_length("correct_a", correct_a, "correct_b", correct_b)
    only_a, only_b = (
        int((correct_a & ~correct_b).sum()),
        int((correct_b & ~correct_a).sum()),
    )
    p_value = (
        stats.binomtest(only_a, only_a + only_b).pvalue if only_a + only_b else 1.0
    )
    return McNemar(only_a, only_b, float(p_value))


def bootstrap_difference(
    correct_a: ArrayLike, correct_b: ArrayLike, samples: int, seed: int
) -> Floats:
    """Repeat a comparison of two recipes with other seeds and digits, drawn again from those there are.

    correct_a: True or False, shape (runs of a, n); correct_b: the same digits, shape (runs of b, n). Each
    sample draws n digits with replacement, the same for both recipes, and runs of each recipe with
    replacement. Returns `samples` differences of the mean accuracies, a - b. Raises TypeError or
    ValueError. Sources: Efron, 1979; for drawing rows and columns, Owen, 2007. Chapter: evaluation.
    """
    correct_a = checks.array_like("correct_a", correct_a, ("runs", "n"), "b")
    correct_b = checks.array_like("correct_b", correct_b, ("runs", "n"), "b")
    _check_same_length(
        "each row of correct_a", correct_a[0], "each row of correct_b", correct_b[0]
    )
    checks.whole_number("samples", samples, 1, 1_000_000)
    random = np.random.default_rng(checks.seed(seed))
    recipes = correct_a.astype(np.float64), correct_b.astype(np.float64)
    n = correct_a.shape[1]
    differences = np.empty(samples)
    for sample in range(samples):
        times_drawn = np.bincount(random.integers(n, size=n), minlength=n)
        a, b = (random.choice(runs @ times_drawn, len(runs)).mean() for runs in recipes)
        differences[sample] = (a - b) / n
    return differences


def reliability(
    probabilities: ArrayLike, labels: ArrayLike, bins: int = 15
) -> Reliability:
    """Compare how sure a network is with how often it is right, in bins of equally many digits.

    probabilities: (n, 10), each row summing to 1; labels: whole numbers 0..9 of shape (n,). The digits are
    sorted by the largest probability, the confidence, and cut into `bins` whose sizes differ by one at
    most. Returns one number a bin, the least sure bin first. Raises TypeError or ValueError. Source:
    Guo et al., 2017, there with bins of equal width. Chapter: evaluation.
    """
    probabilities, labels = _probabilities(probabilities, labels)
    checks.whole_number("bins", bins, 1, len(labels))
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    parts = np.array_split(np.argsort(confidence, kind="stable"), bins)
    return Reliability(
        np.array([confidence[part].mean() for part in parts]),
        np.array([correct[part].mean() for part in parts]),
        np.array([len(part) for part in parts]),
    )


def brier_score(probabilities: ArrayLike, labels: ArrayLike) -> float:
    """Return the mean squared distance between the probabilities and the one-hot label, 0 (best) to 2.

    probabilities: (n, 10), each row summing to 1; labels: whole numbers 0..9 of shape (n,). Raises
    TypeError or ValueError. Source: Brier, Verification of forecasts expressed in terms of probability,
    1950. Chapter: evaluation.
    """
    probabilities, labels = _probabilities(probabilities, labels)
    return float(((probabilities - np.eye(CLASSES)[labels]) ** 2).sum(axis=1).mean())


def negative_log_likelihood(probabilities: ArrayLike, labels: ArrayLike) -> float:
    """Return the mean of minus the logarithm of the label's probability: the cross-entropy.

    probabilities: (n, 10), each row summing to 1; labels: whole numbers 0..9 of shape (n,). It is infinite
    if a label was given the probability 0. Raises TypeError or ValueError. Chapter: evaluation.
    """
    probabilities, labels = _probabilities(probabilities, labels)
    with np.errstate(divide="ignore"):
        return float(-np.log(probabilities[np.arange(len(labels)), labels]).mean())


def _digits(name: str, values: ArrayLike, shape: tuple[str, ...] = ("n",)) -> Integers:
    """Check whole numbers 0..9 and return them in one dtype (uint64 and int64 together would be floats)."""
    array = checks.array_like(name, values, shape, "iu")
    wrong = array[(array < 0) | (array >= CLASSES)]
    if len(wrong):
        raise ValueError(f"{name} must be whole numbers from 0 to 9, found {wrong[0]}.")
    return array.astype(np.intp)


def _probabilities(
    probabilities: ArrayLike, labels: ArrayLike
) -> tuple[Floats, Integers]:
    rows = checks.array_like(
        "probabilities", probabilities, ("n", CLASSES), "iuf"
    ).astype(np.float64)
    rows, labels = checks.shares("probabilities", rows), _digits("labels", labels)
    _check_same_length("probabilities", rows, "labels", labels)
    good = np.abs(rows.sum(axis=1) - 1) < 1e-3
    if not good.all():
        index = int(np.argmin(good))
        raise ValueError(
            f"each row of probabilities must be numbers from 0 to 1 that sum to 1, but row {index} is "
            f"{rows[index]}, with sum {rows[index].sum():.4g}."
        )
    return rows, labels


def _values(values: ArrayLike) -> Floats:
    array = checks.finite(
        "values", checks.array_like("values", values, ("n",), "iuf")
    ).astype(np.float64)
    if len(array) < 2 or np.abs(array).max() > 1e100:  # whose square is a number too
        raise ValueError(
            f"values must be two or more numbers, none beyond 1e100, got {checks.shown(values)}."
        )
    return array


def _check_same_length(
    name_a: str, a: NDArray[Any], name_b: str, b: NDArray[Any]
) -> None:
    if len(a) != len(b):
        raise ValueError(
            f"{name_a} and {name_b} must be equally long, got {len(a)} and {len(b)}."
        )


def _check_confidence(confidence: float) -> None:
    checks.number(
        "confidence", confidence, "between 0 and 1", lambda share: 0 < share < 1
    )
