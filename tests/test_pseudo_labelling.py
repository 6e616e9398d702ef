from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from mnist_tutorial.pseudo_labelling import (
    Part,
    choose_confident,
    draw_labelled,
    mixed_batches,
)


@given(st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_each_class_gets_as_many_labels_and_no_digit_is_lost(
    each: int, seed: int
) -> None:
    labels = np.random.default_rng(7).permutation(np.repeat(range(10), range(4, 14)))
    known, hidden = draw_labelled(labels, 10 * each, seed)
    assert np.bincount(labels[known]).tolist() == [each] * 10
    np.testing.assert_array_equal(
        np.sort(np.concatenate([known, hidden])), range(len(labels))
    )
    assert (np.diff(known) > 0).all()
    assert (np.diff(hidden) > 0).all()


def test_a_seed_draws_the_same_digits_and_another_one_others() -> None:
    labels = np.arange(1000) % 10
    drawn = [draw_labelled(labels, 50, seed)[0].tolist() for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]


@pytest.mark.parametrize("count", [0, -10, 5, 15, 10.5, 60])
def test_a_count_that_cannot_be_drawn_is_refused(count: Any) -> None:
    with pytest.raises(ValueError, match=f"count must be .*from .* to 50, got {count}"):
        draw_labelled(np.arange(50) % 10, count, seed=0)


def test_the_confident_ones_of_four_worked_out_by_hand() -> None:
    probabilities = np.array([[0.95, 0.05], [0.06, 0.94], [0.5, 0.5], [0.01, 0.99]])
    chosen, answers = choose_confident(probabilities, 0.95)
    assert (chosen.tolist(), answers.tolist()) == ([0, 3], [0, 1])
    assert [array.tolist() for array in choose_confident(probabilities, 1.0)] == [
        [],
        [],
    ]
    assert choose_confident(probabilities, 0)[0].tolist() == [0, 1, 2, 3]


@given(
    hnp.arrays(
        np.float32,
        st.tuples(st.integers(1, 9), st.integers(1, 4)),
        elements=st.floats(0, 1, width=32),
    ),
    st.floats(0, 1),
)
def test_none_below_the_threshold_is_chosen_and_none_above_it_left(
    probabilities: NDArray[np.float32], threshold: float
) -> None:
    chosen, answers = choose_confident(probabilities, threshold)
    highest = probabilities.max(axis=1)
    assert (highest[chosen] >= threshold).all()
    assert (np.delete(highest, chosen) < threshold).all()
    np.testing.assert_array_equal(probabilities[chosen, answers], highest[chosen])


@pytest.mark.parametrize(
    ("probabilities", "threshold", "expected"),
    [
        (np.zeros(10), 0.5, r"shape \(n, classes\).*got .*\(10,\)"),
        (np.zeros((0, 10)), 0.5, r"not be empty, got .*\(0, 10\)"),
        (np.zeros((1, 2)), 1.5, "0 to 1, got 1.5"),
        (np.zeros((1, 2)), float("nan"), "0 to 1, got nan"),
        (np.array([[0.5, np.nan]]), 0.5, "finite .*nan"),
    ],
)
def test_bad_probabilities_and_thresholds_are_refused(
    probabilities: NDArray[Any], threshold: float, expected: str
) -> None:
    with pytest.raises(ValueError, match=expected):
        choose_confident(probabilities, threshold)


def part(count: int, first: int, share: float) -> Part:
    """Images that are their own number everywhere, with labels that say the same number."""
    numbers = np.arange(first, first + count, dtype=np.float32)
    return Part(
        np.tile(numbers[:, None, None, None], (1, 2, 2, 1)), numbers[:, None], share
    )


def epoch_of(dataset: Any) -> list[NDArray[np.float32]]:
    batches = [(np.asarray(x), np.asarray(y)) for x, y in dataset]
    for x, y in batches:
        np.testing.assert_array_equal(x, np.tile(y[:, :, None, None], (1, 2, 2, 1)))
    return [y[:, 0] for _, y in batches]


def test_each_part_has_its_share_of_each_batch_and_each_digit_its_turn() -> None:
    dataset = mixed_batches(
        [part(6, 0, 0.25), part(40, 100, 0.75)], batch_size=8, steps=9, seed=1
    )
    assert (len(dataset), dataset.options().autotune.enabled) == (9, False)
    batches = epoch_of(dataset)
    assert [[(batch < 100).sum(), (batch >= 100).sum()] for batch in batches] == [
        [2, 6]
    ] * 9
    small = np.concatenate([batch[batch < 100] for batch in batches])
    for turn in np.split(small, 3):
        assert sorted(turn) == [0, 1, 2, 3, 4, 5]
    large = np.concatenate([batch[batch >= 100] for batch in batches])
    assert sorted(large[:40]) == list(range(100, 140))


def test_shares_need_not_be_exact_in_binary_nor_the_parts_of_one_precision() -> None:
    first, second = part(6, 0, 0.55), part(40, 100, 0.45)
    second = second._replace(
        y=second.y.astype(np.float64)
    )  # as `ensembling.average` gives them
    (batch,) = epoch_of(mixed_batches([first, second], batch_size=100, steps=1, seed=1))
    assert [(batch < 100).sum(), (batch >= 100).sum()] == [55, 45]


def test_the_order_is_the_seeds_and_another_one_in_the_next_epoch() -> None:
    def epochs(seed: int) -> list[list[float]]:
        dataset = mixed_batches([part(30, 0, 1)], batch_size=10, steps=3, seed=seed)
        return [np.concatenate(epoch_of(dataset)).tolist() for _ in range(2)]

    assert epochs(1) == epochs(1)
    assert epochs(1) != epochs(2)
    assert epochs(1)[0] != epochs(1)[1]
    assert epochs(1)[0] != list(range(30))


def test_two_parts_of_one_size_are_not_in_one_order() -> None:
    dataset = mixed_batches(
        [part(50, 0, 0.5), part(50, 100, 0.5)], batch_size=20, steps=5, seed=0
    )
    for batch in epoch_of(dataset):
        assert (batch[:10] + 100 != batch[10:]).any()


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([part(5, 0, 0.5)], "whole numbers of digits.*0.5"),
        ([part(5, 0, 0.3), part(5, 0, 0.7)], "batch of 8.*0.3, 0.7"),
        ([part(5, 0, 1), part(5, 0, 0)], "1 or more each.*1, 0"),
        ([], r"got \[\]"),
        ([part(0, 0, 1)], r"not be empty, got .*\(0, 2, 2, 1\)"),
        ([Part(part(4, 0, 1).x, part(5, 0, 1).y, 1)], "4 images and 5 labels"),
    ],
)
def test_parts_that_make_no_batch_are_refused(parts: list[Part], expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        mixed_batches(parts, batch_size=8, steps=1, seed=0)
