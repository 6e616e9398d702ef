import math
import statistics
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import scipy.special
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from mnist_tutorial import evaluation

Array = NDArray[Any]


def confident(labels: Array, probability: Array | float) -> NDArray[np.float64]:
    """Rows that give `probability` to the label and split the rest among the others."""
    probability = np.broadcast_to(probability, labels.shape)
    rows = np.repeat(((1 - probability) / 9)[:, None], 10, axis=1)
    rows[np.arange(len(labels)), labels] = probability
    return rows


# Confusion matrix and hardest digits


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=40))
def test_the_confusion_matrix_counts_each_pair(pairs: list[tuple[int, int]]) -> None:
    expected = np.zeros((10, 10), int)
    for pair in pairs:
        expected[pair] += 1
    labels, answers = np.array(pairs, np.uint8).reshape(-1, 2).T
    found = evaluation.confusion_matrix(labels, answers.astype(np.int64))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("wrong", [-1, 10])
def test_the_confusion_matrix_takes_digits_only(wrong: int) -> None:
    right, spoilt = np.array([1, 2]), np.array([1, wrong])
    for pair in ((right, spoilt), (spoilt, right)):
        with pytest.raises(ValueError, match=str(wrong)):
            evaluation.confusion_matrix(*pair)


def test_the_confusion_matrix_does_not_wrap_small_integers() -> None:
    nines, zeros = np.full(300, 9, np.int8), np.zeros(300, np.uint64)
    matrix = evaluation.confusion_matrix(nines, zeros)
    assert (matrix[9, 0], matrix.sum()) == (300, 300)


def test_the_hardest_digits_come_first() -> None:
    labels = np.array([1, 2, 3, 4, 5], np.uint8)
    answers = np.array([[1, 0, 3, 9, 5], [1, 2, 0, 9, 5], [1, 7, 0, 9, 5]], np.uint8)
    digits, wrong_runs = evaluation.hardest_digits(answers, labels)
    assert (digits.tolist(), wrong_runs.tolist()) == ([3, 1, 2], [3, 2, 2])


# Intervals


@given(
    hnp.arrays(float, st.integers(2, 8), elements=st.floats(-100, 100), unique=True),
    st.floats(0.01, 0.99),
)
def test_the_mean_interval_equals_scipys(values: Array, confidence: float) -> None:
    found = evaluation.mean_interval(values, confidence)
    interval = scipy.stats.ttest_1samp(values, 0).confidence_interval(confidence)
    expected = (statistics.mean(values), statistics.stdev(values), *interval)
    assert found == pytest.approx(expected, abs=1e-9)


def test_the_mean_of_numbers_of_low_precision_is_not_rounded_to_it() -> None:
    assert evaluation.mean_interval(np.array([2000, 2001], np.float16)).mean == 2000.5


@given(
    st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    st.floats(0.5, 0.99),
)
def test_the_proportion_interval_ends_where_a_tail_is_small_enough(
    scored: tuple[int, int], confidence: float
) -> None:
    correct, digits = scored
    low, high = evaluation.proportion_interval(correct, digits, confidence)
    assert 0 <= low <= correct / digits <= high <= 1
    tail = (1 - confidence) / 2
    # How often so many or more, and so few or fewer, are read if the truth is an end.
    at_least = scipy.stats.binom.sf(correct - 1, digits, low)
    at_most = scipy.stats.binom.cdf(correct, digits, high)
    assert low == 0 if correct == 0 else at_least == pytest.approx(tail)
    assert high == 1 if correct == digits else at_most == pytest.approx(tail)


@pytest.mark.parametrize("correct", [11, -1])
def test_more_or_fewer_correct_digits_than_there_are_is_refused(correct: int) -> None:
    with pytest.raises(ValueError):
        evaluation.proportion_interval(correct, 10)


# McNemar


@pytest.mark.parametrize(
    ("only_a", "only_b"), [(0, 0), (1, 0), (0, 6), (5, 5), (3, 9), (45, 40)]
)
def test_mcnemar_counts_every_split_of_fair_coins(only_a: int, only_b: int) -> None:
    tosses, fewer = only_a + only_b, min(only_a, only_b)
    ways = [math.comb(tosses, k) for k in range(tosses + 1)]
    as_uneven = sum(ways[: fewer + 1] + ways[max(fewer + 1, tosses - fewer) :])
    just_as_uneven = sum(ways[k] for k in {fewer, tosses - fewer})
    expected: Any = [
        pytest.approx(splits / 2**tosses, rel=1e-9)
        for splits in (as_uneven, as_uneven - just_as_uneven / 2)
    ]
    counts = (only_a, only_b, 3, 2)  # 3 read by both, 2 by none, make no difference
    a = np.repeat([True, False, True, False], counts)
    b = np.repeat([False, True, True, False], counts)
    assert evaluation.mcnemar(a, b) == (only_a, only_b, *expected)
    assert evaluation.mcnemar(b, a) == (only_b, only_a, *expected)


# Two recipes


def test_each_interval_holds_the_truth_that_it_asks_about() -> None:
    """95 times in 100, in a world where we make the seeds and the digits."""
    random = np.random.default_rng(0)
    held = []
    for _ in range(600):
        # How often seeds of each recipe read each digit: mostly always or never.
        ease_a, ease_b = random.beta(0.3, 0.1, (2, 500))
        ease_b[:250] = ease_a[:250]
        luck = random.normal(0, 0.02, (9, 1))
        a = random.random((5, 500)) < ease_a + luck[:5]
        b = random.random((4, 500)) < ease_b + luck[5:]
        _, these, general = evaluation.difference_intervals(a, b)
        on_these = (ease_a - ease_b).sum()
        asked = (these, on_these), (general, 0), (these, 0)
        held.append([low <= truth <= high for (low, high), truth in asked])
    *shares, mistaken_share = np.mean(held, axis=0)
    four_standard_errors = 4 * math.sqrt(0.95 * 0.05 / 600)
    assert shares == pytest.approx([0.95, 0.95], abs=four_standard_errors)
    assert mistaken_share < 0.9  # which is why there are two


def test_the_difference_of_two_recipes_worked_by_hand() -> None:
    a = np.array([[1, 1, 1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 0, 0, 0]], bool)
    b = np.array([[1, 1, 0, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0, 0, 0]], bool)
    mean, on_these_digits, in_general = evaluation.difference_intervals(a, b)
    # Counts 6, 5 and 2, 1: two variances of 0.5 / 2; 2 degrees of freedom, t = 4.3027.
    seeds = 4.302653**2 * 0.5
    # By digit 0, 0.5, 1, 1, 1, 0.5, 0, 0: variance 1.5 / 7. Two digits vary with the
    # seed, by 0.5 each: 0.5 / 8 / 2 for each recipe.
    digits = 1.96**2 * 8 * (1.5 / 7 - 2 * 0.5 / 8 / 2)
    assert mean == 4
    for interval, squares in ((on_these_digits, seeds), (in_general, seeds + digits)):
        reach = math.sqrt(squares)
        assert interval == pytest.approx((4 - reach, 4 + reach), rel=1e-6)


def test_recipes_may_spread_differently() -> None:
    random = np.random.default_rng(0)
    a, b = random.random((6, 50)) < 0.5, np.tile(random.random(50) < 0.5, (3, 1))
    b[0, :2] ^= True
    welch = scipy.stats.ttest_ind(a.sum(axis=1), b.sum(axis=1), equal_var=False)
    _, on_these_digits, _ = evaluation.difference_intervals(a, b)
    assert on_these_digits == pytest.approx(welch.confidence_interval(0.95))


def test_one_run_has_no_interval_and_is_not_compared() -> None:
    with pytest.raises(ValueError, match="values"):
        evaluation.mean_interval(np.array([9955]))
    runs = np.ones((2, 10), bool)
    for pair in ((runs, runs[:1]), (runs[:1], runs)):
        with pytest.raises(ValueError, match="two runs"):
            evaluation.difference_intervals(*pair)


# Calibration


def test_reliability_of_a_case_worked_by_hand() -> None:
    labels = np.array([0, 1, 2, 3, 4])
    rows = confident(labels, np.array([0.9, 0.5, 0.7, 0.6, 0.8]))
    rows[1] = confident(np.array([9]), 0.5)[0]  # this one is wrong
    found = evaluation.reliability(rows, labels, bins=2)
    assert found.digits.tolist() == [3, 2]
    np.testing.assert_allclose(found.confidence, [0.6, 0.85])
    np.testing.assert_allclose(found.accuracy, [2 / 3, 1])
    with pytest.raises(ValueError, match="bins"):  # some would be empty
        evaluation.reliability(rows, labels, bins=6)


@given(st.integers(15, 200), st.integers(1, 15), st.integers(0, 5))
def test_the_bins_are_equally_full_and_in_order(n: int, bins: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    rows = random.dirichlet(np.full(10, 0.3), size=n)
    labels = random.integers(10, size=n)
    found = evaluation.reliability(rows, labels, bins)
    assert (len(found.digits), found.digits.sum()) == (bins, n)
    assert np.ptp(found.digits) <= 1
    assert all(first <= second for first, second in pairwise(found.confidence))
    correct = (rows.argmax(axis=1) == labels).sum()
    assert found.digits @ found.accuracy == pytest.approx(correct)
    assert found.digits @ found.confidence == pytest.approx(rows.max(axis=1).sum())


def test_equally_confident_digits_keep_their_order_on_every_machine() -> None:
    digits = np.arange(100)
    labels, is_read = digits % 10, digits < 50
    answers = np.where(is_read, labels, (labels + 1) % 10)
    rows = confident(answers, np.where(digits % 3, 0.91, 0.95))
    in_order = [*digits[digits % 3 > 0], *digits[::3]]
    found = evaluation.reliability(rows, labels, bins=100)
    np.testing.assert_array_equal(found.accuracy, is_read[in_order])


def test_scores_of_cases_worked_by_hand() -> None:
    labels = np.array([3, 5])
    rows = np.zeros((2, 10))
    rows[0, [3, 8]] = 0.8, 0.2  # 0.2 ** 2 + 0.2 ** 2 = 0.08
    rows[1, [5, 6]] = 0.1, 0.9  # 0.9 ** 2 + 0.9 ** 2 = 1.62
    assert evaluation.brier_score(rows, labels) == pytest.approx(0.85)
    expected = -(math.log(0.8) + math.log(0.1)) / 2
    assert evaluation.negative_log_likelihood(rows, labels) == pytest.approx(expected)
    assert evaluation.negative_log_likelihood(rows, labels[::-1]) == math.inf


@pytest.mark.parametrize(
    "name", ["reliability", "brier_score", "negative_log_likelihood"]
)
def test_scores_take_probabilities_of_a_float32_softmax_and_nothing_else(
    name: str,
) -> None:
    score = getattr(evaluation, name)
    logits = np.random.default_rng(0).normal(0, 8, (200, 10)).astype(np.float32)
    rows = scipy.special.softmax(logits, axis=1)
    labels = rows.argmax(axis=1)
    score(rows, labels)
    negative = [1.5, -0.5, *[0.0] * 8]
    for wrong in ([0.2] * 10, negative, [math.nan] * 10, logits[1]):
        rows[1] = wrong
        with pytest.raises(ValueError, match="probabilities"):
            score(rows, labels)
