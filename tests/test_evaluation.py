import math
import time
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from mnist_tutorial import evaluation

digit_pairs = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=40
)


def one_sided(correct: int, digits: int, accuracy: float) -> tuple[float, float]:
    """The chances of at most and of at least so many correct digits, summed term by term."""
    terms = [
        math.comb(digits, k) * accuracy**k * (1 - accuracy) ** (digits - k)
        for k in range(digits + 1)
    ]
    return math.fsum(terms[: correct + 1]), math.fsum(terms[correct:])


def discordant(
    only_a: int, only_b: int, both: int = 3, neither: int = 2
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Answers of two networks on shared digits with these counts."""
    a = np.array([True] * only_a + [False] * only_b + [True] * both + [False] * neither)
    b = np.array([False] * only_a + [True] * only_b + [True] * both + [False] * neither)
    return a, b


def sure(
    labels: NDArray[Any], probability: NDArray[Any] | float
) -> NDArray[np.float64]:
    """Rows that give `probability` to the label and share the rest among the other nine."""
    probability = np.broadcast_to(probability, labels.shape)
    rows = np.repeat(((1 - probability) / 9)[:, None], 10, axis=1)
    rows[np.arange(len(labels)), labels] = probability
    return rows


# Confusion matrix and hardest digits


@given(digit_pairs)
def test_the_confusion_matrix_counts_each_pair(pairs: list[tuple[int, int]]) -> None:
    labels, predicted = zip(*pairs, strict=True)
    expected = np.zeros((10, 10), int)
    for label, answer in pairs:
        expected[label, answer] += 1
    np.testing.assert_array_equal(
        evaluation.confusion_matrix(labels, predicted), expected
    )


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int64, np.uint64])
def test_the_row_is_the_label_for_every_integer_dtype(dtype: Any) -> None:
    nines, zeros = np.full(300, 9, dtype), np.zeros(300, np.int64)
    matrix = evaluation.confusion_matrix(nines, zeros)
    assert matrix.shape == (10, 10)
    assert (matrix[9, 0], matrix.sum()) == (300, 300)


def test_the_hardest_digits_come_first() -> None:
    labels = np.array([1, 2, 3, 4, 5], np.uint8)
    answers = np.array([[1, 0, 3, 9, 5], [1, 2, 0, 9, 5], [1, 7, 0, 9, 5]], np.uint8)
    digits, wrong_runs = evaluation.hardest_digits(answers, labels)
    assert digits.tolist() == [3, 1, 2]
    assert wrong_runs.tolist() == [3, 2, 2]


@given(
    hnp.arrays(
        np.uint8,
        st.tuples(st.integers(1, 5), st.integers(1, 12)),
        elements=st.integers(0, 9),
    ),
    st.integers(0, 9),
)
def test_the_hardest_digits_are_all_those_with_an_error(
    answers: NDArray[np.uint8], label: int
) -> None:
    labels = np.full(answers.shape[1], label)
    digits, wrong_runs = evaluation.hardest_digits(answers, labels)
    counted = {
        i: sum(answer != label for answer in answers[:, i])
        for i in range(answers.shape[1])
    }
    assert dict(zip(digits.tolist(), wrong_runs.tolist(), strict=True)) == {
        i: count for i, count in counted.items() if count
    }
    keys = list(zip((-wrong_runs).tolist(), digits.tolist(), strict=True))
    assert keys == sorted(keys)


# Intervals


def test_the_mean_interval_of_a_hand_worked_case() -> None:
    # Mean 4, deviations -2, -1, 0, 1, 2: variance 10 / 4. t for 4 degrees of freedom, 97.5 %: 2.776.
    found = evaluation.mean_interval([2, 3, 4, 5, 6])
    reach = 2.776445 * math.sqrt(2.5) / math.sqrt(5)
    assert found == pytest.approx((4, math.sqrt(2.5), 4 - reach, 4 + reach), rel=1e-6)
    assert found._fields == ("mean", "sd", "low", "high")


def test_the_mean_of_numbers_of_low_precision_is_not_rounded_to_it() -> None:
    assert evaluation.mean_interval(np.array([2000, 2001], np.float16)).mean == 2000.5


@pytest.mark.parametrize(("confidence", "t"), [(0.9, 2.131847), (0.99, 4.604095)])
def test_the_mean_interval_takes_other_confidences_from_the_t_table(
    confidence: float, t: float
) -> None:
    found = evaluation.mean_interval([2, 3, 4, 5, 6], confidence)
    assert found.high - 4 == pytest.approx(t * math.sqrt(0.5), rel=1e-6)


def test_the_mean_interval_holds_the_mean_as_often_as_it_says() -> None:
    random = np.random.default_rng(0)
    held = [
        interval.low <= 50 <= interval.high
        for interval in (
            evaluation.mean_interval(runs) for runs in random.normal(50, 7, (2000, 5))
        )
    ]
    assert np.mean(held) == pytest.approx(0.95, abs=0.015)  # 3 standard errors


@given(
    st.lists(st.floats(-100, 100), min_size=2, max_size=8),
    st.floats(-50, 50),
    st.floats(0.1, 10),
)
def test_the_mean_interval_moves_and_stretches_with_the_values(
    values: list[float], shift: float, scale: float
) -> None:
    found = evaluation.mean_interval(values)
    moved = evaluation.mean_interval([scale * value + shift for value in values])
    assert moved.mean == pytest.approx(scale * found.mean + shift, abs=1e-6)
    assert moved.sd == pytest.approx(scale * found.sd, abs=1e-6)
    assert moved.high - moved.low == pytest.approx(
        scale * (found.high - found.low), abs=1e-5
    )


@given(
    st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    st.floats(0.5, 0.99),
)
def test_the_proportion_interval_ends_where_a_tail_is_small_enough(
    scored: tuple[int, int], confidence: float
) -> None:
    correct, digits = scored
    low, high = evaluation.proportion_interval(correct, digits, confidence)
    tail = (1 - confidence) / 2
    assert 0 <= low <= correct / digits <= high <= 1
    assert (
        (low == 0)
        if correct == 0
        else one_sided(correct, digits, low)[1] == pytest.approx(tail, rel=1e-6)
    )
    assert (
        (high == 1)
        if correct == digits
        else one_sided(correct, digits, high)[0] == pytest.approx(tail, rel=1e-6)
    )


def test_the_proportion_interval_of_no_error_at_all_has_a_closed_form() -> None:
    # All of n correct: the lower end p solves p ** n = 0.025.
    assert evaluation.proportion_interval(10000, 10000) == pytest.approx(
        (0.025 ** (1 / 10000), 1)
    )


def test_the_proportion_interval_covers_at_least_as_often_as_it_says() -> None:
    accuracy, digits = 0.93, 50
    intervals = [
        evaluation.proportion_interval(correct, digits) for correct in range(digits + 1)
    ]
    held = math.fsum(
        math.comb(digits, k) * accuracy**k * (1 - accuracy) ** (digits - k)
        for k, (low, high) in enumerate(intervals)
        if low <= accuracy <= high
    )
    assert 0.95 <= held < 0.99


# McNemar


@pytest.mark.parametrize(
    ("only_a", "only_b"),
    [(0, 0), (1, 0), (0, 6), (5, 5), (3, 9), (10, 2), (0, 5), (45, 40)],
)
def test_mcnemar_counts_every_split_of_fair_coins(only_a: int, only_b: int) -> None:
    tosses, fewer = only_a + only_b, min(only_a, only_b)
    as_uneven = sum(
        math.comb(tosses, k) for k in range(tosses + 1) if min(k, tosses - k) <= fewer
    )
    found = evaluation.mcnemar(*discordant(only_a, only_b))
    assert (found.only_a, found.only_b) == (only_a, only_b)
    assert found.p_value == pytest.approx(
        float(Fraction(as_uneven, 2**tosses)), rel=1e-9
    )


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 5), st.integers(0, 5))
def test_mcnemar_takes_no_notice_of_digits_on_which_both_agree(
    only_a: int, only_b: int, both: int, neither: int
) -> None:
    if only_a + only_b + both + neither == 0:
        both = 1
    found = evaluation.mcnemar(*discordant(only_a, only_b, both, neither))
    assert found == evaluation.mcnemar(*discordant(only_a, only_b))
    b, a = discordant(only_a, only_b)
    assert evaluation.mcnemar(a, b) == (only_b, only_a, found.p_value)


def test_45_against_40_errors_is_never_significant() -> None:
    p_values = [
        evaluation.mcnemar(*discordant(40 - both, 45 - both, 0, both)).p_value
        for both in range(41)
    ]
    assert (
        min(p_values) == 2 * 0.5**5
    )  # one reads all that the other reads, and five more
    assert p_values.index(min(p_values)) == 40


# Bootstrap


def test_the_bootstrap_centres_on_the_observed_difference() -> None:
    random = np.random.default_rng(1)
    a, b = random.random((6, 500)) < 0.9, random.random((3, 500)) < 0.8
    differences = evaluation.bootstrap_difference(a, b, 4000, seed=0)
    assert differences.shape == (4000,)
    assert differences.mean() == pytest.approx(
        a.mean() - b.mean(), abs=4 * differences.std() / math.sqrt(4000)
    )


def test_the_bootstrap_of_one_run_each_is_that_of_the_digits() -> None:
    # 30 digits only a reads, 10 only b, 60 both: each drawn digit adds +1, -1 or 0 hundredths.
    a, b = discordant(30, 10, 60, 0)
    differences = evaluation.bootstrap_difference(a[None], b[None], 20000, seed=0)
    assert differences.std() == pytest.approx(
        math.sqrt((0.3 + 0.1 - 0.2**2) / 100), rel=0.03
    )
    np.testing.assert_allclose(differences * 100, np.rint(differences * 100), atol=1e-9)


def test_the_bootstrap_of_digits_that_are_all_alike_is_that_of_the_runs() -> None:
    # Run by run all right or all wrong: the digits do not matter, 3 of 4 and 1 of 2 runs are right.
    a = np.repeat([[True], [True], [True], [False]], 20, axis=1)
    b = np.repeat([[True], [False]], 20, axis=1)
    differences = evaluation.bootstrap_difference(a, b, 20000, seed=0)
    assert differences.std() == pytest.approx(
        math.sqrt(0.75 * 0.25 / 4 + 0.5 * 0.5 / 2), rel=0.03
    )


@pytest.mark.parametrize("place", range(4))
def test_the_bootstrap_draws_each_digit_equally_often(place: int) -> None:
    only_one = np.arange(4)[None] == place
    differences = evaluation.bootstrap_difference(
        only_one, np.zeros((1, 4), bool), 2000, seed=0
    )
    assert differences.mean() == pytest.approx(1 / 4, abs=0.02)  # 4 standard errors


def test_the_bootstrap_draws_the_same_digits_for_both() -> None:
    # Two recipes that err on the same digits never differ, whichever digits are drawn.
    row = np.random.default_rng(2).random(200) < 0.7
    for samples in (1, 50):
        differences = evaluation.bootstrap_difference(
            np.stack([row, row]), row[None], samples, seed=0
        )
        assert differences.tolist() == [0] * samples


def test_the_bootstrap_agrees_with_one_that_spells_everything_out() -> None:
    random = np.random.default_rng(3)
    a, b = random.random((3, 40)) < 0.8, random.random((5, 40)) < 0.7
    spelt = []
    for _ in range(5000):
        digits = [random.integers(40) for _ in range(40)]
        runs_a, runs_b = random.integers(3, size=3), random.integers(5, size=5)
        spelt.append(a[runs_a][:, digits].mean() - b[runs_b][:, digits].mean())
    differences = evaluation.bootstrap_difference(a, b, 5000, seed=0)
    quantiles = [0.05, 0.25, 0.5, 0.75, 0.95]
    np.testing.assert_allclose(
        np.quantile(differences, quantiles), np.quantile(spelt, quantiles), atol=0.015
    )


def test_the_bootstrap_repeats_with_its_seed_and_is_quick() -> None:
    random = np.random.default_rng(4)
    a, b = random.random((10, 10000)) < 0.9965, random.random((10, 10000)) < 0.9955
    start = time.process_time()  # which other work on this machine does not lengthen
    first = evaluation.bootstrap_difference(a, b, 2000, seed=5)
    assert time.process_time() - start < 5  # 0.3 s as measured
    assert (first[:50] == evaluation.bootstrap_difference(a, b, 50, seed=5)).all()
    assert (first[:50] != evaluation.bootstrap_difference(a, b, 50, seed=6)).any()


# Calibration


def test_reliability_of_a_hand_worked_case() -> None:
    labels = np.array([0, 1, 2, 3, 4])
    rows = sure(labels, np.array([0.9, 0.5, 0.7, 0.6, 0.8]))
    rows[1] = sure(np.array([9]), 0.5)[0]  # this one is wrong
    found = evaluation.reliability(rows, labels, bins=2)
    assert found.digits.tolist() == [3, 2]
    np.testing.assert_allclose(found.confidence, [0.6, 0.85])
    np.testing.assert_allclose(found.accuracy, [2 / 3, 1])


@given(st.integers(1, 200), st.integers(1, 15), st.integers(0, 5))
def test_the_bins_are_equally_full_and_in_order(n: int, bins: int, seed: int) -> None:
    bins = min(n, bins)
    random = np.random.default_rng(seed)
    rows, labels = (
        random.dirichlet(np.full(10, 0.3), size=n),
        random.integers(10, size=n),
    )
    found = evaluation.reliability(rows, labels, bins)
    assert len(found.digits) == bins
    assert found.digits.sum() == n
    assert found.digits.max() - found.digits.min() <= 1
    assert all(first <= second for first, second in pairwise(found.confidence))
    assert (found.digits * found.accuracy).sum() == pytest.approx(
        (rows.argmax(axis=1) == labels).sum()
    )
    assert (found.digits * found.confidence).sum() == pytest.approx(
        rows.max(axis=1).sum()
    )


def test_fifteen_bins_unless_asked_otherwise() -> None:
    labels = np.arange(40) % 10
    assert len(evaluation.reliability(sure(labels, 0.9), labels).digits) == 15


def test_a_network_that_means_what_it_says_lies_on_the_diagonal() -> None:
    random = np.random.default_rng(0)
    rows = random.dirichlet(np.full(10, 0.2), size=20000)
    labels = (rows.cumsum(axis=1) > random.random((20000, 1))).argmax(axis=1)
    found = evaluation.reliability(rows, labels, bins=10)
    np.testing.assert_allclose(
        found.confidence, found.accuracy, atol=0.045
    )  # 4 standard errors


def test_of_equally_sure_digits_the_first_come_first_on_every_machine() -> None:
    digits = np.arange(100)
    labels, is_read = digits % 10, digits < 50
    rows = sure(
        np.where(is_read, labels, (labels + 1) % 10), np.where(digits % 3, 0.91, 0.95)
    )
    in_order = [*digits[digits % 3 > 0], *digits[::3]]
    np.testing.assert_array_equal(
        evaluation.reliability(rows, labels, bins=100).accuracy, is_read[in_order]
    )


def test_scores_of_hand_worked_cases() -> None:
    labels = np.array([3, 5])
    rows = np.zeros((2, 10))
    rows[0, [3, 8]] = 0.8, 0.2  # 0.2 ** 2 + 0.2 ** 2 = 0.08
    rows[1, [5, 6]] = 0.1, 0.9  # 0.9 ** 2 + 0.9 ** 2 = 1.62
    assert evaluation.brier_score(rows, labels) == pytest.approx(0.85)
    expected = -(math.log(0.8) + math.log(0.1)) / 2
    assert evaluation.negative_log_likelihood(rows, labels) == pytest.approx(expected)


def test_scores_at_their_ends() -> None:
    labels = np.arange(10)
    right, wrong = np.eye(10), np.roll(np.eye(10), 1, axis=1)
    assert (
        evaluation.brier_score(right, labels),
        evaluation.brier_score(wrong, labels),
    ) == (0, 2)
    assert evaluation.negative_log_likelihood(right, labels) == 0
    assert evaluation.negative_log_likelihood(wrong, labels) == math.inf
    even = np.full((10, 10), np.float32(0.1))
    assert evaluation.brier_score(even, labels) == pytest.approx(0.9)
    assert evaluation.negative_log_likelihood(even, labels) == pytest.approx(
        math.log(10)
    )


@given(st.floats(0.05, 0.95), st.floats(0.05, 0.95))
def test_the_scores_are_best_for_who_tells_the_truth(truth: float, told: float) -> None:
    """Proper scores: with labels 0 and 1 in shares of truth and 1 - truth, the truth scores best."""

    def expected_score(score: Any, probability: float) -> float:
        row = np.zeros((1, 10))
        row[0, :2] = probability, 1 - probability
        return truth * score(row, [0]) + (1 - truth) * score(row, [1])

    for score in (evaluation.brier_score, evaluation.negative_log_likelihood):
        assert expected_score(score, truth) <= expected_score(score, told) + 1e-12


def test_probabilities_of_a_float32_softmax_are_taken() -> None:
    logits = np.random.default_rng(0).normal(0, 8, (200, 10)).astype(np.float32)
    rows = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert rows.dtype == np.float32
    assert evaluation.brier_score(rows, rows.argmax(axis=1)) < 1


# Errors

GOOD = sure(np.array([1, 2, 3]), 0.91)
LABELS = np.array([1, 2, 3])
TRUE = np.array([True, False, True])


def row_with(values: list[float]) -> NDArray[np.float64]:
    changed = GOOD.copy()
    changed[1] = values
    return changed


@pytest.mark.parametrize(
    ("call", "error", "expected"),
    [
        (
            lambda: evaluation.confusion_matrix([1, 2], [1]),
            ValueError,
            "^labels and predicted must .*got 2 and 1",
        ),
        (
            lambda: evaluation.confusion_matrix([], []),
            ValueError,
            r"^labels must have .*\(0,\)",
        ),
        (
            lambda: evaluation.confusion_matrix([[1]], [1]),
            ValueError,
            r"^labels .* shape \(n,\).*\(1, 1\)",
        ),
        (
            lambda: evaluation.confusion_matrix([1, 10], [1, 1]),
            ValueError,
            "^labels .*0 to 9, found 10",
        ),
        (
            lambda: evaluation.confusion_matrix([1, 1], [1, -1]),
            ValueError,
            "^predicted .*0 to 9, found -1",
        ),
        (
            lambda: evaluation.confusion_matrix([1.0], [1]),
            TypeError,
            "^labels .*float64",
        ),
        (
            lambda: evaluation.confusion_matrix([1], ["1"]),
            TypeError,
            "^predicted .*<U1",
        ),
        (lambda: evaluation.confusion_matrix([True], [1]), TypeError, "^labels .*bool"),
        (
            lambda: evaluation.hardest_digits([1, 2], [1, 2]),
            ValueError,
            r"^answers must have shape \(runs, n\).*\(2,\)",
        ),
        (
            lambda: evaluation.hardest_digits([[1, 2]], [1]),
            ValueError,
            "^each row of answers and labels must .*got 2 and 1",
        ),
        (
            lambda: evaluation.hardest_digits([[1, 2]], [1, 12]),
            ValueError,
            "^labels .*found 12",
        ),
        (lambda: evaluation.mean_interval([9955]), ValueError, "two or more .*9955"),
        (
            lambda: evaluation.mean_interval([1, math.nan]),
            ValueError,
            "^values must be finite .*nan",
        ),
        (lambda: evaluation.mean_interval([1, math.inf]), ValueError, "finite .*inf"),
        (
            lambda: evaluation.mean_interval([[1, 2]]),
            ValueError,
            r"^values must have shape \(n,\).*\(1, 2\)",
        ),
        (
            lambda: evaluation.mean_interval([True, False]),
            TypeError,
            "^values must be an array of numbers, got bool",
        ),
        (
            lambda: evaluation.mean_interval([1, 2], 0),
            ValueError,
            "^confidence must be a number between 0 and 1, got 0",
        ),
        (
            lambda: evaluation.mean_interval([1, 2], 95),
            ValueError,
            "confidence .*got 95",
        ),
        (
            lambda: evaluation.proportion_interval(11, 10),
            ValueError,
            "correct must be .* to 10, got 11",
        ),
        (
            lambda: evaluation.proportion_interval(-1, 10),
            ValueError,
            "correct must be .*got -1",
        ),
        (
            lambda: evaluation.proportion_interval(0, 0),
            ValueError,
            "digits must be .*got 0",
        ),
        (
            lambda: evaluation.proportion_interval(1, 2, 1),
            ValueError,
            "confidence .*got 1",
        ),
        (
            lambda: evaluation.mcnemar(TRUE, TRUE[:2]),
            ValueError,
            "^correct_a and correct_b must .*3 and 2",
        ),
        (
            lambda: evaluation.mcnemar(TRUE, [1, 0, 1]),
            TypeError,
            "^correct_b .* True or False.*int64",
        ),
        (
            lambda: evaluation.mcnemar([1, 0, 1], TRUE),
            TypeError,
            "^correct_a .* True or False.*int64",
        ),
        (
            lambda: evaluation.mcnemar(TRUE, TRUE[None]),
            ValueError,
            r"^correct_b .* shape \(n,\) .*\(1, 3\)",
        ),
        (
            lambda: evaluation.mcnemar(TRUE[None], TRUE),
            ValueError,
            r"^correct_a .* shape \(n,\) .*\(1, 3\)",
        ),
        (
            lambda: evaluation.bootstrap_difference(TRUE, TRUE[None], 5, 0),
            ValueError,
            r"^correct_a must have shape \(runs, n\).*\(3,\)",
        ),
        (
            lambda: evaluation.bootstrap_difference([[1]], TRUE[None], 5, 0),
            TypeError,
            "^correct_a .*int64",
        ),
        (
            lambda: evaluation.bootstrap_difference(TRUE[None], [[1]], 5, 0),
            TypeError,
            "^correct_b .*int64",
        ),
        (
            lambda: evaluation.bootstrap_difference(TRUE[None], TRUE, 5, 0),
            ValueError,
            r"^correct_b must have shape \(runs, n\).*\(3,\)",
        ),
        (
            lambda: evaluation.bootstrap_difference(TRUE[None], TRUE[None, :2], 5, 0),
            ValueError,
            "^each row of correct_a and each row of correct_b must .*3 and 2",
        ),
        (
            lambda: evaluation.bootstrap_difference(TRUE[None], TRUE[None], 0, 0),
            ValueError,
            "samples .*got 0",
        ),
        (
            lambda: evaluation.bootstrap_difference(
                TRUE[None], TRUE[None], 1_000_001, 0
            ),
            ValueError,
            "^samples must be a whole number from 1 to 1000000, got 1000001",
        ),
        (
            lambda: evaluation.reliability(GOOD, LABELS, 0),
            ValueError,
            "bins .* 3, got 0",
        ),
        (
            lambda: evaluation.reliability(GOOD, LABELS, 4),
            ValueError,
            "bins .* 3, got 4",
        ),
        (
            lambda: evaluation.reliability(GOOD[0], LABELS),
            ValueError,
            r"^probabilities must have .*\(10,\)",
        ),
        (
            lambda: evaluation.brier_score(GOOD[:, :9], LABELS),
            ValueError,
            r"^probabilities must .*\(n, 10\).*got .*\(3, 9\)",
        ),
        (
            lambda: evaluation.brier_score(GOOD, LABELS[:2]),
            ValueError,
            "^probabilities and labels must .*3 and 2",
        ),
        (
            lambda: evaluation.brier_score(GOOD > 0, LABELS),
            TypeError,
            "^probabilities .* of numbers, got bool",
        ),
        (
            lambda: evaluation.brier_score(GOOD, [1, 2, 12]),
            ValueError,
            "^labels .*found 12",
        ),
        (
            lambda: evaluation.brier_score(row_with([0.2] * 10), LABELS),
            ValueError,
            "row 1 is .*with sum 2",
        ),
        (
            lambda: evaluation.brier_score(row_with([0.0] * 10), LABELS),
            ValueError,
            "row 1 is .*with sum 0",
        ),
        (
            lambda: evaluation.negative_log_likelihood(
                row_with([math.nan] * 10), LABELS
            ),
            ValueError,
            "probabilities must be finite .*nan",
        ),
        (
            lambda: evaluation.negative_log_likelihood(
                row_with([1.5, -0.5] + [0.0] * 8), LABELS
            ),
            ValueError,
            "from 0 to 1, found 1.5",
        ),
    ],
)
def test_what_cannot_be_is_refused(
    call: Any, error: type[Exception], expected: str
) -> None:
    with pytest.raises(error, match=f"(?s){expected}"):
        call()
